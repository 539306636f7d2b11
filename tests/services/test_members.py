"""Who is in a group: listed, added, removed."""

import orjson
import pytest

from taskapi.domain.errors import Forbidden, Invalid, NotFound
from taskapi.domain.filters import Page
from taskapi.domain.rights import Right
from taskapi.services import groups, members
from taskapi.store import scrub
from tests.services.conftest import ADMIN, ANN, BOB, EVE, OWNER, claim, said

MANAGE, READ, MEMBERS = Right.MANAGE_GROUPS, Right.READ_GROUP, Right.MANAGE_MEMBERS


def ids(listed) -> list[int]:
    return [orjson.loads(item)["id"] for item in listed.items]


def test_members_are_listed_as_far_as_the_caller_sees_them(store, house):
    def listed(caller: int):
        return [
            orjson.loads(item) for item in members.list_members(store, claim(caller, READ), 1, Page()).items
        ]

    assert [set(user) for user in listed(BOB)] == [
        {"id", "full_name", "username"},
        {"id", "full_name", "username"},
        set(house.stored(f"user:{BOB}")),
    ]
    assert [user["group_ids"] for user in listed(ADMIN)] == [[1], [1], [1]]
    assert [user["group_ids"] for user in listed(OWNER)] == [[1], [1, 2], [1]]


def test_members_are_listed_page_by_page(store, house):
    first = members.list_members(store, claim(OWNER, READ), 1, Page(2))
    assert (ids(first), first.total, first.beside) == ([ADMIN, ANN], 3, {"group_id": 1})
    assert ids(members.list_members(store, claim(OWNER, READ), 1, Page(2, cursor=first.next_cursor))) == [BOB]


def test_a_user_is_added_once(store, house):
    shown, added = members.add_member(store, claim(ADMIN, MEMBERS), 1, EVE)
    assert (said(shown)["group_ids"], added) == ([1], True)
    again, added = members.add_member(store, claim(OWNER, MEMBERS), 1, EVE)
    assert (said(again)["group_ids"], added) == ([1, 2], False)
    assert scrub.differences(store) == []


def test_an_admin_moves_plain_users_of_their_own_groups_only(store, house):
    other = house.make.user(full_name="Other", role="group_admin", group_ids=(2,))
    for act in (
        lambda: members.add_member(store, claim(ADMIN, MEMBERS), 1, other.id),
        lambda: members.add_member(store, claim(ADMIN, MEMBERS), 2, BOB),
        lambda: members.remove_member(store, claim(ADMIN, MEMBERS), 1, ADMIN),
        lambda: members.add_member(store, claim(BOB, MEMBERS), 1, EVE),
    ):
        with pytest.raises(Forbidden):
            act()
    with pytest.raises(Invalid):
        members.add_member(store, claim(ADMIN, MEMBERS), 1, 99)
    with pytest.raises(NotFound):
        members.remove_member(store, claim(ADMIN, MEMBERS), 1, EVE)


def test_the_tasks_of_who_is_removed_move_on_or_go(store, house):
    moved, gone = house.task(ANN, 1), house.task(BOB, 1)
    assert said(members.remove_member(store, claim(ADMIN, MEMBERS), 1, ANN)) == {"id": ANN, "deleted": True}
    members.remove_member(store, claim(ADMIN, MEMBERS), 1, BOB)
    assert house.stored(f"task:{moved.id}")["group_id"] == 2
    assert house.stored(f"trash:task:{gone.id}")["deleted_with"] == f"member:{BOB}:1"
    assert scrub.differences(store) == []


def test_an_admin_who_is_removed_is_no_admin_of_the_group_any_more(store, house):
    groups.change_group(store, claim(OWNER, Right.MANAGE_GROUPS), 1, {"admin_id": ADMIN})
    members.remove_member(store, claim(OWNER, MEMBERS), 1, ADMIN)
    assert house.stored("group:1")["admin_id"] is None
