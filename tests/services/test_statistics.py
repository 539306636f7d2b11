"""Statistics: exact for every caller, also while a cascade is being swept, at a cost that knows no tasks."""

import random
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest

from taskapi.domain import access, cascades
from taskapi.domain.callers import Caller
from taskapi.domain.clock import now, today
from taskapi.domain.errors import Conflict, Forbidden, NotFound
from taskapi.domain.records import Task
from taskapi.domain.rights import Right
from taskapi.services import statistics
from taskapi.store import keys
from taskapi.store.lines import Lines
from tests.services.conftest import ADMIN, ANN, BOB, EVE, OWNER, House, claim, said

DEADLINES = [None, "1999-12-31", "2000-01-01", "2999-01-01"]


def stats(house: House, user_id: int) -> dict:
    return said(statistics.read_statistics(house.store, claim(user_id, Right.FIND_TASKS)))


def group_stats(house: House, user_id: int, group_id: int) -> dict:
    return said(statistics.read_group_statistics(house.store, claim(user_id, Right.READ_GROUP), group_id))


def leave(house: House, *names: str) -> None:
    house.store.redis.hset(keys.LEAVING, mapping=dict.fromkeys(names, "{}"))


@contextmanager
def round_trips() -> Iterator[list[int]]:
    """How many there were within the block."""
    sent, once = [0], Lines.exchange

    def counted(lines: Lines, *command, **options):
        sent[0] += 1
        return once(lines, *command, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Lines, "exchange", counted)
        yield sent


def test_the_owner_sees_the_numbers_of_everybody(house):
    house.task(ANN, 1, priority=1, tags=("home", "Home"), deadline="2000-01-01")
    house.task(ANN, 2, status=True, completed_at="x")
    house.task(BOB, deadline=today())
    assert stats(house, OWNER) == {
        "total_tasks": 3,
        "completed_tasks": 1,
        "pending_tasks": 2,
        "completion_rate": 33.33,
        "overdue_tasks": 1,
        "priority_counts": {"1": 1, "2": 2, "3": 0},
        "tag_counts": {"Home": 1, "home": 1},
        "user_task_counts": {"System Owner": 0, "Adam": 0, "Ann": 2, "Bob": 1, "Eve": 0},
        "group_task_counts": {"1": 1, "2": 1},
        "total_users": 5,
    }


def test_an_admin_sees_those_of_their_groups_and_their_own_each_once(house):
    house.task(ANN, 1), house.task(ANN, 2), house.task(BOB), house.task(ADMIN, 1), house.task(ADMIN)
    found = stats(house, ADMIN)
    assert found["total_tasks"] == 3
    assert found["user_task_counts"] == {"Adam": 2, "Ann": 1, "Bob": 0}
    assert found["group_task_counts"] == {"1": 2}
    assert found["total_users"] == 3


def test_a_user_sees_their_own(house):
    house.task(ANN, 1), house.task(ANN, 2), house.task(ANN), house.task(BOB, 1)
    found = stats(house, ANN)
    assert found["user_task_counts"] == {"Ann": 3}
    assert found["group_task_counts"] == {"1": 1, "2": 1}
    assert (found["total_tasks"], found["total_users"]) == (3, 1)


def test_nothing_at_all_is_no_division(house):
    found = stats(house, EVE)
    assert found["completion_rate"] == 0.0
    assert found["priority_counts"] == {"1": 0, "2": 0, "3": 0}
    assert found["tag_counts"] == found["group_task_counts"] == {}


def test_overdue_is_before_today_and_not_done(house, monkeypatch):
    house.task(ANN, 1, deadline="2026-01-01"), house.task(ANN, 2, deadline="2026-01-02")
    house.task(ANN, deadline="2026-01-01", status=True, completed_at="x")
    for day, overdue in (("2026-01-01", 0), ("2026-01-02", 1), ("2026-01-03", 2)):
        moment = now().fromisoformat(f"{day}T12:00:00+00:00")
        monkeypatch.setattr("taskapi.domain.clock.now", lambda moment=moment: moment)
        assert [stats(house, who)["overdue_tasks"] for who in (OWNER, ANN)] == [overdue, overdue]


def test_two_of_one_name_are_told_apart(house):
    house.make.user(full_name="Ann"), house.make.user(full_name="Ann (#3)")
    house.task(ANN, 1)
    found = stats(house, OWNER)
    assert found["user_task_counts"] == {
        "System Owner": 0,
        "Adam": 0,
        "Ann (#3)": 1,
        "Bob": 0,
        "Eve": 0,
        "Ann (#6)": 0,
        "Ann (#3) (#7)": 0,
    }


