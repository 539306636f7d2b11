"""The tasks of a day are remembered as long as none of them can have changed, and for nobody else."""

from dataclasses import replace

import pytest

from taskapi.db.engine import Engine, connect
from taskapi.db.index import TaskIndex
from taskapi.domain.rights import Right
from taskapi.services import finding, groups, members, tasks, users
from taskapi.services.by_date import Sources
from taskapi.sync.flush import drain
from tests.services.conftest import ADMIN, BOB, EVE, OWNER, House, claim
from tests.services.search.conftest import AWAY
from tests.services.search.days import DAY, OTHER_DAY, Calendar


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
