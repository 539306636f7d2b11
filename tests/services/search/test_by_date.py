"""The tasks of a day: from PostgreSQL, from what it does not have yet, or remembered; always as they are."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import orjson
import pytest
from redis import Redis

from taskapi.db.engine import Engine, connect
from taskapi.db.index import TaskIndex
from taskapi.domain.errors import Conflict, Forbidden, Invalid, NotFound
from taskapi.domain.filters import Page
from taskapi.domain.rights import Right
from taskapi.embedded.servers import Servers
from taskapi.services import by_date, finding, groups, members, tasks, users
from taskapi.services.by_date import Sources
from taskapi.services.results import Listed
from taskapi.store import cache, state
from taskapi.sync.flush import drain
from tests.services.conftest import ADMIN, ANN, BOB, EVE, OWNER, House, claim
from tests.services.search.conftest import AWAY

DAY, OTHER_DAY = "2026-02-28", "2026-03-01"
FIRST = Page()


class Calendar:
    """Asks for days as one caller or another, and counts how often PostgreSQL was asked."""

    def __init__(self, sources: Sources) -> None:
        self.looks = 0
        self._find = sources.index
        self.sources = replace(sources, index=self._counted)

    def _counted(self, *asked) -> list[int]:
        self.looks += 1
        return self._find(*asked)

    def ids(self, caller: int = OWNER, day: str = DAY) -> list[int]:
        try:
            listed = self.listed(caller, day)
        except NotFound:
            return []
        assert listed.total == len(listed.items)
        assert listed.beside == {"date": day, "complete": True}
        return [orjson.loads(item)["id"] for item in listed.items]

    def listed(self, caller: int = OWNER, day: str = DAY, page: Page = FIRST) -> Listed:
        return by_date.list_tasks_on(self.sources, claim(caller, Right.FIND_TASKS), day, page)


@pytest.fixture
def sources(house: House, engine: Engine, servers: Servers, redis_broker: Redis) -> Iterator[Sources]:
    kept = cache.connect(servers.urls["broker"])
    yield Sources(house.store, TaskIndex(lambda: engine).by_day, kept)
    kept.redis.close()


@pytest.fixture
def calendar(sources: Sources) -> Calendar:
    return Calendar(sources)


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


def test_an_answer_is_remembered_for_an_hour_until_a_task_of_the_scope_changes(
    house: House, calendar: Calendar
):
    task = house.task(BOB, 1, deadline=DAY)
    assert [calendar.ids(BOB), calendar.ids(BOB), calendar.looks] == [[task.id], [task.id], 1]
    kept = calendar.sources.cache.redis
    (key,) = kept.keys(f"task:{DAY}:u{BOB}:*")
    assert 3590 < kept.ttl(key) <= 3600

    house.task(EVE, 2, deadline=DAY)
    assert [calendar.ids(BOB), calendar.looks] == [[task.id], 1]
    house.make.changed(task, deadline=OTHER_DAY)
    assert [calendar.ids(BOB), calendar.ids(BOB, OTHER_DAY), calendar.looks] == [[], [task.id], 3]


def test_that_there_is_nothing_is_remembered_too(house: House, calendar: Calendar):
    assert [calendar.ids(BOB), calendar.ids(BOB), calendar.looks] == [[], [], 1]
    task = house.task(BOB, 1, deadline=DAY)
    assert calendar.ids(BOB) == [task.id]


def test_nobody_is_answered_with_what_is_remembered_of_another_scope(house: House, calendar: Calendar):
    own = house.task(ADMIN, None, deadline=DAY)
    of_bob = house.task(BOB, 1, deadline=DAY)
    assert calendar.ids(ADMIN) == [own.id, of_bob.id]
    members.remove_member(house.store, claim(OWNER, Right.MANAGE_MEMBERS), 1, ADMIN)
    assert calendar.ids(ADMIN) == [own.id]


def test_every_way_of_changing_tasks_is_seen_at_once(house: House, engine: Engine, calendar: Calendar):
    work = claim(OWNER, Right.WORK_ON_TASKS)
    task = house.task(BOB, 1, deadline=DAY)
    moved = house.task(EVE, 2, deadline=DAY)

    def seen() -> tuple[list[int], list[int], list[int]]:
        return calendar.ids(OWNER), calendar.ids(ADMIN), calendar.ids(BOB)

    both, one, none = ([task.id, moved.id], [task.id], [task.id]), ([moved.id], [], []), ([], [], [])
    assert seen() == both
    tasks.remove_task(house.store, work, task.id)
    assert seen() == one
    tasks.restore_task(house.store, work, task.id, None)
    assert seen() == both
    drain(house.store, engine, 5)
    tasks.change_task(house.store, work, moved.id, {"deadline": OTHER_DAY})
    assert seen() == ([task.id], [task.id], [task.id])
    users.delete_user(house.store, claim(OWNER, Right.DELETE_USER), BOB)
    assert calendar.ids(OWNER) == calendar.ids(ADMIN) == []
    users.restore_user(house.store, claim(OWNER, Right.DELETE_USER), BOB)
    assert seen() == ([task.id], [task.id], [task.id])
    groups.delete_group(house.store, claim(OWNER, Right.MANAGE_GROUPS), 1)
    assert seen() == none
    groups.restore_group(house.store, claim(OWNER, Right.MANAGE_GROUPS), 1)
    assert seen() == ([task.id], [task.id], [task.id])
    tasks.remove_task(house.store, work, task.id, permanent=True)
    assert seen() == none


def test_a_sweep_that_is_not_over_hides_its_tasks(house: House, engine: Engine, calendar: Calendar):
    of_bob = [house.task(BOB, 1, deadline=DAY).id for _ in range(3)]
    of_eve = house.task(EVE, 2, deadline=DAY).id
    drain(house.store, engine, 5)
    assert calendar.ids() == [*of_bob, of_eve]
    house.store.redis.hset("leaving", f"user:{BOB}", "{}")
    assert calendar.ids() == [of_eve]
    house.store.redis.hdel("leaving", f"user:{BOB}")
    assert calendar.ids() == [*of_bob, of_eve]


def test_without_postgresql_the_scope_is_scanned_and_what_is_whole_is_remembered(
    house: House, sources: Sources, monkeypatch: pytest.MonkeyPatch
):
    task = house.task(BOB, 1, deadline=DAY)
    away = Calendar(replace(sources, index=TaskIndex(lambda: connect(AWAY)).by_day))
    assert [away.ids(), away.ids(), away.looks] == [[task.id], [task.id], 1]


def test_a_scan_that_was_cut_says_so_and_is_not_remembered(
    house: House, sources: Sources, monkeypatch: pytest.MonkeyPatch
):
    task = house.task(BOB, 1, deadline=DAY)
    away = Calendar(replace(sources, index=TaskIndex(lambda: connect(AWAY)).by_day))
    with monkeypatch.context() as patch:
        patch.setattr(finding, "WORK_SECONDS", 0)
        answer = away.listed()
    assert (answer.items, answer.total, answer.beside) == ((), 0, {"date": DAY, "complete": False})
    assert away.ids() == [task.id]


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
