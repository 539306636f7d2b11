"""Admission: whatever was lost, both stores come to the same end, and no id or version is used twice."""

import pytest

from taskapi.db.engine import Engine
from taskapi.domain import clock
from taskapi.domain.clock import timestamp
from taskapi.domain.errors import Unavailable
from taskapi.domain.records import Group, Task, User
from taskapi.services.sweeping import sweep
from taskapi.store import contents, leaving, placing, state, syncs
from taskapi.store.client import Store
from taskapi.store.kinds import TASK
from taskapi.store.scrub import differences
from taskapi.store.state import EPOCH_SPAN
from taskapi.sync import admission
from taskapi.sync.admission import admit
from taskapi.sync.closing import close
from taskapi.sync.compare import compare
from taskapi.sync.errors import Foreign
from taskapi.sync.flush import drain
from taskapi.sync.judging import Finding
from tests.sync.conftest import change, create, new_task, purge, restart, snapshot, turn_back
from tests.sync.test_flush import require_equal, run_sql, titles


def tasks_in(store: Store) -> dict[int, str]:
    return {task.id: task.title for task in contents.stored_records(store) if hasattr(task, "title")}


def require_settled(store: Store, engine: Engine) -> None:
    """Everything carried, both stores equal, indexes and counters exact."""
    drain(store, engine, 10)
    require_equal(store, engine)
    assert differences(store) == []


def stored_texts(store: Store) -> list[bytes]:
    return sorted(blob for _, blobs in contents.stored_blobs(store) for blob in blobs)


def forget_everything(store: Store) -> None:
    """Redis came back with an empty disk."""
    store.redis.flushall()
    store.redis.script_flush()


def test_the_first_start_counts_from_one(store: Store, engine: Engine):
    verdict = admit(store, engine)

    assert (verdict.finding, verdict.epoch) == (Finding.FIRST, 1)
    some = {"user": (1, 1001), "group": (0, 1000)}
    assert state.leases(store) == some | {"task": (0, 1_000_000), "file": (0, 100_000)}
    now = timestamp()
    first = create(store, Group(name="Team", created_at=now, updated_at=now))
    assert (first.id, first.version) == (1, EPOCH_SPAN + 1)
    require_settled(store, engine)


def test_sweeps_that_were_under_way_go_on_in_a_redis_that_was_filled_anew(opened: Store, engine: Engine):
    now = timestamp()
    made = [create(opened, Group(name=name, created_at=now, updated_at=now)) for name in ("left", "gone")]
    ids = tuple(group.id for group in made)
    member = create(opened, User(full_name="Ada", group_ids=ids, created_at=now, updated_at=now))
    deleted = create(opened, User(full_name="Bob", created_at=now, updated_at=now))
    staying = new_task(opened, user_id=member.id)
    for user, group in [(member, ids[0]), (member, ids[1]), (deleted, None)]:
        new_task(opened, user_id=user.id, group_id=group)
    change(opened, member, group_ids=())
    change(opened, made[1], deleted_at=now)
    change(opened, deleted, deleted_at=now)
    drain(opened, engine, 10)
    forget_everything(opened)

    admit(opened, engine)

    names = {f"member:{member.id}:{ids[0]}", f"group:{ids[1]}", f"user:{deleted.id}"}
    assert set(leaving.accounts(opened)) == names
    assert sweep(opened, 10) == 3
    assert set(tasks_in_life(opened)) == {staying.id}
    require_settled(opened, engine)


def tasks_in_life(store: Store) -> list[int]:
    """The ids of the tasks that are not in the trash."""
    records = contents.stored_records(store)
    return [record.id for record in records if isinstance(record, Task) and record.deleted_at is None]


def test_an_open_redis_is_left_alone(opened: Store, engine: Engine):
    assert admit(opened, engine).finding is Finding.READY
    assert admit(opened, engine, suspect=True).finding is Finding.READY
    new_task(opened)


def test_two_clean_starts_give_consecutive_ids_in_one_epoch(opened: Store, engine: Engine):
    assert new_task(opened).id == 1
    for number in (2, 3):
        close(opened, engine)
        with pytest.raises(Unavailable):
            new_task(opened)
        restart_cleanly(opened)
        assert admit(opened, engine).finding is Finding.CLEAN
        assert new_task(opened).id == number
    assert state.look(opened).epoch == 1
    require_settled(opened, engine)


def restart_cleanly(store: Store) -> None:
    """Another process with the same memory: `run` in meta stays that of the process before."""
    store.redis.script_flush()


def test_a_clean_stop_counts_once(opened: Store, engine: Engine):
    close(opened, engine)
    admit(opened, engine)
    restart(opened)

    assert admit(opened, engine).finding is Finding.UNCLEAN


def test_an_unclean_stop_jumps_over_every_id_that_may_have_been_given(opened: Store, engine: Engine):
    new_task(opened)
    restart(opened)

    verdict = admit(opened, engine)

    assert (verdict.finding, verdict.epoch) == (Finding.UNCLEAN, 2)
    assert (verdict.placed, verdict.marked, verdict.buried) == (0, 0, 0)
    later = new_task(opened)
    assert (later.id, later.version) == (1_000_001, 2 * EPOCH_SPAN + 1)
    require_settled(opened, engine)


