"""Shelves for tests, and what must hold for whatever lies on them."""

from collections import defaultdict
from typing import Any

import orjson

from taskapi.db import refused
from taskapi.db.engine import Engine, transaction
from taskapi.domain.clock import timestamp
from taskapi.domain.records import Credential, Group, User
from taskapi.outside.shelf import Shelf
from taskapi.store import codec
from taskapi.store.client import Store
from taskapi.sync.archive import Archive, open_whole
from taskapi.sync.backup import backups
from taskapi.sync.keeping import file_of
from taskapi.sync.lines import JOURNAL, Line
from tests.sync.conftest import change, create, create_with_id, many_tasks, new_file, new_task, purge
from tests.sync.test_loading import scratch_tables

SOURCES = ["postgresql", "redis"]


def filled(store: Store) -> None:
    """Something of everything: live, changed, in the trash, purged, refused by PostgreSQL."""
    around: dict[str, Any] = {"created_at": timestamp(), "updated_at": timestamp()}
    create(store, Group(name="Team 😀", **around))
    create_with_id(store, Credential(password_hash="$argon2id$x", updated_at=timestamp()), 1)
    hours = {"Monday": 7.5, "Friday": 0.0}
    bob = create(store, User(full_name="Bob", group_ids=(1,), work_times=hours, **around))
    change(store, bob, number="7")
    tasks = many_tasks(store, 5, tags=("a", "b"), estimate_hours=1.5, information="x\n\u2028\\")
    change(store, tasks[0], deadline="2030-01-02", estimate_hours=2.0)
    purge(store, new_file(store, tasks[1].id))
    new_file(store, tasks[1].id)
    change(store, tasks[1], deleted_at=timestamp(), deleted_with="user:1")
    purge(store, tasks[2])
    new_task(store, title="a\0b")


def content(shelf: Shelf, backup_id: str) -> list[Line]:
    """The lines of a backup, sorted."""
    with shelf.opened(file_of(backup_id)) as file:
        return sorted(open_whole(file).lines())


def records(lines: list[Line], kind: str) -> dict[int, dict[str, Any]]:
    """The records of a kind by id."""
    return {codec.id_of(text): orjson.loads(text) for section, text in lines if section == kind}


def whole(shelf: Shelf, backup_id: str) -> Archive:
    """What it says of itself, after a look at every byte."""
    with shelf.opened(file_of(backup_id)) as file:
        return open_whole(file)


def require_one_moment(shelf: Shelf, backup_id: str) -> None:
    """Every record is as its last journal entry says, and the last entry of all is the backup's version."""
    found = content(shelf, backup_id)
    last: dict[tuple[str, int], Any] = {}
    entries = [orjson.loads(text) for section, text in found if section == JOURNAL]
    for entry in sorted(entries, key=lambda entry: entry["version"]):
        last[entry["kind"], entry["record_id"]] = entry
    assert max(entry["version"] for entry in entries) == whole(shelf, backup_id).manifest.about.version
    held: dict[str, dict[int, Any]] = defaultdict(dict)
    for kind in ("user", "credential", "group", "task", "file"):
        held[kind] = records(found, kind)
        assert {number: record["version"] for number, record in held[kind].items()} == {
            number: entry["version"]
            for (of_kind, number), entry in last.items()
            if of_kind == kind and entry["action"] != "purged"
        }


def require_tidy(shelf: Shelf, engine: Engine) -> None:
    """No half backup, and nothing of one in PostgreSQL."""
    for backup in backups(shelf):
        assert backup.flaw is None
        assert whole(shelf, backup.id).manifest.about.id == backup.id
    assert scratch_tables(engine) == []


def refused_in(engine: Engine, kind: str) -> list[bytes]:
    """What PostgreSQL keeps of records that it refuses."""
    with transaction(engine) as connection:
        return [row.record for row in refused.every(connection, kind)]
