"""Groups and who is in them: made, seen, changed, deleted and taken back as a whole."""

import orjson
import pytest

from taskapi.domain.callers import Claim, Operation
from taskapi.domain.errors import Conflict, Forbidden, Invalid, NotFound, Stale, Taken
from taskapi.domain.filters import Page, TaskSearch
from taskapi.domain.rights import Right
from taskapi.services import groups, members, task_lists, users
from taskapi.store import scrub
from tests.services.conftest import ADMIN, ANN, BOB, EVE, OWNER, claim, said

MANAGE, READ, MEMBERS = Right.MANAGE_GROUPS, Right.READ_GROUP, Right.MANAGE_MEMBERS


def create(store, caller: int = OWNER, **fields):
    return said(groups.create_group(store, claim(caller, MANAGE), {"name": "three"} | fields))


def change(store, group_id: int, **changes):
    return said(groups.change_group(store, claim(OWNER, MANAGE), group_id, changes))


def delete(store, group_id: int):
    return said(groups.delete_group(store, claim(OWNER, MANAGE), group_id))


def restore(store, group_id: int):
    return said(groups.restore_group(store, claim(OWNER, MANAGE), group_id))


def ids(listed) -> list[int]:
    return [orjson.loads(item)["id"] for item in listed.items]


def test_who_is_named_admin_becomes_a_member(store, house):
    made = create(store, admin_id=ADMIN)
    assert (made["id"], made["admin_id"]) == (3, ADMIN)
    assert house.stored(f"user:{ADMIN}")["group_ids"] == [1, 3]
    assert create(store, name="four")["admin_id"] is None
    change(store, 2, admin_id=ADMIN)
    assert house.stored(f"user:{ADMIN}")["group_ids"] == [1, 2, 3]
    assert scrub.differences(store) == []


@pytest.mark.parametrize("admin_id", [BOB, 99])
def test_an_admin_must_exist_and_be_one(store, house, admin_id):
    for act in (lambda: create(store, admin_id=admin_id), lambda: change(store, 1, admin_id=admin_id)):
        with pytest.raises(Invalid) as refused:
            act()
        assert "admin_id" in refused.value.errors


def test_a_name_is_given_once_whatever_its_case_and_stays_reserved_in_the_trash(store, house):
    with pytest.raises(Taken):
        create(store, name="ONE")
    delete(store, 1)
    with pytest.raises(Taken):
        create(store, name="one")


def test_only_the_owner_manages_groups(store, house):
    for caller in (ADMIN, ANN):
        for act in (
            lambda by: groups.create_group(store, by, {"name": "x"}),
            lambda by: groups.change_group(store, by, 1, {"name": "x"}),
            lambda by: groups.delete_group(store, by, 1),
            lambda by: groups.restore_group(store, by, 9),
        ):
            with pytest.raises(Forbidden):
                act(claim(caller, MANAGE))


def test_each_caller_lists_their_groups(store, house):
    def listed(caller: int, *page):
        return groups.list_groups(store, claim(caller, READ), Page(*page))

    assert ids(listed(OWNER)) == [1, 2]
    assert ids(listed(ADMIN)) == [1]
    assert ids(listed(ANN)) == [1, 2]
    first = listed(ANN, 1)
    assert (ids(first), first.total) == ([1], 2)
    assert ids(listed(ANN, 1, 1, first.next_cursor)) == [2]


def test_only_the_owner_learns_that_there_is_no_such_group(store, house):
    for read in (groups.read_group, lambda *args: members.list_members(*args, Page())):
        for group_id in (2, 99):
            with pytest.raises(Forbidden):
                read(store, claim(BOB, READ), group_id)
        with pytest.raises(NotFound):
            read(store, claim(OWNER, READ), 99)


def test_a_group_tells_its_admin_and_its_numbers(store, house):
    change(store, 1, admin_id=ADMIN)
    house.task(ANN, 1), house.task(BOB, 1), house.task(ANN, 2)
    shown = said(groups.read_group(store, claim(BOB, READ), 1))
    assert (shown["users_count"], shown["tasks_count"]) == (3, 2)
    assert shown["admin"] == {"id": ADMIN, "full_name": "Adam", "email": None}
    assert said(groups.read_group(store, claim(OWNER, READ), 2))["admin"] is None


def test_a_change_merges_and_minds_the_version(store, house):
    was = house.stored("group:1")
    assert change(store, 1, name="Eins")["admin_id"] is None
    same = groups.change_group(store, claim(OWNER, MANAGE), 1, {"name": "Eins"})
    assert same.version == house.stored("group:1")["version"]
    with pytest.raises(Stale):
        groups.change_group(store, claim(OWNER, MANAGE), 1, {"name": "x"}, if_match=was["version"])
    with pytest.raises(NotFound):
        change(store, 99, name="x")


