"""Redis anew from PostgreSQL while it is read: old or new, whole, and nothing that was written lost."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from redis import Redis

from taskapi.db.engine import Engine
from taskapi.domain import failpoints
from taskapi.domain.callers import Claim, Operation
from taskapi.domain.clock import timestamp
from taskapi.domain.errors import Unavailable
from taskapi.domain.filters import Page, Scope, TaskQuery
from taskapi.domain.records import Group, Task
from taskapi.outside.shelf import Shelf
from taskapi.store import contents, dirty, finders, placing, sessions, staging, state, syncs
from taskapi.store.client import Store
from taskapi.store.kinds import TASK
from taskapi.store.plans import Change
from taskapi.store.reading import Question, ask
from taskapi.store.records import save
from taskapi.store.scrub import differences
from taskapi.sync.admission import admit
from taskapi.sync.flush import drain
from taskapi.sync.keeping import find
from taskapi.sync.restoring import rebuild
from tests.sync.conftest import change, create, many_tasks, new_task, purge
from tests.sync.test_admission import require_settled, stored_texts, tasks_in
from tests.sync.test_flush import run_sql
from tests.sync.test_older_redis import sign_in


def test_redis_is_built_anew_from_postgresql_with_everything_in_it(
    opened: Store, engine: Engine, shelf: Shelf, beside: Redis, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(staging, "AT_ONCE", 5)
    create(opened, Group(name="Team", created_at=timestamp(), updated_at=timestamp()))
    tasks = many_tasks(opened, 30, tags=("a", "b"), deadline="2026-11-20")
    change(opened, tasks[0], deleted_at=timestamp())
    purge(opened, tasks[1])
    drain(opened, engine, 10)
    before = stored_texts(opened)
    opened.redis.hset("counts:all", "0:2", 77)
    opened.redis.delete(f"task:{tasks[2].id}")
    journal = opened.redis.xlen("journal")

    report = rebuild(opened, engine, shelf)

    assert (report["epoch"], report["archive"], report["offline"]) == (2, None, False)
    assert report["records"]["placed"] == 31
    assert stored_texts(opened) == before
    assert differences(opened) == []
    assert opened.redis.xlen("journal") == journal + 1
    assert (state.look(opened).is_ready, state.look(opened).restorer) == (True, "")
    assert opened.redis.hget("recovered", 2) == b"%d" % dirty.journal(opened, 0, 1000)[-2].version
    assert beside.dbsize() == 0
    following = new_task(opened)
    assert following.id == tasks[-1].id + 1
    assert following.version > 2 * state.EPOCH_SPAN
    require_settled(opened, engine)


def test_what_was_never_carried_is_kept(opened: Store, engine: Engine, shelf: Shelf):
    old = new_task(opened, title="old")
    drain(opened, engine, 5)
    change(opened, old, title="new")
    new_task(opened, title="fresh")

    rebuild(opened, engine, shelf)

    assert tasks_in(opened) == {old.id: "new", old.id + 1: "fresh"}
    require_settled(opened, engine)


def test_sessions_operations_and_limits_of_a_rebuilt_redis_go_on(opened: Store, engine: Engine, shelf: Shelf):
    sign_in(opened)
    claim = Claim(1, operation=Operation("key", "fingerprint"))
    fields = {"title": "once", "user_id": 1, "created_at": timestamp(), "updated_at": timestamp()}
    first = save(opened, claim, [Change(None, Task(**fields), "created")])
    lives = opened.redis.pttl(next(iter(opened.redis.keys("op:*"))))

    rebuild(opened, engine, shelf)

    again = save(opened, claim, [Change(None, Task(**fields), "created")])
    assert (again.again, again.names) == (True, first.names)
    assert len(sessions.of_user(opened, 1)) == 1
    assert 0 < opened.redis.pttl(next(iter(opened.redis.keys("op:*")))) <= lives


def test_a_sweep_that_was_under_way_goes_on(opened: Store, engine: Engine, shelf: Shelf):
    opened.redis.hset("leaving", "user:9", '{"way":"back","at":"x","actor":1,"request_id":"-"}')
    rebuild(opened, engine, shelf)
    assert opened.redis.hkeys("leaving") == [b"user:9"]


def test_every_read_during_a_restore_is_whole(opened: Store, engine: Engine, shelf: Shelf):
    many_tasks(opened, 400)
    drain(opened, engine, 20)

    with reading(opened) as seen:
        for _ in range(3):
            rebuild(opened, engine, shelf)

    assert len(seen) > 100
    assert set(seen) == {(400, 400, 400, 400)}


@contextmanager
def reading(store: Store) -> Iterator[list[tuple[int, ...]]]:
    """Three who read all the while; what they have seen."""
    seen: list[tuple[int, ...]] = []
    over = threading.Event()

    def read() -> None:
        while not over.is_set():
            seen.append(numbers_read(store))

    threads = [threading.Thread(target=read) for _ in range(3)]
    for thread in threads:
        thread.start()
    try:
        yield seen
    finally:
        over.set()
        for thread in threads:
            thread.join()


def numbers_read(store: Store) -> tuple[int, ...]:
    """How many tasks one answer tells of: listed, in all, in the list's size, in the counter."""
    query = TaskQuery(Scope(everything=True), page=Page(per_page=1000))
    counted = Question(hashes=("counts:all",), sizes=("tasks:all:0:2",), listing=finders.task_page(query))
    seen = ask(store, Claim(1), counted)
    counter = seen.hashes[0].get("0:2", 0)
    return len(seen.listing.blobs), seen.listing.total, seen.sizes[0], counter


