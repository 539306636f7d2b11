"""Search over tasks: found the moment it is written, never when it is gone."""

import orjson
import pytest

from taskapi.db.engine import Engine
from taskapi.domain import failpoints
from taskapi.domain.errors import Forbidden, Invalid, Unauthorized
from taskapi.domain.filters import Order, Page, Scope, TaskFilter, TaskSearch
from taskapi.domain.rights import Right
from taskapi.services import members, search, task_lists, tasks, users
from taskapi.services.finding import Index
from taskapi.store import contents, dirty
from taskapi.store.kinds import TASK
from taskapi.sync.flush import drain, flush_batch
from tests.services.conftest import ADMIN, ANN, BOB, EVE, OWNER, House, claim
from tests.services.search.conftest import Finder, many_tasks

EVERYTHING = Scope(everything=True)


def test_a_task_is_found_before_during_and_after_its_flush(house: House, engine: Engine, finder: Finder):
    house.task(BOB, 1, title="Große Übersicht", information="会议记录")

    def found() -> None:
        assert finder.ids("ÜBER gros") == finder.ids("议记") == [1]

    found()
    for line in ("flush.peeked", "flush.upserted", "flush.committed", "flush.settled"):
        house.make.changed(contents.present(house.store, TASK, [1])[0], priority=1)
        with failpoints.armed(line, found):
            flush_batch(house.store, engine)
    drain(house.store, engine, 5)
    assert dirty.count(house.store) == 0
    found()


def test_a_change_is_found_at_once_and_what_it_replaced_is_not(house: House, engine: Engine, finder: Finder):
    task = house.task(BOB, 1, title="old words")
    drain(house.store, engine, 5)
    house.make.changed(task, title="new words")

    assert (finder.ids("old"), finder.ids("new"), finder.ids("words")) == ([], [1], [1])
    drain(house.store, engine, 5)
    assert (finder.ids("old"), finder.ids("new"), finder.ids("words")) == ([], [1], [1])


def test_what_is_gone_is_never_found_although_postgresql_has_it(house: House, engine: Engine, finder: Finder):
    for _ in range(6):
        house.task(BOB, 1, title="word")
    house.task(EVE, 2, title="word")
    house.task(ANN, 2, title="word")
    drain(house.store, engine, 5)
    assert finder.index is not None
    in_postgres = finder.index(("word",), EVERYTHING, 100)

    tasks.remove_task(house.store, claim(OWNER), 1)
    tasks.remove_task(house.store, claim(OWNER), 2, permanent=True)
    tasks.change_task(house.store, claim(OWNER), 3, {"title": "other"})
    users.delete_user(house.store, claim(OWNER, Right.DELETE_USER), EVE)
    members.remove_member(house.store, claim(OWNER, Right.MANAGE_MEMBERS), 2, ANN)

    assert finder.index(("word",), EVERYTHING, 100) == in_postgres == [1, 2, 3, 4, 5, 6, 7, 8]
    assert finder.ids("word") == [4, 5, 6, 8]
    assert finder.ids("word", group_id=2) == []
    drain(house.store, engine, 5)
    assert finder.ids("word") == [4, 5, 6, 8]


def test_a_task_that_moved_out_of_reach_is_not_found_there(house: House, engine: Engine, finder: Finder):
    house.task(ANN, 1, title="word")
    drain(house.store, engine, 5)
    assert finder.ids("word", ADMIN) == finder.ids("word", ANN) == [1]

    tasks.change_task(house.store, claim(OWNER), 1, {"group_id": 2})
    assert (finder.ids("word", ADMIN), finder.ids("word", ANN)) == ([], [1])

    tasks.change_task(house.store, claim(OWNER), 1, {"user_id": EVE})
    assert (finder.ids("word", ANN), finder.ids("word", EVE)) == ([], [1])
    drain(house.store, engine, 5)
    assert (finder.ids("word", ADMIN), finder.ids("word", ANN), finder.ids("word", EVE)) == ([], [], [1])


def test_a_task_that_postgresql_refused_is_found(house: House, engine: Engine, finder: Finder):
    house.task(BOB, 1, title="word")
    batch = dirty.peek(house.store)
    dirty.quarantine(house.store, [mark for mark in batch.marks if mark.kind == "task"], "no")
    drain(house.store, engine, 5)

    assert finder.ids("word") == [1]


