"""Giving up a refused change of a task: it becomes what PostgreSQL has, with all that follows."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from taskapi.domain.clock import timestamp
from taskapi.domain.errors import Conflict, NotFound
from taskapi.services import users
from taskapi.store import contents, dirty
from tests.services.conftest import ANN, BOB, EVE, OWNER, said
from tests.services.quarantine.conftest import BAD, CALLER, Ward, same


@contextmanager
def no_purges(ward: Ward) -> Iterator[None]:
    """PostgreSQL refuses to let a task go."""
    ward.sql("ALTER TABLE tasks ADD CONSTRAINT no_purges CHECK (purged IS NOT TRUE) NOT VALID")
    try:
        yield
    finally:
        ward.sql("ALTER TABLE tasks DROP CONSTRAINT no_purges")


def test_a_changed_task_is_what_it_was_again(ward: Ward):
    was = ward.carried(ward.house.task(ANN, 1, tags=("a",), deadline="2026-11-20", priority=1))
    worse = ward.refused(ward.make.changed(was, title=BAD, tags=("b",), priority=3, group_id=None))

    now = ward.given_up("task", was.id)

    assert same(now, was)
    assert now.version > worse.version
    last = dirty.journal(ward.store)[-1]
    assert (last.action, last.actor, last.version) == ("discarded", OWNER, now.version)
    assert '"title":["\\u0000","Write"]' in last.fields


def test_a_new_task_of_which_postgresql_has_nothing_is_purged(ward: Ward):
    made = ward.refused(ward.house.task(ANN, 1, title=BAD, tags=("a",)))

    assert ward.given_up("task", made.id) is None
    with pytest.raises(NotFound):
        ward.discard("task", made.id)


def test_a_task_that_went_to_the_trash_or_came_back_goes_the_way_back(ward: Ward):
    live, trashed = ward.house.task(ANN, 1), ward.house.task(BOB, 1)
    trashed = ward.carried(ward.make.changed(trashed, deleted_at=timestamp()))
    ward.make.changed(live, deleted_at=timestamp(), title=BAD)
    ward.refused(ward.make.changed(trashed, deleted_at=None, title=BAD))

    assert same(ward.given_up_together("task", live.id), live)
    ward.carry()
    ward.make.changed(ward.now("task", trashed.id), deleted_at=None, title=BAD)
    ward.carry()
    assert same(ward.given_up("task", trashed.id), trashed)


def test_a_task_leaves_a_group_that_its_user_has_left_since(ward: Ward):
    was = ward.carried(ward.house.task(ANN, 2))
    ward.refused(ward.make.changed(was, title=BAD, group_id=1))
    ward.make.changed(ward.now("user", ANN), group_ids=(1,))

    assert same(ward.given_up("task", was.id), was.changed(group_id=None))


def test_a_task_whose_user_is_gone_stays_as_it_is(ward: Ward):
    was = ward.carried(ward.house.task(EVE))
    ward.refused(ward.make.changed(was, title=BAD, user_id=ANN))
    users.delete_user(ward.store, CALLER, EVE)

    with pytest.raises(Conflict, match="restore the user"):
        ward.discard("task", was.id)

    users.restore_user(ward.store, CALLER, EVE)
    assert same(ward.given_up("task", was.id), was)


def test_a_refused_purge_is_taken_back(ward: Ward):
    with no_purges(ward):
        live, trashed = ward.house.task(ANN, 1, tags=("a",)), ward.house.task(BOB)
        trashed = ward.carried(ward.make.changed(trashed, deleted_at=timestamp()))
        for task in (live, trashed):
            ward.make.purged(task)
        ward.carry()
        assert ward.names == [f"task:{live.id}", f"task:{trashed.id}"]
        for task in (live, trashed):
            said(ward.discard("task", task.id))
        ward.settle()

    assert same(ward.now("task", live.id), live)
    assert same(ward.now("task", trashed.id), trashed)
    assert ward.store.redis.keys("purged:*") == []


def test_a_purge_of_which_postgresql_has_nothing_cannot_be_given_up(ward: Ward):
    with no_purges(ward):
        made = ward.refused(ward.house.task(ANN, title=BAD))
        ward.make.purged(made)
        ward.carry()
        with pytest.raises(Conflict, match="nothing to give up"):
            ward.discard("task", made.id)
    ward.retry("task", made.id)
    ward.settle()


def test_a_mark_without_a_record_becomes_what_postgresql_has_or_is_forgotten(ward: Ward):
    was = ward.carried(ward.house.task(ANN, 1))
    for number in (was.id, 777):
        ward.store.redis.delete(f"task:{number}")
        contents.mark_dirty(ward.store, {f"task:{number}": 5})
    ward.carry()
    assert ward.names == ["task:1", "task:777"]

    assert said(ward.discard("task", 777)) == {
        "kind": "task",
        "id": 777,
        "state": "discarded",
        "version": 5,
        "purged": True,
    }
    assert ward.names == ["task:1"]
    assert not said(ward.discard("task", was.id))["purged"]
    assert same(ward.now("task", was.id), was)


def test_what_redis_has_in_no_readable_form_is_not_given_up(ward: Ward):
    was = ward.carried(ward.house.task(ANN))
    ward.store.redis.set("task:1", b"{")
    contents.mark_dirty(ward.store, {"task:1": was.version + 1})
    ward.carry()

    with pytest.raises(Conflict, match="changed since"):
        ward.discard("task", was.id)
    ward.store.redis.set("task:1", b'[1,"version":%d}' % (was.version + 1))
    with pytest.raises(Conflict, match="cannot be read"):
        ward.discard("task", was.id)