def test_an_empty_redis_is_filled_from_postgresql(opened: Store, engine: Engine):
    kept = new_task(opened, title="kept", tags=("a", "b"), deadline="2026-11-20", estimate_hours=2.5)
    trashed = change(opened, new_task(opened), deleted_at=timestamp())
    gone = new_task(opened)
    purge(opened, gone)
    create(opened, Group(name="Team", created_at=timestamp(), updated_at=timestamp()))
    drain(opened, engine, 5)
    before = stored_texts(opened)
    lowest_lost = new_task(opened).version
    forget_everything(opened)

    verdict = admit(opened, engine)

    assert (verdict.finding, verdict.epoch, verdict.placed) == (Finding.EMPTY, 2, 4)
    assert stored_texts(opened) == before
    assert contents.present(opened, TASK, [kept.id, trashed.id, gone.id]) == [kept, trashed, None]
    assert opened.redis.zrange("trashed", 0, -1, withscores=True) == [
        (b"task:%d" % trashed.id, clock.milliseconds(trashed.deleted_at))
    ]
    loss = syncs.history(opened).losses[0]
    assert (loss["store"], loss["above"], loss["up_to"]) == ("redis", lowest_lost - 1, None)
    assert verdict.sentence.endswith(f"versions after {lowest_lost - 1}, nobody knows yet how many.")
    assert new_task(opened).id == 1_000_001
    require_settled(opened, engine)


def test_an_empty_redis_after_a_clean_stop_is_no_loss(opened: Store, engine: Engine):
    close(opened, engine)
    forget_everything(opened)

    assert admit(opened, engine).finding is Finding.EMPTY
    assert syncs.history(opened).losses == ()


def test_a_stale_redis_gets_what_is_newer_and_keeps_what_only_it_has(opened: Store, engine: Engine):
    only_here = new_task(opened, title="only here")
    old = new_task(opened, title="old")
    purged_later = new_task(opened)
    drained_before = snapshot(opened)
    drain(opened, engine, 5)
    change(opened, old, title="new")
    purge(opened, purged_later)
    added = new_task(opened, title="added")
    drain(opened, engine, 5)
    run_sql(engine, f"DELETE FROM tasks WHERE id = {only_here.id}")
    turn_back(opened, drained_before)

    verdict = admit(opened, engine)

    assert (verdict.finding, verdict.epoch) == (Finding.STALE, 2)
    assert (verdict.placed, verdict.marked) == (3, 1)
    expected = {only_here.id: "only here", old.id: "new", added.id: "added"}
    assert tasks_in(opened) == expected
    require_settled(opened, engine)
    assert titles(engine) == expected
    loss = syncs.history(opened).losses[0]
    # What PostgreSQL had is back; what may have been written after that is not.
    assert (loss["store"], loss["above"], loss["up_to"]) == ("redis", added.version, None)


def test_a_redis_of_an_older_epoch_brings_what_it_never_flushed(opened: Store, engine: Engine):
    drain(opened, engine, 5)
    unsynced = new_task(opened, title="never flushed")
    old_disk = snapshot(opened)
    forget_everything(opened)
    admit(opened, engine)
    newer = new_task(opened, title="of the new disk")
    drain(opened, engine, 5)
    turn_back(opened, old_disk)

    assert admit(opened, engine).finding is Finding.STALE

    assert tasks_in(opened) == {unsynced.id: "never flushed", newer.id: "of the new disk"}
    require_settled(opened, engine)
    assert titles(engine) == tasks_in(opened)


def test_a_redis_of_another_program_is_refused(store: Store, engine: Engine):
    store.redis.set("celery", "x")
    with pytest.raises(Foreign, match="keys of another program"):
        admit(store, engine)
    assert store.redis.keys() == [b"celery"]


def test_a_redis_of_another_installation_is_refused(opened: Store, engine: Engine):
    restart(opened)
    run_sql(engine, "UPDATE meta SET incarnation = gen_random_uuid()")
    with pytest.raises(Foreign, match="same one"):
        admit(opened, engine)


def test_records_without_an_owner_are_refused(opened: Store, engine: Engine):
    drain(opened, engine, 5)
    run_sql(engine, "DELETE FROM meta")
    forget_everything(opened)
    with pytest.raises(Foreign, match="restore it whole"):
        admit(opened, engine)


def test_a_placed_record_is_never_counted_twice(opened: Store, engine: Engine):
    task = new_task(opened, tags=("a",))
    drain(opened, engine, 5)
    forget_everything(opened)
    state.begin(opened, state.look(opened).run, "x")

    assert placing.place(opened, [(None, task, False)]) == 1
    assert placing.place(opened, [(None, task, False)]) == 0
    assert opened.redis.hget("counts:all", "#a") == b"1"


def test_the_verdict_is_told_in_a_sentence(store: Store, engine: Engine):
    sentence = admission.Verdict(Finding.STALE, 3, placed=2, marked=1).sentence
    assert sentence.endswith("Epoch 3, 2 records placed in Redis, 1 record marked dirty.")
    assert compare(store, engine).is_equal
