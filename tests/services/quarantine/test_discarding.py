"""Giving a refused change up: the record becomes what PostgreSQL has, with all that follows."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from taskapi.domain.clock import timestamp
from taskapi.domain.errors import Conflict, NotFound, Stale
from taskapi.domain.records import GROUP_ADMIN
from taskapi.services import groups, tasks, users
from taskapi.services.quarantine import retry_refused
from taskapi.store import contents, dirty, sessions
from taskapi.store.kinds import TASK
from tests.services.conftest import ADMIN, ANN, BOB, EVE, OWNER, said
from tests.services.quarantine.conftest import BAD, CALLER, Ward, same

OWNERS = CALLER


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
    users.delete_user(ward.store, OWNERS, EVE)

    with pytest.raises(Conflict, match="restore the user"):
        ward.discard("task", was.id)

    users.restore_user(ward.store, OWNERS, EVE)
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


def test_a_changed_user_is_who_they_were_again(ward: Ward):
    was = ward.now("user", ANN)
    ward.refused(ward.make.changed(was, full_name=BAD, username="anna", work_times={"Monday": 8.0}))

    assert same(ward.given_up("user", ANN), was)
    assert ward.store.redis.hgetall("unique:user:username") == {b"ann": b"3"}


def test_a_user_leaves_a_group_again_and_their_tasks_with_them(ward: Ward):
    was = ward.now("user", BOB)
    ward.refused(ward.make.changed(was, full_name=BAD, group_ids=(1, 2)))
    task = ward.house.task(BOB, 2)
    ward.carry()

    assert same(ward.given_up("user", BOB), was)
    assert ward.now("task", task.id).group_id == 1


def test_a_user_is_in_a_group_again_that_they_had_left_unless_it_is_gone(ward: Ward):
    was = ward.now("user", ANN)
    ward.refused(ward.make.changed(was, full_name=BAD, group_ids=()))
    groups.delete_group(ward.store, OWNERS, 2)

    assert same(ward.given_up("user", ANN), was.changed(group_ids=(1,)))


def test_a_role_that_was_refused_ends_with_its_sessions_and_places(ward: Ward):
    was = ward.now("user", BOB)
    credential = ward.carried(ward.credential(BOB))
    ward.refused(ward.make.changed(was, full_name=BAD, role=GROUP_ADMIN))
    ward.make.changed(groups_now(ward, 1), admin_id=BOB)
    sessions.begin(ward.store, OWNERS, BOB, credential.version, 60, {})

    assert same(ward.given_up("user", BOB), was)
    assert groups_now(ward, 1).admin_id is None
    assert sessions.of_user(ward.store, BOB) == []


def groups_now(ward: Ward, group_id: int):
    return ward.now("group", group_id)


def test_a_deletion_or_return_of_a_user_or_group_is_not_decided_by_giving_up(ward: Ward):
    user = ward.refused(ward.make.changed(ward.now("user", BOB), full_name=BAD, deleted_at=timestamp()))
    group = ward.make.changed(ward.make.group(name="three"), deleted_at=timestamp())
    ward.carry()
    group = ward.refused(ward.make.changed(group, name=BAD, deleted_at=None))

    with pytest.raises(Conflict, match=f"POST /users/{BOB}/restore"):
        ward.discard("user", user.id)
    with pytest.raises(Conflict, match=f"DELETE /groups/{group.id}"):
        ward.discard("group", group.id)
    assert (ward.now("user", BOB), ward.now("group", group.id)) == (user, group)


def test_what_lies_in_the_trash_in_both_stores_is_given_up_there(ward: Ward):
    user = ward.make.user(full_name="Ida", group_ids=(1,))
    user = ward.make.changed(user, deleted_at=timestamp())
    group = ward.carried(ward.make.changed(ward.make.group(name="three"), deleted_at=timestamp()))
    ward.make.changed(user, full_name=BAD)
    ward.refused(ward.make.changed(group, name=BAD, admin_id=None))

    assert same(ward.given_up_together("user", user.id), user)
    assert same(ward.given_up("group", group.id), group)


def test_a_name_that_was_taken_meanwhile_is_not_taken_back(ward: Ward):
    was = ward.now("group", 2)
    ward.refused(ward.make.changed(was, name=f"{BAD} two"))
    ward.make.group(name="TWO")

    with pytest.raises(Conflict, match="The name that PostgreSQL has belongs to another"):
        ward.discard("group", 2)


def test_a_changed_group_has_its_admin_again_if_they_still_are_one(ward: Ward):
    was = ward.carried(ward.make.changed(ward.now("group", 1), admin_id=ADMIN))
    worse = ward.refused(ward.make.changed(was, name=BAD, admin_id=None))
    assert same(ward.given_up("group", 1), was)

    ward.refused(ward.make.changed(ward.now("group", 1), name=BAD, admin_id=None))
    ward.make.changed(ward.now("user", ADMIN), role="user")
    assert same(ward.given_up("group", 1), was.changed(admin_id=None))
    assert worse.admin_id is None

    was = ward.now("group", 1)
    ward.refused(ward.make.changed(was, name=BAD))
    assert same(ward.given_up("group", 1), was)


def test_a_password_that_was_refused_is_the_old_one_again(ward: Ward):
    was = ward.carried(ward.credential(ANN))
    ward.refused(ward.make.changed(was, password_hash=BAD))
    sessions.begin(ward.store, OWNERS, ANN, ward.now("credential", ANN).version, 60, {})

    assert same(ward.given_up("credential", ANN), was)
    assert sessions.of_user(ward.store, ANN) == []


def test_the_only_password_of_a_user_is_not_given_up(ward: Ward):
    ward.refused(ward.credential(ANN, BAD))
    with pytest.raises(Conflict, match=f"PUT /users/{ANN}"):
        ward.discard("credential", ANN)

    ward.refused(ward.credential(88, BAD))
    assert ward.given_up_together("credential", 88) is None


def test_the_system_owner_stays_and_so_does_their_password(ward: Ward):
    ward.refused(ward.credential(OWNER, BAD))
    with pytest.raises(Conflict, match="OWNER_PASSWORD"):
        ward.discard("credential", OWNER)
    ward.refused(ward.make.changed(ward.now("user", OWNER), full_name=BAD))
    ward.sql("DELETE FROM users WHERE id = 1")
    with pytest.raises(Conflict, match="who stays"):
        ward.discard("user", OWNER)


def test_a_new_user_of_whom_postgresql_has_nothing_goes_with_their_password(ward: Ward):
    made = ward.make.user(full_name=BAD, username="ida", role=GROUP_ADMIN, group_ids=(1,))
    ward.refused(made)
    ward.credential(made.id)
    ward.make.changed(groups_now(ward, 1), admin_id=made.id)
    ward.carry()

    assert ward.given_up("user", made.id) is None
    assert ward.now("credential", made.id) is groups_now(ward, 1).admin_id is None

    without = ward.refused(ward.make.user(full_name=BAD))
    assert ward.given_up("user", without.id) is None


def test_a_new_user_with_tasks_is_not_purged(ward: Ward):
    made = ward.refused(ward.make.user(full_name=BAD))
    task = ward.house.task(made.id)
    trashed = ward.make.changed(ward.house.task(made.id), deleted_at=timestamp())
    with pytest.raises(Conflict, match="to whom 2 tasks belong"):
        ward.discard("user", made.id)

    for each in (task, trashed):
        tasks.remove_task(ward.store, OWNERS, each.id, permanent=True)
    assert ward.given_up("user", made.id) is None


def test_a_new_group_goes_when_nobody_is_in_it(ward: Ward):
    made = ward.refused(ward.make.group(name=BAD))
    bob = ward.make.changed(ward.now("user", BOB), group_ids=(1, made.id))
    task = ward.house.task(BOB, made.id)
    with pytest.raises(Conflict, match="in which 1 users and 1 tasks are"):
        ward.discard("group", made.id)

    ward.make.purged(task)
    ward.make.changed(bob, group_ids=(1,))
    assert ward.given_up("group", made.id) is None


@pytest.mark.parametrize("kind", ["user", "group"])
def test_a_mark_without_a_user_or_group_is_forgotten_too(ward: Ward, kind: str):
    contents.mark_dirty(ward.store, {f"{kind}:77": 5})
    ward.carry()
    assert said(ward.discard(kind, 77))["purged"]
    assert ward.names == []


def test_a_user_or_group_that_is_nowhere_in_redis_is_taken_from_postgresql(ward: Ward):
    group = ward.carried(ward.make.group(name="three"))
    user = ward.carried(ward.make.user(full_name="Ida", username="ida", group_ids=(group.id,)))
    for name in (f"user:{user.id}", f"group:{group.id}"):
        ward.store.redis.delete(name)
        contents.mark_dirty(ward.store, {name: 5})
    ward.store.redis.delete(f"members:{group.id}", "unique:user:username")
    ward.carry()

    ward.discard("group", group.id)
    ward.discard("user", user.id)

    assert same(ward.now("group", group.id), group)
    assert same(ward.now("user", user.id), user)


def test_a_new_write_between_the_looks_of_somebody_who_gives_up_wins(ward: Ward):
    was = ward.carried(ward.house.task(ANN))
    worse = ward.refused(ward.make.changed(was, title=BAD))

    def read_late(kind: str, record_id: int):
        if ward.now("task", was.id) == worse:
            ward.make.changed(worse, title="newer")
        return {**vars_of(was)}

    with pytest.raises(Conflict, match="changed since"):
        ward.discard("task", was.id, read=read_late)

    ward.settle()
    assert ward.now("task", was.id).title == "newer"


def vars_of(record) -> dict:
    return {name: getattr(record, name) for name in record.__dataclass_fields__}


def test_what_is_wanted_of_another_version_is_stale(ward: Ward):
    was = ward.carried(ward.house.task(ANN))
    worse = ward.refused(ward.make.changed(was, title=BAD))
    with pytest.raises(Stale):
        ward.discard("task", was.id, if_match=was.version)

    assert not said(ward.discard("task", was.id, if_match=worse.version))["purged"]
    with pytest.raises(Conflict, match="changed since"):
        ward.discard("task", was.id)
    ward.settle()


def test_who_moves_into_what_is_given_up_meanwhile_keeps_it(ward: Ward):
    made = ward.refused(ward.make.user(full_name=BAD))

    def read(kind: str, record_id: int) -> None:
        nonlocal read_before
        if not read_before:
            read_before = True
        return

    read_before = False
    real = ward.store.redis.hget("spread:users", str(made.id))
    assert real is None
    task = ward.house.task(made.id)
    with pytest.raises(Conflict, match="to whom 1 tasks belong"):
        ward.discard("user", made.id, read=read)
    assert contents.present(ward.store, TASK, [task.id]) == [task]
    assert read_before
    assert retry_refused(ward.store, CALLER, "user", made.id).dirty == (f"user:{made.id}",)
