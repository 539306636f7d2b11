"""Users: who makes, sees, changes and deletes whom."""

import orjson
import pytest

from taskapi.domain.callers import Claim, Operation
from taskapi.domain.errors import Conflict, Forbidden, Invalid, NotFound, Stale, Taken, Unauthorized
from taskapi.domain.filters import Page
from taskapi.domain.rights import Right
from taskapi.services import cascades, user_changes, users
from taskapi.store import scrub
from tests.services.conftest import ADMIN, ANN, BOB, EVE, OWNER, claim, said

NEW = {"full_name": "New", "password": "long enough"}


def create(caller: int, **more):
    return lambda store: users.create_user(store, claim(caller, Right.CREATE_USER), NEW | more)


def change(store, caller: int, target: int, **changes):
    return said(user_changes.change_user(store, claim(caller, Right.CHANGE_USER), target, changes))


def test_the_owner_makes_users_of_any_role_in_any_group(store, house):
    made = said(create(OWNER, role="group_admin", group_ids=(1, 2))(store))
    assert (made["role"], made["group_ids"]) == ("group_admin", [1, 2])
    assert "password" not in str(made)
    assert b"$argon2id$" in store.redis.get(f"credential:{made['id']}")


def test_a_group_that_does_not_exist_is_refused_by_name(store, house):
    with pytest.raises(Invalid, match="not valid") as refused:
        create(OWNER, group_ids=(1, 9))(store)
    assert "9" in refused.value.errors["group_ids"][0]


def test_a_group_admin_makes_plain_users_of_their_groups_only(store, house):
    assert said(create(ADMIN)(store))["group_ids"] == [1]
    for beyond in ({"role": "group_admin"}, {"group_ids": (2,)}):
        with pytest.raises(Forbidden):
            create(ADMIN, **beyond)(store)
    with pytest.raises(Invalid):
        create(ADMIN, group_ids=())(store)
    with pytest.raises(Forbidden):
        create(BOB)(store)


def test_each_caller_lists_the_users_they_may_see(store, house):
    def listed(caller: int, *page):
        return users.list_users(store, claim(caller, Right.LIST_USERS), Page(*page))

    assert [orjson.loads(item)["id"] for item in listed(OWNER).items] == [1, 2, 3, 4, 5]
    seen = [orjson.loads(item) for item in listed(ADMIN).items]
    assert [(user["id"], user["group_ids"]) for user in seen] == [(2, [1]), (3, [1]), (4, [1])]
    first = listed(OWNER, 2)
    assert first.total == 5
    assert [orjson.loads(item)["id"] for item in listed(OWNER, 2, 1, first.next_cursor).items] == [
        3,
        4,
    ]
    with pytest.raises(Forbidden):
        listed(BOB)


def test_who_reads_whom(store, house):
    def read(caller: int, target: int):
        return users.read_user(store, claim(caller, Right.READ_USER), target)

    assert read(ANN, ANN).version == house.ann.version
    assert read(ADMIN, ANN).version is None
    assert "requested_role" not in said(read(ADMIN, ANN))
    for caller, target in [(BOB, ANN), (ADMIN, EVE), (BOB, 99), (ADMIN, 99)]:
        with pytest.raises(Forbidden):
            read(caller, target)
    with pytest.raises(NotFound):
        read(OWNER, 99)


def test_who_may_change_which_field(store, house):
    assert change(store, BOB, BOB, full_name="Robert")["full_name"] == "Robert"
    assert change(store, ADMIN, BOB, number="1")["number"] == "1"
    for caller, target, field in [
        (BOB, BOB, "role"),
        (ADMIN, BOB, "email"),
        (ADMIN, ADMIN, "role"),
        (BOB, ANN, "number"),
    ]:
        with pytest.raises(Forbidden):
            change(store, caller, target, **{field: "x"})
    with pytest.raises(Forbidden):
        change(store, ADMIN, EVE, full_name="x")


def test_a_role_that_is_granted_is_no_longer_requested(store, house):
    house.make.changed(house.bob, requested_role="group_admin")
    granted = change(store, OWNER, BOB, role="group_admin")
    assert (granted["role"], granted["requested_role"]) == ("group_admin", None)


def test_sessions_end_with_a_new_role_and_stay_with_a_new_name(store, house):
    store.redis.zadd(f"sessions:{BOB}", {"s": 9})
    change(store, OWNER, BOB, full_name="x")
    assert store.redis.exists(f"sessions:{BOB}")
    change(store, OWNER, BOB, role="owner")
    assert not store.redis.exists(f"sessions:{BOB}")


def test_work_times_merge_day_by_day(store, house):
    by = claim(BOB, Right.CHANGE_USER)
    user_changes.change_worktimes(store, by, BOB, {"Monday": 8.0})
    merged = said(user_changes.change_worktimes(store, by, BOB, {"Friday": 6.5}))
    assert merged == {"user_id": BOB, "work_times": {"Monday": 8.0, "Friday": 6.5}}
    assert said(user_changes.read_worktimes(store, claim(ADMIN, Right.READ_USER), BOB)) == merged
    with pytest.raises(Forbidden):
        user_changes.read_worktimes(store, claim(EVE, Right.READ_USER), BOB)