@pytest.mark.parametrize("is_flushed", [False, True])
@pytest.mark.parametrize("with_postgres", [True, False])
def test_each_caller_finds_within_their_reach(
    house: House, engine: Engine, index: Index, away: Index, is_flushed: bool, with_postgres: bool
):
    for user, group in [(ANN, 1), (ANN, 2), (ANN, None), (BOB, 1), (EVE, 2), (ADMIN, None)]:
        house.task(user, group, title="Word", status=user == ANN, tags=("x",) if group == 1 else ())
    house.task(ANN, 1, title="other")
    if is_flushed:
        drain(house.store, engine, 5)
    finder = Finder(house.store, index if with_postgres else away)

    for caller, expected in [(OWNER, [1, 2, 3, 4, 5, 6]), (ADMIN, [1, 4, 6]), (ANN, [1, 2, 3]), (BOB, [4])]:
        listed = finder.listed("wor", caller)
        assert finder.ids("wor", caller) == expected
        assert (listed.total, listed.beside) == (len(expected), {"complete": True})
    assert finder.ids("wor", narrow={"status": True, "tags": ("x",)}) == [1]
    assert finder.ids("wor", user_id=ANN, narrow={"priorities": (2,)}) == [1, 2, 3]
    assert finder.ids("wor", ADMIN, user_id=ANN) == [1]
    assert finder.ids("wor", ADMIN, mine=True) == [6]
    assert finder.ids("wor", ANN, group_id=2) == [2]
    assert finder.ids("wor", order=Order("group_id", True)) == [2, 5, 1, 4, 3, 6]


def test_the_tasks_of_a_user_and_of_a_group_are_searched(house: House, engine: Engine, index: Index):
    for user, group in [(ANN, 1), (ANN, 2), (BOB, 1)]:
        house.task(user, group, title="word")
    wanted, find = TaskSearch(filter=TaskFilter(words=("word",))), claim(ADMIN, Right.FIND_TASKS)

    of_user = task_lists.list_tasks_of(house.store, find, ANN, wanted, index)
    of_group = task_lists.list_tasks_of_group(house.store, claim(ADMIN, Right.READ_GROUP), 1, wanted, index)

    assert (of_user.total, of_user.beside) == (1, {"complete": True, "user_id": ANN})
    assert (of_group.total, of_group.beside) == (2, {"complete": True, "group_id": 1})


def test_results_come_in_pages_with_the_user_of_each_task(house: House, engine: Engine, finder: Finder):
    for number in range(5):
        house.task(BOB if number % 2 else ANN, 1, title=f"Word {number}")
        drain(house.store, engine, 5) if number == 2 else None
    page, seen = Page(2), []
    while True:
        answer = finder.answer("word", ADMIN, page)
        assert (answer.name, answer.total, answer.beside) == (
            "results",
            5,
            {"query": "word", "complete": True},
        )
        seen += [orjson.loads(item) for item in answer.items]
        if answer.next_cursor is None:
            break
        page = Page(2, cursor=answer.next_cursor)

    assert [(found["user_id"], found["task"]["id"]) for found in seen] == [
        (ANN, 1), (BOB, 2), (ANN, 3), (BOB, 4), (ANN, 5),
    ]  # fmt: skip
    assert seen[0]["task"] == house.stored("task:1")
    assert [orjson.loads(item)["task"]["id"] for item in finder.answer("word", OWNER, Page(2, 3)).items] == [
        5
    ]


def test_a_plain_user_may_not_search_all_tasks(finder: Finder):
    with pytest.raises(Forbidden):
        finder.answer("word", ANN)


@pytest.mark.parametrize("query", ["", " ", "!?", "🎉", "'"])
def test_a_query_without_words_is_refused_by_its_name(finder: Finder, query: str):
    with pytest.raises(Invalid) as refused:
        finder.answer(query)
    assert list(refused.value.errors) == ["q"]
    with pytest.raises(Invalid):
        search.search_users(finder.store, claim(OWNER, Right.LIST_USERS), query, Page())


@pytest.mark.parametrize("query", ["x' OR '1'='1", "a:* | b", "\\", "%", "x & y", "<->", "');--x"])
def test_a_hostile_query_finds_words_and_nothing_else(
    house: House, engine: Engine, finder: Finder, query: str
):
    house.task(BOB, 1, title="plain")
    house.task(BOB, 1, title=f"so {query} z 1 or b y", information="'\\")
    drain(house.store, engine, 5)

    assert finder.ids(f"z {query}") == [2]


def test_a_caller_who_is_gone_finds_nothing(house: House, finder: Finder):
    users.delete_user(house.store, claim(OWNER, Right.DELETE_USER), ADMIN)
    with pytest.raises(Unauthorized):
        finder.answer("word", ADMIN)


def test_a_sweep_of_a_large_cascade_hides_its_tasks_and_no_others(
    house: House, engine: Engine, finder: Finder, away: Index, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("taskapi.store.finders.SLICE", 100)
    for _ in range(2):
        many_tasks(house.store, 300, title="word", user_id=BOB, group_id=1)
    others = [house.task(ANN, 1, title="word").id for _ in range(3)]
    drain(house.store, engine, 5)
    users.delete_user(house.store, claim(OWNER, Right.DELETE_USER), BOB)
    assert house.store.redis.hlen("leaving") == 1

    assert finder.ids("word") == Finder(house.store, away).ids("word") == others
    seen, search_for = [], TaskSearch(page=Page(200))
    while True:
        listed = task_lists.list_tasks(house.store, claim(OWNER, Right.FIND_TASKS), search_for)
        seen += [orjson.loads(item)["id"] for item in listed.items]
        if listed.next_cursor is None:
            break
        search_for = TaskSearch(page=Page(200, cursor=listed.next_cursor))
    assert seen == others
