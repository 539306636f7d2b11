"""Refused records outlive Redis: PostgreSQL keeps their bytes, and admission brings them back."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import orjson
import pytest
from sqlalchemy import text

from taskapi.db import meta
from taskapi.db.engine import Engine, transaction
from taskapi.domain import failpoints
from taskapi.domain.callers import Claim
from taskapi.domain.clock import timestamp
from taskapi.domain.records import Task, User
from taskapi.store import contents, dirty, quarantine, state
from taskapi.store.client import Store
from taskapi.store.kinds import TASK, USER
from taskapi.store.plans import Change
from taskapi.store.records import save
from taskapi.store.scrub import differences
from taskapi.sync import carrying, flush
from taskapi.sync.admission import admit
from taskapi.sync.compare import compare
from taskapi.sync.flush import drain, flush_batch
from taskapi.sync.judging import Finding
from tests.sync.conftest import (
    Crash,
    change,
    crash,
    create,
    new_task,
    purge,
    restart,
    snapshot,
    turn_back,
)
from tests.sync.test_admission import forget_everything, require_settled, tasks_in
from tests.sync.test_flush import NO_TRIGGER, TRIGGER, run_sql, titles
from tests.sync.test_went_back import copy_aside, put_back

NO_PURGES = "ALTER TABLE tasks ADD CONSTRAINT no_purges CHECK (purged IS NOT TRUE) NOT VALID"
PURGES = "ALTER TABLE tasks DROP CONSTRAINT no_purges"
BAD = "\x00"
"""A title that PostgreSQL never takes."""


def kept(engine: Engine) -> dict[str, tuple[int, bytes]]:
    """What PostgreSQL has of refused records: version and bytes by name."""
    with transaction(engine) as connection:
        found = connection.execute(text("SELECT kind, record_id, version, record FROM refused")).all()
    return {f"{row.kind}:{row.record_id}": (row.version, bytes(row.record)) for row in found}


def apart(store: Store) -> list[str]:
    return quarantine.names(store)


def blob_of(store: Store, name: str) -> Any:
    return store.redis.get(name)


def test_postgresql_keeps_the_bytes_that_it_refuses_and_lets_go_of_them_when_it_has_a_newer_version(
    opened: Store, engine: Engine
):
    task = new_task(opened, title=f"a {BAD} \ud7ff é")
    drain(opened, engine, 5)
    assert kept(engine) == {"task:1": (task.version, blob_of(opened, "task:1"))}

    worse = change(opened, task, information=BAD)
    drain(opened, engine, 5)
    assert kept(engine) == {"task:1": (worse.version, blob_of(opened, "task:1"))}

    change(opened, worse, title="good", information="")
    drain(opened, engine, 5)
    assert kept(engine) == {}
    assert apart(opened) == []
    require_settled(opened, engine)


@pytest.mark.parametrize(
    "blob",
    [
        b"\xff\xfe\x00",
        b'{"id":1,"full_name":"\x00","version":5}',
        b'{"id":1,"full_name":"\xed\xa0\x80","version":5}',
        b'{"id":1',
        b"[" * 5000,
        b"null",
        b'{"id":"one","version":5}',
    ],
)
@pytest.mark.parametrize("kind", ["user", "task"])
def test_whatever_bytes_redis_holds_are_kept_and_block_nothing(
    opened: Store, engine: Engine, kind: str, blob: bytes
):
    good = [new_task(opened, title=f"{number}") for number in range(20)]
    name = f"{kind}:{5 if kind == 'task' else 1}"
    opened.redis.set(name, blob)

    done = drain(opened, engine, 5)

    assert (done.refused, done.left) == (1, 0)
    assert kept(engine)[name][1] == blob
    assert len(titles(engine)) == len(good) - (kind == "task")
    assert dirty.rearm(opened) == 1
    assert drain(opened, engine, 5).refused == 1
    forget_everything(opened)
    admit(opened, engine)
    assert kept(engine)[name][1] == blob
    assert name not in apart(opened)


def test_words_of_what_is_no_text_stop_no_flush(opened: Store, engine: Engine):
    task = new_task(opened)
    blob = blob_of(opened, "task:1").replace(b'"title":"t"', b'"title":["t"]')
    opened.redis.set("task:1", blob)

    drain(opened, engine, 5)

    assert titles(engine) == {task.id: '["t"]'}


def test_a_kind_of_a_later_release_is_set_apart_and_not_forgotten(opened: Store, engine: Engine):
    opened.redis.set("gadget:1", '{"id":1,"version":5}')
    contents.mark_dirty(opened, {"gadget:1": 5})

    assert drain(opened, engine, 5).refused == 1

    assert dirty.backlog(opened).quarantined["gadget:1"]["reason"] == carrying.UNKNOWN
    assert kept(engine) == {"gadget:1": (5, b'{"id":1,"version":5}')}


def test_a_refused_record_survives_the_loss_of_redis(opened: Store, engine: Engine):
    changed = new_task(opened, title="old", tags=("x",))
    good = new_task(opened, title="good")
    drain(opened, engine, 5)
    changed = change(opened, changed, title=BAD, tags=("y",), priority=1)
    created = new_task(opened, title=f"made {BAD}", deadline="2026-11-20")
    trashed = change(opened, new_task(opened, title=f"thrown {BAD}"), deleted_at=timestamp())
    person = create(
        opened, User(full_name=BAD, username="bob", created_at=timestamp(), updated_at=timestamp())
    )
    drain(opened, engine, 5)
    before = {each.name: each for each in quarantine.some(opened, apart(opened))}
    assert list(before) == [f"user:{person.id}", *(f"task:{each.id}" for each in (changed, created, trashed))]
    forget_everything(opened)

    verdict = admit(opened, engine)

    assert (verdict.finding, verdict.placed) == (Finding.EMPTY, 7)
    assert contents.present(opened, TASK, [1, 2, 3, 4]) == [changed, good, created, trashed]
    assert contents.present(opened, USER, [person.id]) == [person]
    after = {each.name: each for each in quarantine.some(opened, apart(opened))}
    assert {name: (each.version, each.reason, each.blob) for name, each in after.items()} == {
        name: (each.version, each.reason, each.blob) for name, each in before.items()
    }
    assert differences(opened) == []
    found = compare(opened, engine)
    assert (found.is_equal, found.is_sound, sorted(found.waiting)) == (True, True, sorted(before))
    assert drain(opened, engine, 5).refused == 4
    assert apart(opened) == list(before)
    assert compare(opened, engine).waiting == found.waiting
    assert state.look(opened).version > trashed.version
    assert new_task(opened).id > trashed.id


def test_a_version_that_was_refused_is_never_given_again(opened: Store, engine: Engine):
    drain(opened, engine, 5)
    old_disk = snapshot(opened)
    refused = new_task(opened, title=BAD)
    with failpoints.armed("carrying.kept", lambda: None):
        drain(opened, engine, 5)
    run_sql(engine, f"DELETE FROM change WHERE version = {refused.version}")
    turn_back(opened, old_disk)

    assert admit(opened, engine).finding is Finding.STALE

    assert contents.present(opened, TASK, [refused.id]) == [refused]
    assert new_task(opened).version > refused.version


def test_an_older_redis_gets_back_what_was_refused_since(opened: Store, engine: Engine):
    task = new_task(opened, title="first")
    drain(opened, engine, 5)
    old_disk = snapshot(opened)
    task = change(opened, task, title=BAD)
    drain(opened, engine, 5)
    turn_back(opened, old_disk)

    assert admit(opened, engine).finding is Finding.STALE

    assert tasks_in(opened) == {task.id: BAD}
    assert apart(opened) == ["task:1"]
    drain(opened, engine, 5)
    assert compare(opened, engine).waiting == ["task:1"]
    assert differences(opened) == []


def test_a_newer_version_in_redis_is_not_overwritten_by_what_was_refused(opened: Store, engine: Engine):
    task = new_task(opened, title=BAD)
    drain(opened, engine, 5)
    change(opened, task, title="good")
    with transaction(engine) as connection:
        meta.admit(connection, state.look(opened).incarnation, 2)
    restart(opened)

    assert admit(opened, engine).finding is Finding.STALE

    assert tasks_in(opened) == {task.id: "good"}
    drain(opened, engine, 5)
    assert (apart(opened), kept(engine)) == ([], {})


def test_a_refused_purge_is_still_one_after_the_loss_of_redis(opened: Store, engine: Engine):
    carried = new_task(opened, title="carried")
    drain(opened, engine, 5)
    never = new_task(opened, title="never carried")
    run_sql(engine, NO_PURGES)
    try:
        purge(opened, carried)
        purge(opened, never)
        drain(opened, engine, 5)
        assert apart(opened) == ["task:1", "task:2"]
        for _ in range(2):
            forget_everything(opened)
            admit(opened, engine)

            assert tasks_in(opened) == {}
            assert sorted(compare(opened, engine).waiting) == ["task:1"]
            assert [each.is_purged for each in quarantine.some(opened, apart(opened))] == [True, True]
            drain(opened, engine, 5)
            assert apart(opened) == ["task:1", "task:2"]
    finally:
        run_sql(engine, PURGES)
    assert dirty.rearm(opened) == 2
    drain(opened, engine, 5)
    assert (apart(opened), kept(engine), titles(engine)) == ([], {}, {})
    require_settled(opened, engine)


def test_what_was_refused_yesterday_and_purged_since_stays_away(opened: Store, engine: Engine):
    task, stays = new_task(opened, title=BAD), new_task(opened, title=BAD)
    drain(opened, engine, 5)
    copy_aside(engine, "refused", "tasks", "change", "meta")
    purge(opened, task)
    stays = change(opened, stays, title="good now")
    drain(opened, engine, 5)
    put_back(engine, "refused", "tasks", "change", "meta")
    restart(opened)

    verdict = admit(opened, engine)

    assert (verdict.finding, verdict.buried) == (Finding.WENT_BACK, 1)
    require_settled(opened, engine)
    assert (kept(engine), titles(engine)) == ({}, {stays.id: "good now"})
    forget_everything(opened)
    admit(opened, engine)
    assert tasks_in(opened) == {stays.id: "good now"}


def test_a_slower_flush_does_not_let_a_newer_version_out_of_quarantine(opened: Store, engine: Engine):
    task = new_task(opened, title="good")

    def refuse_a_newer_version() -> None:
        change(opened, task, title=BAD)
        assert flush_batch(opened, engine).refused == 1

    with failpoints.armed("flush.committed", once(refuse_a_newer_version)):
        flush_batch(opened, engine)

    assert apart(opened) == ["task:1"]
    assert compare(opened, engine).waiting == ["task:1"]
    assert kept(engine)["task:1"][0] > task.version


def test_a_slower_refusal_neither_replaces_a_newer_one_nor_outlives_what_was_carried(
    opened: Store, engine: Engine
):
    task = new_task(opened, title=BAD)
    newer: list[Task] = []

    def carry(**values: Any) -> None:
        newer.append(change(opened, (newer or [task])[-1], **values))
        flush_batch(opened, engine)

    for title in (BAD + BAD, "good"):
        before = (newer or [task])[-1]
        with failpoints.armed("flush.peeked", once(lambda title=title: carry(title=title))):
            flush_batch(opened, engine)
        assert newer[-1].version > before.version
        expected = {} if title == "good" else {"task:1": newer[-1].version}
        assert {name: version for name, (version, _) in kept(engine).items()} == expected
    assert apart(opened) == []
    require_settled(opened, engine)


def once(act: Any) -> Any:
    """The same, the first time."""
    left = [act]
    return lambda: left.pop()() if left else None


def die_at(line: str, act: Callable[[], Any]) -> None:
    """Does it up to that line; what had nothing left to do was killed behind its last one."""
    with failpoints.armed(line, crash), suppress(Crash):
        act()
        assert line == "flush.settled"


@pytest.mark.parametrize("line", flush.LINES)
def test_killed_at_any_line_twice_over_a_refusal_ends_the_same(opened: Store, engine: Engine, line: str):
    task = new_task(opened, title=BAD)
    good = new_task(opened, title="good")
    for _ in range(2):
        die_at(line, lambda: flush_batch(opened, engine))
    drain(opened, engine, 5)

    assert apart(opened) == ["task:1"]
    assert kept(engine) == {"task:1": (task.version, blob_of(opened, "task:1"))}
    assert titles(engine) == {good.id: "good"}
    for _ in range(2):
        contents_now = change(opened, contents.present(opened, TASK, [1])[0], title=f"good {line}")
        die_at(line, lambda: flush_batch(opened, engine))
        assert contents_now.id == task.id
    drain(opened, engine, 5)
    assert (apart(opened), kept(engine)) == ([], {})
    require_settled(opened, engine)


@pytest.mark.parametrize(
    "line", ["rebuilding.placed", "refusals.put_back", "admission.resumed", "admission.rebuilt"]
)
def test_killed_twice_over_while_it_brings_back_the_next_admission_ends_the_same(
    opened: Store, engine: Engine, line: str
):
    run_sql(engine, TRIGGER)
    tasks = [new_task(opened, title="old") for _ in range(3)]
    drain(opened, engine, 5)
    evil = [change(opened, task, title="evil") for task in tasks[:2]]
    run_sql(engine, NO_PURGES)
    try:
        purge(opened, tasks[2])
        drain(opened, engine, 5)
        forget_everything(opened)
        for _ in range(2):
            with failpoints.armed(line, crash), pytest.raises(Crash):
                admit(opened, engine)
        admit(opened, engine)

        assert tasks_in(opened) == {task.id: "evil" for task in evil}
        assert apart(opened) == ["task:1", "task:2", "task:3"]
        assert differences(opened) == []
    finally:
        run_sql(engine, PURGES + ";" + NO_TRIGGER)
    require_settled(opened, engine)
    assert (apart(opened), kept(engine)) == ([], {})


def test_nothing_is_put_back_into_an_open_redis(opened: Store):
    task = new_task(opened)
    refusal = quarantine.Refusal("task", task.id, task.version, "no", timestamp(), b"")

    assert quarantine.put_back(opened, [refusal]) == 0
    assert quarantine.some(opened, [refusal.name]) == quarantine.some(opened, []) == []


def test_the_account_of_a_refusal_is_sorted_by_kind_and_number(opened: Store):
    for number in (10, 9, 2):
        opened.redis.hset("quarantine", f"task:{number}", orjson.dumps({}))
    opened.redis.hset("quarantine", "user:3", b"{}")

    assert quarantine.names(opened) == ["user:3", "task:2", "task:9", "task:10"]


def test_one_save_of_good_and_bad_records_is_carried_but_for_the_bad(opened: Store, engine: Engine):
    now = timestamp()
    made = [
        Change(None, Task(title=title, user_id=1, created_at=now, updated_at=now), "created")
        for title in ["good", BAD] * 50
    ]
    save(opened, Claim(1), made)

    assert drain(opened, engine, 5).refused == 50

    assert set(titles(engine).values()) == {"good"}
    assert len(kept(engine)) == len(apart(opened)) == 50
