"""Refused records outlive Redis: admission brings back the bytes that PostgreSQL kept."""

import pytest

from taskapi.db import meta
from taskapi.db.engine import Engine, transaction
from taskapi.domain import failpoints
from taskapi.domain.clock import timestamp
from taskapi.domain.records import User
from taskapi.store import contents, dirty, quarantine, state
from taskapi.store.client import Store
from taskapi.store.kinds import TASK, USER
from taskapi.store.scrub import differences
from taskapi.sync.admission import admit
from taskapi.sync.compare import compare
from taskapi.sync.flush import drain
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
from tests.sync.refusing import BAD, NO_PURGES, PURGES, apart, kept
from tests.sync.test_admission import forget_everything, require_settled, tasks_in
from tests.sync.test_flush import NO_TRIGGER, TRIGGER, run_sql, titles
from tests.sync.test_went_back import copy_aside, put_back


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