def test_a_group_goes_with_its_memberships_and_tasks_and_comes_back_with_them(store, house):
    change(store, 1, admin_id=ADMIN)
    inside, outside = house.task(ANN, 1), house.task(ANN, 2)
    assert delete(store, 1) == {"id": 1, "deleted": True}
    assert house.stored(f"user:{ANN}")["group_ids"] == [2]
    assert house.stored(f"task:{inside.id}") is None
    assert house.stored(f"task:{outside.id}")
    assert scrub.differences(store) == []
    with pytest.raises(Forbidden):
        groups.read_group(store, claim(ANN, READ), 1)
    back = restore(store, 1)
    assert (back["name"], back["admin_id"], "member_ids" in back) == ("one", ADMIN, False)
    assert house.stored(f"user:{ANN}")["group_ids"] == [1, 2]
    assert house.stored(f"task:{inside.id}")["group_id"] == 1
    assert scrub.differences(store) == []
    with pytest.raises(NotFound):
        restore(store, 1)


def test_who_is_gone_or_demoted_meanwhile_does_not_come_back_with_the_group(store, house):
    change(store, 1, admin_id=ADMIN)
    lost = house.task(BOB, 1)
    delete(store, 1)
    users.delete_user(store, claim(OWNER, Right.DELETE_USER), BOB)
    house.make.changed(
        users.ask(store, Claim(0), users.Question(["user:2"])).record(users.USER, 2), role="user"
    )
    assert restore(store, 1)["admin_id"] is None
    assert house.stored(f"trash:task:{lost.id}")
    assert scrub.differences(store) == []


def test_a_group_of_more_members_than_a_slice_goes_whole(store, house, monkeypatch):
    monkeypatch.setattr(groups.finders, "SLICE", 2)
    monkeypatch.setattr(groups.cascades, "PAGE", 2)
    delete(store, 1)
    assert store.redis.zcard("members:1") == 0
    restore(store, 1)
    assert store.redis.zcard("members:1") == 3


@pytest.mark.parametrize(("caller", "expected"), [(OWNER, [1, 3]), (ADMIN, [1, 3]), (ANN, [1]), (BOB, [3])])
def test_the_tasks_of_a_group_are_listed_as_far_as_the_caller_sees_them(store, house, caller, expected):
    house.task(ANN, 1), house.task(ANN, 2), house.task(BOB, 1)
    listed = task_lists.list_tasks_of_group(store, claim(caller, READ), 1, TaskSearch())
    assert (ids(listed), listed.beside) == (expected, {"group_id": 1})
    with pytest.raises((Forbidden, NotFound)):
        task_lists.list_tasks_of_group(store, claim(caller, READ), 99, TaskSearch())


@pytest.mark.parametrize(
    "name", ["create", "create with admin", "change", "add", "remove", "delete", "restore"]
)
def test_a_write_under_the_same_key_gives_the_first_answer_again(store, house, name):
    by = Claim(OWNER, MEMBERS if name in ("add", "remove") else MANAGE, operation=Operation("k", "f"))
    if name == "restore":
        delete(store, 1)
    write = {
        "create": lambda: groups.create_group(store, by, {"name": "x"}),
        "create with admin": lambda: groups.create_group(store, by, {"name": "x", "admin_id": ADMIN}),
        "change": lambda: groups.change_group(store, by, 1, {"name": "x"}),
        "add": lambda: members.add_member(store, by, 1, EVE)[0],
        "remove": lambda: members.remove_member(store, by, 1, ANN),
        "delete": lambda: groups.delete_group(store, by, 1),
        "restore": lambda: groups.restore_group(store, by, 1),
    }[name]
    first, second = write(), write()
    assert (first.replayed, second.replayed) == (False, True)
    assert first.body == second.body


def test_a_task_that_comes_while_its_group_is_deleted_goes_too(store, house, monkeypatch):
    save, done = groups.save, []

    def late(*args, **kwargs):
        if not done:
            done.append(house.task(ANN, 1))
        return save(*args, **kwargs)

    monkeypatch.setattr(groups, "save", late)
    delete(store, 1)
    assert house.stored(f"task:{done[0].id}") is None
    assert scrub.differences(store) == []


def test_a_group_that_changes_all_the_time_refuses_after_three_tries(store, house, monkeypatch):
    save = groups.save

    def outrun(*args, **kwargs):
        house.make.task(user_id=ANN, group_id=1)
        return save(*args, **kwargs)

    monkeypatch.setattr(groups, "save", outrun)
    with pytest.raises(Conflict):
        delete(store, 1)


def test_who_joins_a_group_while_it_is_deleted_is_not_left_in_it(store, house, monkeypatch):
    decide = groups.cascades.group_goes

    def decide_late(*args):
        monkeypatch.setattr(groups.cascades, "group_goes", decide)
        members.add_member(store, claim(OWNER, MEMBERS), 1, EVE)
        return decide(*args)

    monkeypatch.setattr(groups.cascades, "group_goes", decide_late)
    delete(store, 1)
    assert 1 not in orjson.loads(store.redis.get(f"user:{EVE}"))["group_ids"]
    assert scrub.differences(store) == []