def test_a_write_during_the_freeze_is_refused_and_succeeds_after_it(
    opened: Store, engine: Engine, shelf: Shelf
):
    claim = Claim(1, operation=Operation("key", "fingerprint"))
    fields = {"title": "later", "user_id": 1, "created_at": timestamp(), "updated_at": timestamp()}
    changes = [Change(None, Task(**fields), "created")]
    refused = []

    def write() -> None:
        for attempt in (
            lambda: save(opened, claim, changes),
            lambda: state.reserve(opened, TASK),
            lambda: sessions.end(opened, Claim(1), 1),
        ):
            with pytest.raises(Unavailable, match="being restored") as refusal:
                attempt()
            refused.append(refusal.value.retry_after)

    with failpoints.armed("publishing.built", write):
        rebuild(opened, engine, shelf)

    assert refused == [5, 5, 5]
    saved = save(opened, claim, changes)
    assert (saved.again, saved.first.record.title) == (False, "later")
    require_settled(opened, engine)


def test_an_admission_meanwhile_leaves_a_restore_alone(opened: Store, engine: Engine, shelf: Shelf):
    def admit_meanwhile() -> None:
        with pytest.raises(Unavailable):
            admit(opened, engine)

    with failpoints.armed("publishing.built", admit_meanwhile):
        assert rebuild(opened, engine, shelf)["epoch"] == 2
    require_settled(opened, engine)


def test_what_redis_shows_is_archived_before_it_is_overruled(opened: Store, engine: Engine, shelf: Shelf):
    task = new_task(opened, title="right")
    drain(opened, engine, 5)
    drift(opened, task, "wrong")

    report = rebuild(opened, engine, shelf)

    assert report["records"]["changed"] == {"tasks": 1}
    assert report["archive"]
    assert tasks_in(opened) == {task.id: "right"}
    assert contents.present(opened, TASK, [task.id])[0].version == 2 * state.EPOCH_SPAN + 1
    require_settled(opened, engine)


def test_a_text_that_nobody_can_read_is_archived_and_put_right(opened: Store, engine: Engine, shelf: Shelf):
    there, alone = new_task(opened, title="there"), new_task(opened, title="alone")
    drain(opened, engine, 5)
    run_sql(engine, f"DELETE FROM tasks WHERE id = {alone.id}")
    for task in (there, alone):
        opened.redis.set(f"task:{task.id}", f"no record {task.id}")

    report = rebuild(opened, engine, shelf)

    assert report["records"]["changed"] == report["records"]["removed"] == {"tasks": 1}
    assert tasks_in(opened) == {there.id: "there"}
    assert find(shelf, report["archive"]).counts["refused"] == 2
    require_settled(opened, engine)


def drift(store: Store, task: Task, title: str) -> None:
    """Redis says something else of a record than PostgreSQL, in the same version."""
    blob = store.redis.get(f"task:{task.id}")
    store.redis.set(f"task:{task.id}", blob.replace(task.title.encode(), title.encode()))


def test_what_is_noted_while_records_are_frozen_is_kept(opened: Store, engine: Engine, shelf: Shelf):
    noted = failpoints.armed("publishing.taken", lambda: syncs.note(opened, 7))
    with noted:
        rebuild(opened, engine, shelf)
    assert syncs.history(opened).rows_synced == 1 + 7


def test_a_reply_that_was_lost_does_no_harm(opened: Store, engine: Engine, shelf: Shelf, beside: Redis):
    """Each script of a restore is sent once more when its answer does not come."""
    task = new_task(opened)
    sent = staging.run_unverified

    def twice(store: Store, name: str, *args: Any) -> Any:
        sent(store, name, *args)
        return sent(store, name, *args)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(staging, "run_unverified", twice)
        patch.setattr(state, "run_unverified", twice)
        patch.setattr(placing, "run_unverified", twice)
        rebuild(opened, engine, shelf)

    assert (tasks_in(opened), beside.dbsize()) == ({task.id: "t"}, 0)
    require_settled(opened, engine)
