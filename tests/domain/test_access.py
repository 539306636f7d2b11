"""The table of rights, held against every relation between a caller and a record."""

import pytest

from taskapi.domain import access
from taskapi.domain.callers import Caller, Claim
from taskapi.domain.errors import Forbidden, NotFound
from taskapi.domain.filters import Scope
from taskapi.domain.records import GROUP_ADMIN, OWNER, ROLES, USER, Group, Task, User
from taskapi.domain.rights import MATRIX, Reach, Right


def user(number: int, role: str = USER, *group_ids: int) -> User:
    return User(
        id=number, full_name=f"U{number}", role=role, group_ids=group_ids, created_at="", updated_at=""
    )


def caller(
    role: str, right: Right = Right.WORK_ON_TASKS, number: int = 5, groups: tuple[int, ...] = (1,)
) -> Caller:
    return Caller(user(number, role, *groups), Claim(number, right))


def task(owner: int, group: int | None) -> Task:
    return Task(id=7, title="t", user_id=owner, group_id=group, created_at="", updated_at="")


def test_every_right_says_how_far_it_reaches_for_every_role():
    assert set(MATRIX) == set(Right)
    assert all(set(row) == set(ROLES) for row in MATRIX.values())


@pytest.mark.parametrize("right", [r for r in Right if MATRIX[r][USER] is Reach.NOBODY])
def test_a_role_without_any_reach_is_refused(right):
    with pytest.raises(Forbidden):
        access.require(caller(USER, right))


FELLOW, STRANGER, ADMIN, SELF = user(6, USER, 1), user(7, USER, 2), user(8, GROUP_ADMIN, 1), user(5, USER, 1)


@pytest.mark.parametrize(
    ("role", "right", "target", "allowed"),
    [
        (USER, Right.READ_USER, SELF, True),
        (USER, Right.READ_USER, FELLOW, False),
        (USER, Right.CHANGE_USER, SELF, True),
        (GROUP_ADMIN, Right.READ_USER, FELLOW, True),
        (GROUP_ADMIN, Right.READ_USER, ADMIN, True),
        (GROUP_ADMIN, Right.READ_USER, STRANGER, False),
        (GROUP_ADMIN, Right.CHANGE_USER, FELLOW, True),
        (GROUP_ADMIN, Right.CHANGE_USER, ADMIN, False),
        (GROUP_ADMIN, Right.CHANGE_USER, STRANGER, False),
        (GROUP_ADMIN, Right.DELETE_USER, FELLOW, None),
        (OWNER, Right.CHANGE_USER, ADMIN, True),
        (OWNER, Right.DELETE_USER, STRANGER, True),
    ],
)
def test_who_reaches_whom(role, right, target, allowed):
    asking = caller(role, right)
    if allowed:
        assert access.require_user(asking, target.id, target) is target
        return
    with pytest.raises(Forbidden):
        access.require_user(asking, target.id, target)
    with pytest.raises(Forbidden):
        access.require_user(asking, target.id, None)


def test_only_who_is_allowed_there_learns_that_there_is_no_such_user():
    with pytest.raises(NotFound):
        access.require_user(caller(OWNER), 99, None)
    with pytest.raises(Forbidden):
        access.require_user(caller(GROUP_ADMIN), 99, None)


@pytest.mark.parametrize(
    ("role", "owner", "group", "allowed"),
    [
        (USER, 5, None, True),
        (USER, 5, 9, True),
        (USER, 6, 1, False),
        (GROUP_ADMIN, 6, 1, True),
        (GROUP_ADMIN, 6, 2, False),
        (GROUP_ADMIN, 6, None, False),
        (GROUP_ADMIN, 5, None, True),
        (OWNER, 6, None, True),
    ],
)
def test_whose_tasks_a_caller_may_edit(role, owner, group, allowed):
    asking, wanted = caller(role), task(owner, group)
    assert access.may_edit_task(asking, wanted) is allowed
    if not allowed:
        with pytest.raises(NotFound):
            access.require_task(asking, 7, wanted)


def test_a_task_of_another_user_is_not_found_under_this_one():
    with pytest.raises(NotFound, match="User 5 has no task 7"):
        access.require_task(caller(OWNER), 7, task(6, 1), user_id=5)


def test_only_the_owner_learns_that_there_is_no_such_group():
    group = Group(id=2, name="g", created_at="", updated_at="")
    with pytest.raises(NotFound):
        access.require_group(caller(OWNER, Right.READ_GROUP), 2, None)
    for found in (group, None):
        with pytest.raises(Forbidden):
            access.require_group(caller(USER, Right.READ_GROUP), 2, found)
    assert access.require_group(caller(USER, Right.READ_GROUP, groups=(2,)), 2, group) is group


def test_the_system_owner_cannot_be_deleted():
    with pytest.raises(Forbidden):
        access.require_deletable(1)
    access.require_deletable(2)


def test_the_scope_follows_the_role():
    assert access.scope_of(caller(OWNER)) == Scope(everything=True)
    assert access.scope_of(caller(GROUP_ADMIN)) == Scope(groups=(1,), user=5)
    assert access.scope_of(caller(USER)) == Scope(user=5)


@pytest.mark.parametrize("role", ROLES)
def test_what_is_shown_of_a_user_is_narrowed_by_role(role):
    shown = {
        "id": 6,
        "full_name": "U6",
        "username": "u6",
        "email": "e",
        "requested_role": "x",
        "group_ids": [1, 3],
    }
    seen = access.narrowed_user(caller(role), user(6, USER, 1, 3), shown)
    assert (
        seen
        == {
            OWNER: shown,
            GROUP_ADMIN: {"id": 6, "full_name": "U6", "username": "u6", "email": "e", "group_ids": [1]},
            USER: {"id": 6, "full_name": "U6", "username": "u6"},
        }[role]
    )


def test_everybody_sees_all_of_themselves():
    shown = {"id": 5, "requested_role": "group_admin"}
    assert access.narrowed_user(caller(USER), user(5), shown) == shown


def test_which_fields_of_a_user_may_be_changed():
    assert access.changeable_user_fields(caller(OWNER), 6) is None
    assert "role" not in access.changeable_user_fields(caller(USER), 5)
    assert access.changeable_user_fields(caller(GROUP_ADMIN), 6) == access.USER_FIELDS_FOR_ADMINS