def test_the_trash_counts_nowhere(house):
    task = house.task(ANN, 1, tags=("a",), deadline="2000-01-01")
    house.make.changed(task, deleted_at="2026-01-01T00:00:00.000Z")
    found = stats(house, OWNER)
    assert (found["total_tasks"], found["overdue_tasks"], found["tag_counts"]) == (0, 0, {})


def test_a_groups_numbers_are_for_its_members(house):
    house.task(ANN, 1), house.task(BOB, 1, status=True, completed_at="x"), house.task(ANN, 2)
    expected = {
        "group": {"id": 1, "name": "one"},
        "users_count": 3,
        "total_tasks": 2,
        "completed_tasks": 1,
        "pending_tasks": 1,
        "completion_rate": 50.0,
        "user_task_counts": {"Adam": 0, "Ann": 1, "Bob": 1},
    }
    for who in (OWNER, ADMIN, ANN, BOB):
        assert group_stats(house, who, 1) == expected
    for who, group_id in ((EVE, 1), (ADMIN, 2), (ADMIN, 9)):
        with pytest.raises(Forbidden):
            group_stats(house, who, group_id)
    with pytest.raises(NotFound):
        group_stats(house, OWNER, 9)


def test_many_users_are_named_in_pieces(house, monkeypatch):
    monkeypatch.setattr(statistics, "USERS_AT_ONCE", 2)
    assert list(stats(house, OWNER)["user_task_counts"]) == ["System Owner", "Adam", "Ann", "Bob", "Eve"]
    assert group_stats(house, ADMIN, 1)["users_count"] == 3


def test_a_caller_who_is_known_asks_once(house):
    for who in (OWNER, ADMIN, ANN):
        stats(house, who)
        with round_trips() as sent:
            stats(house, who)
        assert sent == [1]


LEAVING = ["user:3", "user:4", "group:1", "group:2", "member:3:1", "member:3:2", "member:2:1", "member:5:2"]


@pytest.mark.parametrize("number", range(12))
def test_what_is_leaving_is_not_counted_however_it_overlaps(house, number):
    chance = random.Random(number)
    tasks = [some_task(house, chance) for _ in range(40)]
    chosen = frozenset(chance.sample(LEAVING, chance.randint(0, 4)))
    if chosen:
        leave(house, *chosen)
    present = [task for task in tasks if not cascades.is_left(chosen, task)]
    owner = replace(house.admin, id=OWNER, role="owner", group_ids=())
    for user in (owner, house.admin, house.ann, house.bob, house.eve):
        if cascades.user_goes(user.id) not in chosen:
            caller = Caller(user, claim(user.id, Right.FIND_TASKS))
            compare(stats(house, user.id), [task for task in present if access.may_edit_task(caller, task)])
    in_group = [task for task in present if task.group_id == 1]
    assert group_stats(house, OWNER, 1)["total_tasks"] == len(in_group)


def some_task(house: House, chance: random.Random) -> Task:
    user_id, group_ids = chance.choice([(OWNER, ()), (ADMIN, (1,)), (ANN, (1, 2)), (BOB, (1,)), (EVE, (2,))])
    values = {
        "deadline": chance.choice(DEADLINES),
        "status": chance.random() < 0.4,
        "priority": chance.randint(1, 3),
    }
    return house.task(
        user_id, chance.choice([None, *group_ids]), tags=tuple(chance.sample("ab:", 2)), **values
    )


def compare(found: dict, tasks: list[Task]) -> None:
    assert found["total_tasks"] == len(tasks)
    assert found["completed_tasks"] == sum(task.status for task in tasks)
    late = [task for task in tasks if task.deadline and task.deadline < today() and not task.status]
    assert found["overdue_tasks"] == len(late)
    assert found["priority_counts"] == {
        str(each): sum(task.priority == each for task in tasks) for each in (1, 2, 3)
    }
    assert found["tag_counts"] == Counter(tag for task in tasks for tag in task.tags)
    assert found["group_task_counts"] == Counter(str(task.group_id) for task in tasks if task.group_id)
    assert sum(found["user_task_counts"].values()) == len(tasks)


def test_names_that_keep_changing_are_given_up(house, monkeypatch):
    chance = iter(range(10, 1000))
    once = statistics.ask_as

    def swept(store, claim, question):
        leave(house, f"user:{next(chance)}")
        return once(store, claim, question)

    monkeypatch.setattr(statistics, "ask_as", swept)
    with pytest.raises(Conflict):
        stats(house, OWNER)


def test_an_admin_without_groups_sees_themselves(house):
    house.make.changed(house.admin, group_ids=())
    assert stats(house, ADMIN)["user_task_counts"] == {"Adam": 0}
