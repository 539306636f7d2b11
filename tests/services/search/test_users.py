"""Search over users: by what the caller sees of whom."""

import orjson
import pytest

from taskapi.domain.errors import Forbidden
from taskapi.domain.filters import Page
from taskapi.domain.rights import Right
from taskapi.services import finding, search, user_changes, users
from taskapi.store.client import Store
from tests.services.conftest import ADMIN, ANN, EVE, OWNER, House, claim

FIRST = Page()


def people(store: Store, query: str, caller: int = OWNER, page: Page = FIRST) -> list[int]:
    answer = search.search_users(store, claim(caller, Right.LIST_USERS), query, page)
    assert (answer.name, answer.beside) == ("users", {"query": query, "complete": True})
    return [orjson.loads(item)["id"] for item in answer.items]


def test_users_are_found_by_name_address_and_username(house: House):
    store, make = house.store, house.make
    jo = make.user(full_name="Joséphine van der Straße", email="J.Doe@Example.org", username="jo-vdS").id
    make.user(full_name="Иван Петров", username="ivan", group_ids=(1,))

    for query in ["JOSÉ", "straSSE jos", "der", "j.doe@exam", "j.DOE", "JO-V", "van j.doe", "jo - van"]:
        assert people(store, query) == [jo], query
    assert people(store, "ПЕТР") == people(store, "ivan") == [jo + 1]
    assert people(store, "example") == people(store, "osé") == people(store, "vds") == []
    assert people(store, "an") == [ANN]


def test_a_group_admin_finds_the_members_of_their_groups(house: House):
    assert people(house.store, "e", ADMIN) == people(house.store, "e", OWNER, Page(page=2)) == []
    assert people(house.store, "e") == [EVE]
    assert people(house.store, "ann", ADMIN) == [ANN]
    answer = search.search_users(house.store, claim(ADMIN, Right.LIST_USERS), "ann", Page())
    assert orjson.loads(answer.items[0])["group_ids"] == [1]
    with pytest.raises(Forbidden):
        people(house.store, "ann", ANN)


def test_users_are_found_as_they_are_now(house: House):
    user_changes.change_user(house.store, claim(OWNER, Right.CHANGE_USER), ANN, {"full_name": "Zoe"})
    users.delete_user(house.store, claim(OWNER, Right.DELETE_USER), EVE)

    assert (people(house.store, "zo"), people(house.store, "eve"), people(house.store, "ann")) == (
        [ANN], [], [ANN],
    )  # fmt: skip


def test_found_users_come_in_pages(house: House, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(search, "SLICE", 2)
    expected = [house.make.user(full_name=f"Max {number}").id for number in range(5)]
    assert [people(house.store, "max", page=Page(2, n)) for n in (1, 2, 3, 4)] == [
        expected[:2], expected[2:4], expected[4:], [],
    ]  # fmt: skip
    first = search.search_users(house.store, claim(OWNER, Right.LIST_USERS), "max", Page(3))
    assert first.total == 5
    second = search.search_users(
        house.store, claim(OWNER, Right.LIST_USERS), "max", Page(3, cursor=first.next_cursor)
    )
    assert [orjson.loads(item)["id"] for item in second.items] == expected[3:]
    assert second.next_cursor is None


def test_a_search_of_users_that_is_cut_says_so(house: House, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(finding, "WORK_SECONDS", 0)
    answer = search.search_users(house.store, claim(OWNER, Right.LIST_USERS), "ann", Page())
    assert (answer.items, answer.beside["complete"]) == ((), False)
