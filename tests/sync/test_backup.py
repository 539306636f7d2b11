"""Backups: of one moment, whole or not there, and good only once they were restored aside."""

from pathlib import Path
from typing import Any

import pytest

from taskapi.db.engine import Engine
from taskapi.domain.clock import timestamp
from taskapi.domain.records import Credential, Group, User
from taskapi.outside.shelf import Shelf, open_shelf
from taskapi.store.client import Store
from taskapi.sync.archive import open_whole
from taskapi.sync.backup import Backup, back_up, backups, find
from taskapi.sync.flush import drain
from taskapi.sync.keeping import file_of
from taskapi.sync.lines import Line
from tests.sync.conftest import change, create, create_with_id, many_tasks, new_task, purge


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    """An empty shelf in a folder."""
    return open_shelf(str(tmp_path / "backups"))


def filled(store: Store) -> None:
    """Something of everything: live, changed, in the trash, purged, refused by PostgreSQL."""
    around: dict[str, Any] = {"created_at": timestamp(), "updated_at": timestamp()}
    create(store, Group(name="Team 😀", **around))
    create_with_id(store, Credential(password_hash="$argon2id$x", updated_at=timestamp()), 1)
    bob = create(
        store, User(full_name="Bob", group_ids=(1,), work_times={"Monday": 7.5, "Friday": 0.0}, **around)
    )
    change(store, bob, number="7")
    tasks = many_tasks(store, 5, tags=("a", "b"), estimate_hours=1.5, information="x\n\u2028\\")
    change(store, tasks[0], deadline="2030-01-02", estimate_hours=2.0)
    change(store, tasks[1], deleted_at=timestamp(), deleted_with="user:1")
    purge(store, tasks[2])
    new_task(store, title="a\0b")


def content(shelf: Shelf, backup_id: str) -> list[Line]:
    """The lines of a backup."""
    with shelf.opened(file_of(backup_id)) as file:
        return sorted(open_whole(file).lines())


def test_both_sources_give_the_same(opened: Store, engine: Engine, shelf: Shelf):
    filled(opened)
    before = back_up(opened, engine, shelf, source="redis")
    drain(opened, engine, 10)
    after = back_up(opened, engine, shelf)

    assert (before.source, after.source) == ("redis", "postgresql")
    assert before.is_good
    assert after.is_good
    assert content(shelf, before.id) == content(shelf, after.id)
    assert before.counts == after.counts
