"""Lists: within the caller's scope, filtered, ordered, page by page."""

import orjson
import pytest

from taskapi.domain.errors import Forbidden
from taskapi.domain.filters import Order, Page, TaskFilter, TaskSearch
from taskapi.domain.rights import Right
from taskapi.services import task_lists, tasks
from taskapi.store.lines import Lines
from tests.services.conftest import ADMIN, ANN, BOB, EVE, OWNER, claim


def find(caller: int):
    return claim(caller, Right.FIND_TASKS)


def ids(listed) -> list[int]:
    return [orjson.loads(item)["id"] for item in listed.items]


@pytest.fixture
def found(house):
    """Tasks 1 Ann in 1, 2 Ann in 2, 3 Ann in none, 4 Bob in 1, 5 Eve in 2, 6 of the admin in none."""
    places = [(ANN, 1), (ANN, 2), (ANN, None), (BOB, 1), (EVE, 2), (ADMIN, None)]
    return [
        house.task(user, group, title=f"{9 - n}", priority=n % 3 + 1)
        for n, (user, group) in enumerate(places)
    ]


@pytest.mark.parametrize(
    ("caller", "expected"),
    [(OWNER, [1, 2, 3, 4, 5, 6]), (ADMIN, [1, 4, 6]), (ANN, [1, 2, 3]), (BOB, [4]), (EVE, [5])],
)
def test_each_caller_lists_what_they_may_see(store, found, caller, expected):
    listed = task_lists.list_tasks(store, find(caller), TaskSearch())
    assert (ids(listed), listed.total) == (expected, len(expected))


def test_the_second_list_of_a_caller_takes_one_question(store, found, monkeypatch):
    task_lists.list_tasks(store, find(ADMIN), TaskSearch())
    asked = []
    once = Lines.exchange

    def counted(lines, *command, **options):
        asked.append(command)
        return once(lines, *command, **options)

    monkeypatch.setattr(Lines, "exchange", counted)
    assert ids(task_lists.list_tasks(store, find(ADMIN), TaskSearch())) == [1, 4, 6]
    assert len(asked) == 1


def test_a_caller_who_was_promoted_lists_what_they_may_see_now(store, house, found):
    assert ids(task_lists.list_tasks(store, find(BOB), TaskSearch())) == [4]
    house.make.changed(house.bob, role="group_admin")
    assert ids(task_lists.list_tasks(store, find(BOB), TaskSearch())) == [1, 4]


def test_a_search_narrows_within_the_scope(store, found):
    def listed(caller, **search):
        return ids(task_lists.list_tasks(store, find(caller), TaskSearch(**search)))

    assert listed(ADMIN, mine=True) == [6]
    assert listed(ADMIN, user_id=ANN) == [1]
    assert listed(OWNER, user_id=ANN, group_id=2) == [2]
    assert listed(ANN, group_id=2) == [2]
    assert listed(OWNER, group_id=1) == [1, 4]
    assert listed(OWNER, filter=TaskFilter(priorities=(1,))) == [1, 4]


def test_another_user_or_group_than_one_may_see_is_refused(store, found):
    for caller, search in [(ANN, {"user_id": BOB}), (ADMIN, {"user_id": EVE}), (BOB, {"group_id": 2})]:
        with pytest.raises(Forbidden):
            task_lists.list_tasks(store, find(caller), TaskSearch(**search))


def test_the_tasks_of_a_user_are_listed_as_far_as_the_caller_sees_them(store, found):
    for caller, expected in [(OWNER, [1, 2, 3]), (ANN, [1, 2, 3]), (ADMIN, [1])]:
        listed = task_lists.list_tasks_of(store, find(caller), ANN, TaskSearch())
        assert ids(listed) == expected
        assert listed.beside == {"user_id": ANN}
    with pytest.raises(Forbidden):
        task_lists.list_tasks_of(store, find(EVE), ANN, TaskSearch())


@pytest.mark.parametrize("order", [Order(), Order("id", True), Order("title"), Order("group_id", True)])
def test_pages_follow_each_other_by_cursor_and_by_number_in_any_order(store, found, order):
    whole = ids(task_lists.list_tasks(store, find(OWNER), TaskSearch(order=order)))
    assert len(whole) == 6
    by_number = [
        ids(task_lists.list_tasks(store, find(OWNER), TaskSearch(order=order, page=Page(4, n))))
        for n in (1, 2, 3)
    ]
    assert by_number == [whole[:4], whole[4:], []]
    page, walked = Page(4), []
    while True:
        listed = task_lists.list_tasks(store, find(OWNER), TaskSearch(order=order, page=page))
        walked += ids(listed)
        assert listed.total == 6
        if listed.next_cursor is None:
            break
        page = Page(4, cursor=listed.next_cursor)
    assert walked == whole


def test_overdue_tasks_are_found_alone_and_with_other_conditions(store, house):
    for deadline, priority in [("2026-01-01", 1), ("2026-01-01", 2), ("2026-03-01", 1)]:
        house.task(BOB, 1, deadline=deadline, priority=priority)
    for wanted, expected in [({}, [1, 2]), ({"priorities": (2,)}, [2]), ({"tags": ("x",)}, [])]:
        search = TaskSearch(filter=TaskFilter(overdue_on="2026-02-01", **wanted))
        assert ids(task_lists.list_tasks(store, find(BOB), search)) == expected


def test_tasks_that_are_not_overdue_are_found_counted_and_paged(store, house):
    for deadline, status in [
        ("2026-01-01", False),
        ("2026-01-01", True),
        ("2026-02-01", False),
        (None, False),
    ]:
        house.task(BOB, 1, deadline=deadline, status=status, priority=1)
    wanted = TaskFilter(not_overdue_on="2026-02-01")
    first = task_lists.list_tasks(store, find(BOB), TaskSearch(filter=wanted, page=Page(2)))
    page = Page(2, cursor=first.next_cursor)
    rest = task_lists.list_tasks(store, find(BOB), TaskSearch(filter=wanted, page=page))
    assert (ids(first), ids(rest), first.total, rest.next_cursor) == ([2, 3], [4], 3, None)
    pending = TaskFilter(not_overdue_on="2026-02-01", status=False, priorities=(1,))
    assert ids(task_lists.list_tasks(store, find(BOB), TaskSearch(filter=pending))) == [3, 4]


def test_the_trash_lists_what_the_caller_deleted_or_may_restore(store, found):
    for task in found:
        tasks.remove_task(store, claim(OWNER), task.id)
    for caller, expected in [(OWNER, [1, 2, 3, 4, 5, 6]), (ADMIN, [1, 4, 6]), (ANN, [1, 2, 3])]:
        listed = task_lists.list_trash(store, find(caller), Page())
        assert ids(listed) == expected
        assert all(orjson.loads(item)["deleted_at"] for item in listed.items)
    assert task_lists.list_tasks(store, find(OWNER), TaskSearch()).total == 0
