"""Giving up a refused change of a user, a group or a password, with all that follows from it."""

import pytest

from taskapi.domain.clock import timestamp
from taskapi.domain.errors import Conflict
from taskapi.domain.records import GROUP_ADMIN
from taskapi.services import groups, tasks
from taskapi.store import contents, sessions
from tests.services.conftest import ADMIN, ANN, BOB, OWNER, said
from tests.services.quarantine.conftest import BAD, CALLER, Ward, same


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
    groups.delete_group(ward.store, CALLER, 2)

    assert same(ward.given_up("user", ANN), was.changed(group_ids=(1,)))


def test_a_role_that_was_refused_ends_with_its_sessions_and_places(ward: Ward):
    was = ward.now("user", BOB)
    credential = ward.carried(ward.credential(BOB))
    ward.refused(ward.make.changed(was, full_name=BAD, role=GROUP_ADMIN))
    ward.make.changed(groups_now(ward, 1), admin_id=BOB)
    sessions.begin(ward.store, CALLER, BOB, credential.version, 60, {})

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
    sessions.begin(ward.store, CALLER, ANN, ward.now("credential", ANN).version, 60, {})

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
        tasks.remove_task(ward.store, CALLER, each.id, permanent=True)
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