def test_a_change_that_changes_nothing_writes_nothing(store, house):
    same = user_changes.change_user(store, claim(BOB, Right.CHANGE_USER), BOB, {"full_name": "Bob"})
    assert same.version == house.bob.version


def test_a_version_that_is_not_the_present_one_is_stale(store, house):
    with pytest.raises(Stale):
        user_changes.change_user(store, claim(BOB, Right.CHANGE_USER), BOB, {"full_name": "x"}, if_match=3)


def test_the_system_owner_keeps_role_and_password(store, house):
    for changes in ({"role": "user"}, {"password": "another one"}):
        with pytest.raises(Conflict):
            change(store, OWNER, OWNER, **changes)
    with pytest.raises(Forbidden):
        users.delete_user(store, claim(OWNER, Right.DELETE_USER), OWNER)


def test_a_name_that_is_taken_is_refused(store, house):
    with pytest.raises(Taken):
        change(store, OWNER, BOB, username="ANN")


def test_leaving_a_group_moves_its_tasks_to_the_one_of_lowest_id_or_to_the_trash(store, house):
    first, second = house.task(ANN, 1), house.task(ANN, 2)
    change(store, OWNER, ANN, group_ids=(1,))
    assert house.stored(f"task:{second.id}")["group_id"] == 1
    change(store, OWNER, ANN, group_ids=())
    assert house.stored(f"task:{first.id}") is None
    assert house.stored(f"trash:task:{first.id}")["deleted_with"] == "member:3:1"
    assert scrub.differences(store) == []


def test_an_admin_who_is_demoted_or_leaves_is_no_groups_admin_any_more(store, house):
    group = house.stored("group:1")
    house.make.changed(
        users.ask(store, Claim(0), users.Question(["group:1"])).record(users.GROUP, 1), admin_id=ADMIN
    )
    assert group["admin_id"] is None
    change(store, OWNER, ADMIN, role="user")
    assert house.stored("group:1")["admin_id"] is None


def test_a_user_goes_with_their_tasks_and_comes_back_with_them(store, house):
    own, trashed_before = house.task(ANN, 1), house.task(ANN, 2)
    house.make.changed(trashed_before, deleted_at="2026-01-01T00:00:00.000Z")
    store.redis.zadd(f"sessions:{ANN}", {"s": 9})
    assert said(users.delete_user(store, claim(OWNER, Right.DELETE_USER), ANN)) == {
        "id": ANN,
        "deleted": True,
    }
    assert house.stored(f"user:{ANN}") is None
    assert house.stored(f"task:{own.id}") is None
    assert not store.redis.exists(f"sessions:{ANN}")
    assert scrub.differences(store) == []
    with pytest.raises(Taken):
        create(OWNER, username="ann")(store)
    back = said(users.restore_user(store, claim(OWNER, Right.DELETE_USER), ANN))
    assert back["group_ids"] == [1, 2]
    assert house.stored(f"task:{own.id}")["title"] == own.title
    assert house.stored(f"task:{trashed_before.id}") is None
    assert scrub.differences(store) == []


def test_many_tasks_come_back_page_by_page(store, house, monkeypatch):
    made = [house.task(BOB, 1) for _ in range(5)]
    users.delete_user(store, claim(OWNER, Right.DELETE_USER), BOB)
    monkeypatch.setattr(cascades, "PAGE", 2)
    users.restore_user(store, claim(OWNER, Right.DELETE_USER), BOB)
    assert all(house.stored(f"task:{task.id}") for task in made)


def test_only_the_owner_deletes_and_restores(store, house):
    for caller in (ADMIN, ANN):
        for service in (users.delete_user, users.restore_user):
            with pytest.raises(Forbidden):
                service(store, claim(caller, Right.DELETE_USER), BOB)
    with pytest.raises(NotFound):
        users.restore_user(store, claim(OWNER, Right.DELETE_USER), BOB)
    with pytest.raises(NotFound):
        users.delete_user(store, claim(OWNER, Right.DELETE_USER), 99)


@pytest.mark.parametrize("name", ["create", "change", "delete", "restore"])
def test_a_write_under_the_same_key_gives_the_first_answer_again(store, house, name):
    by = Claim(OWNER, {"create": Right.CREATE_USER, "change": Right.CHANGE_USER}.get(name, Right.DELETE_USER),
               operation=Operation("k", "f"))  # fmt: skip
    if name == "restore":
        users.delete_user(store, claim(OWNER, Right.DELETE_USER), BOB)
    write = {
        "create": lambda: users.create_user(store, by, NEW),
        "change": lambda: user_changes.change_user(store, by, BOB, {"full_name": "x"}),
        "delete": lambda: users.delete_user(store, by, BOB),
        "restore": lambda: users.restore_user(store, by, BOB),
    }[name]
    first, second = write(), write()
    assert (first.replayed, second.replayed) == (False, True)
    assert first.body == second.body


def test_somebody_whose_account_is_gone_reads_nothing(store, house):
    users.delete_user(store, claim(OWNER, Right.DELETE_USER), EVE)
    with pytest.raises(Unauthorized):
        users.read_user(store, claim(EVE, Right.READ_USER), EVE)
