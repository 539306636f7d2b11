"""The tasks of a day: from PostgreSQL and from what it does not have yet, always as they are."""

from collections.abc import Callable
from dataclasses import replace

import orjson
import pytest

from taskapi.db.engine import Engine
from taskapi.domain.errors import Conflict, Forbidden, Invalid
from taskapi.domain.filters import Page
from taskapi.domain.rights import Right
from taskapi.services import by_date
from taskapi.services.by_date import Sources
from taskapi.store import state
from taskapi.sync.flush import drain
from tests.services.conftest import ADMIN, ANN, BOB, EVE, OWNER, House, claim
from tests.services.search.days import DAY, FIRST, OTHER_DAY, Calendar


def test_a_task_is_there_on_the_days_on_which_it_was_made_is_due_and_was_done(
    house: House, calendar: Calendar
):
    made = house.task(BOB, 1, created_at=f"{DAY}T23:59:59.999Z")
    due = house.task(BOB, 1, deadline=DAY)
    done = house.task(BOB, 1, status=True, completed_at=f"{DAY}T00:00:00.000Z")
    house.task(BOB, 1, deadline=OTHER_DAY)

    assert calendar.ids() == [made.id, due.id, done.id]


def test_a_task_is_there_before_during_and_after_its_flush(house: House, engine: Engine, calendar: Calendar):
    first = house.task(BOB, 1, deadline=DAY)
    assert calendar.ids() == [first.id]
    drain(house.store, engine, 5)
    second = house.task(BOB, 1, deadline=DAY)
    assert calendar.ids() == [first.id, second.id]
    drain(house.store, engine, 5)
    assert calendar.ids() == [first.id, second.id]


def test_each_caller_sees_the_tasks_within_their_reach(house: House, engine: Engine, calendar: Calendar):
    of = {
        (user, group): house.task(user, group, deadline=DAY).id
        for user, group in ((ADMIN, None), (ANN, 1), (ANN, 2), (BOB, 1), (EVE, 2), (OWNER, None))
    }
    for _ in range(2):
        assert calendar.ids(OWNER) == sorted(of.values())
        assert calendar.ids(ADMIN) == [of[ADMIN, None], of[ANN, 1], of[BOB, 1]]
        assert calendar.ids(ANN) == [of[ANN, 1], of[ANN, 2]]
        assert calendar.ids(EVE) == [of[EVE, 2]]
        drain(house.store, engine, 5)


def test_more_than_is_looked_at_is_told(house: House, engine: Engine, calendar: Calendar, monkeypatch):
    ids = [house.task(BOB, 1, deadline=DAY).id for _ in range(3)]
    drain(house.store, engine, 5)
    monkeypatch.setattr(by_date, "MOST_ON_A_DAY", 2)
    assert calendar.listed().beside["complete"] is False
    assert calendar.listed().total == 3
    monkeypatch.setattr(by_date, "MOST_ON_A_DAY", 3)
    assert calendar.ids() == ids


@pytest.mark.parametrize("case", ["too many waiting", "a restore goes on"])
def test_where_postgresql_does_not_tell_it_is_not_asked(
    house: House, calendar: Calendar, monkeypatch: pytest.MonkeyPatch, case: str
):
    task = house.task(BOB, 1, deadline=DAY)
    if case == "a restore goes on":
        assert state.freeze(house.store, "restore")
    else:
        monkeypatch.setattr(by_date, "MOST_WAITING", 0)
    assert [calendar.ids(), calendar.looks] == [[task.id], 0]


def test_a_day_comes_in_pages(house: House, calendar: Calendar):
    ids = [house.task(BOB, 1, deadline=DAY).id for _ in range(5)]
    first = calendar.listed(page=Page(2))
    second = calendar.listed(page=Page(2, cursor=first.next_cursor))
    last = calendar.listed(page=Page(2, page=3))
    got = [orjson.loads(item)["id"] for page in (first, second, last) for item in page.items]
    assert (got, first.total, last.next_cursor) == (ids, 5, None)
    past = calendar.listed(page=Page(2, page=9))
    assert (past.items, past.total, past.next_cursor) == ((), 5, None)


@pytest.mark.parametrize(
    "day",
    ["2026-02-30", "2026-2-28", "20260228", "2026-W09-6", "tomorrow", "", "2026-02-28 "],
)
def test_what_is_no_date_is_refused_by_its_name(house: House, calendar: Calendar, day: str):
    with pytest.raises(Invalid) as refusal:
        calendar.listed(day=day)
    assert list(refusal.value.errors) == ["date"]


def test_the_first_and_the_last_date_are_dates(calendar: Calendar):
    assert calendar.ids(day="0001-01-01") == calendar.ids(day="9999-12-31") == []
    assert calendar.looks == 2


def test_what_moves_between_the_look_and_the_answer_is_left_out(house: House, sources: Sources):
    gone, stays = (house.task(BOB, 1, deadline=DAY) for _ in range(2))
    calendar = Calendar(sources)
    ids = by_date._ids

    def then(change: Callable[[], object]) -> object:
        def looked(*given: object) -> object:
            found = ids(*given)
            change()
            return found

        return looked

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(by_date, "_ids", then(lambda: house.make.changed(gone, deadline=OTHER_DAY)))
        listed = calendar.listed(BOB)
    assert ([orjson.loads(item)["id"] for item in listed.items], listed.total) == ([stays.id], 1)


def test_a_caller_who_changes_all_the_while_is_told_so(house: House, sources: Sources, monkeypatch):
    house.task(BOB, 1, deadline=DAY)
    calendar = Calendar(sources)
    page = by_date._page
    scopes = iter(range(100, 200))

    def narrowed(store, caller, scope, *given):
        return page(store, caller, replace(scope, user=next(scopes)), *given)

    monkeypatch.setattr(by_date, "_page", narrowed)
    with pytest.raises(Conflict):
        calendar.listed(BOB)


def test_who_may_not_call_learns_nothing_of_dates(house: House, calendar: Calendar):
    with pytest.raises(Forbidden):
        by_date.list_tasks_on(calendar.sources, claim(BOB, Right.ADMINISTER), "tomorrow", FIRST)
