"""What a comparison finds, beside writers, and one at a time."""

from dataclasses import fields
from datetime import timedelta
from typing import Any

import pytest

from taskapi.db.engine import Engine
from taskapi.store.client import Store
from taskapi.store.kinds import KINDS, TASK, USER
from taskapi.sync import auditing, pairs
from taskapi.sync.auditing import audit
from taskapi.sync.compare import Seen, compare
from taskapi.sync.flush import drain
from taskapi.sync.pairs import Verdict
from tests.sync.conftest import change, new_file, new_task, purge
from tests.sync.test_flush import run_sql

CHANGES: dict[str, dict[str, Any]] = {
    "user": {
        "full_name": "x",
        "email": "x@example.org",
        "username": "xx1",
        "number": "5",
        "role": "owner",
        "requested_role": "owner",
        "group_ids": (),
        "work_times": {"Monday": 3.0},
    },
    "credential": {"password_hash": "y"},
    "group": {"name": "x", "admin_id": 2},
    "task": {
        "title": "x",
        "status": True,
        "priority": 3,
        "deadline": "2026-02-02",
        "information": "x",
        "tags": ("x",),
        "user_id": 1,
        "group_id": None,
        "estimate_hours": 2.5,
        "completed_at": "2026-01-01T00:00:00.000Z",
    },
    "file": {
        "task_id": 3,
        "filename": "x",
        "content_type": "image/png",
        "size": 2,
        "sha256": "x",
        "user_id": 2,
    },
}
EVERY_KIND = {
    "version": 1,
    "deleted_at": "2026-01-01T00:00:00.000Z",
    "deleted_with": "user:9",
    "created_at": "2026-01-01T00:00:00.000Z",
    "updated_at": "2026-01-01T00:00:00.000Z",
    "member_ids": (1,),
}


def test_the_digests_differ_for_any_changed_field(house: Store, engine: Engine):
    ids = {"user": 2, "credential": 2, "group": 1, "task": 3, "file": 1}
    new_file(house, 1)
    drain(house, engine, 5)
    for kind in KINDS.values():
        names = {each.name for each in fields(kind.record)} - {"id"}
        values = {name: value for name, value in EVERY_KIND.items() if name in names} | CHANGES[kind.name]
        assert values.keys() == names
        (pair,) = pairs.look(house, engine, kind, [ids[kind.name]])
        assert pair.row is not None
        assert pairs.same(kind, pair.redis.record, pair.row)
        for name, value in values.items():
            assert not pairs.same(kind, pair.redis.record, pair.row.changed(**{name: value})), name

    before = compare(house, engine).digests
    run_sql(engine, "UPDATE tasks SET estimate_hours = 1.25 WHERE id = 3")
    after = compare(house, engine).digests
    assert before["task"]["redis"] == after["task"]["redis"] != after["task"]["postgresql"]
    assert before["user"] == after["user"]


def test_what_moves_all_the_while_is_waiting(house: Store, engine: Engine, monkeypatch: pytest.MonkeyPatch):
    read = pairs._rows

    def read_beside_a_writer(*args: Any) -> Any:
        house.redis.set("task:1", house.redis.get("task:1") + b" ")
        return read(*args)

    run_sql(engine, "DELETE FROM tasks WHERE id = 1")
    monkeypatch.setattr(pairs, "_rows", read_beside_a_writer)
    (pair,) = pairs.look(house, engine, TASK, [1])
    assert pair.verdict is Verdict.WAITING


def test_what_seemed_unsound_only_because_it_was_written_meanwhile_is_not_told(house: Store, engine: Engine):
    sound = compare(house, engine).soundness
    sound._lonely = [(TASK, "task:3", "user:2"), (TASK, "task:1", "user:77")]
    sound._clashing = [(USER, "username", "user:1", "user:2"), (USER, "email", "user:1", "user:2")]
    sound.confirm(house)
    assert (sound.orphans, sound.clashes) == ([], [])


def test_what_is_carried_while_it_is_compared_is_equal(
    house: Store, engine: Engine, monkeypatch: pytest.MonkeyPatch
):
    new_task(house)
    look = pairs.look

    def carried_first(*args: Any) -> Any:
        drain(house, engine, 5)
        return look(*args)

    monkeypatch.setattr(pairs, "look", carried_first)
    found = compare(house, engine)

    assert (found.is_equal, found.waiting, found.same["task"]) == (True, [], 4)
    assert found.digests["task"]["redis"] == found.digests["task"]["postgresql"]


def test_an_id_is_seen_once():
    seen = Seen()
    assert [seen.add(number) for number in (1, 1, 5_000_000, 1024, 1025, 5_000_000)] == [
        True, False, True, True, True, False,
    ]  # fmt: skip


def test_one_at_a_time(house: Store, engine: Engine):
    with auditing.turn(house, engine) as first, auditing.turn(house, engine) as second:
        assert (first, second) == (True, False)
    with auditing.turn(house, engine, timedelta(hours=12)) as first:
        assert first
    audit(house, engine)
    with auditing.turn(house, engine, timedelta(hours=12)) as again:
        assert not again


def test_a_file_is_sound_while_its_task_lies_in_the_trash(house: Store, engine: Engine):
    task = new_task(house)
    new_file(house, task.id)
    task = change(house, task, deleted_at=task.created_at)
    drain(house, engine, 5)
    assert compare(house, engine).is_sound

    purge(house, task)
    drain(house, engine, 5)
    assert compare(house, engine).soundness.orphans == [f"file:1 without task:{task.id}"]
