"""Several sweeps under way at once: each comes to its end."""

from collections.abc import Callable

import pytest

from taskapi.domain import failpoints
from taskapi.domain.errors import Conflict
from taskapi.domain.filters import TaskSearch
from taskapi.domain.rights import Right
from taskapi.services import cascades, groups, members, sweeping, task_lists, user_changes, users
from taskapi.store import leaving, scrub
from taskapi.store.client import Store
from tests.services.conftest import ANN, OWNER, House, claim


@pytest.fixture(autouse=True)
def few_at_once(monkeypatch):
    """Two tasks are many here."""
    monkeypatch.setattr(cascades, "MOST_AT_ONCE", 1)
    monkeypatch.setattr(sweeping, "PAUSE_SECONDS", 0)


def test_a_group_and_its_user_who_come_back_together_do_not_wait_for_each_other(store, house):
    for group_id in (1, 1, 2, 2):
        house.task(ANN, group_id)
    groups.delete_group(store, claim(OWNER, Right.MANAGE_GROUPS), 1)
    sweeping.sweep(store, 60)
    users.delete_user(store, claim(OWNER, Right.DELETE_USER), ANN)
    sweeping.sweep(store, 60)

    groups.restore_group(store, claim(OWNER, Right.MANAGE_GROUPS), 1)
    users.restore_user(store, claim(OWNER, Right.DELETE_USER), ANN)
    assert len(leaving.accounts(store)) == 2
    sweeping.sweep(store, 60)

    assert leaving.accounts(store) == {}
    assert task_lists.list_tasks(store, claim(OWNER, Right.FIND_TASKS), TaskSearch()).total == 2
    assert scrub.differences(store) == []


TEAMS, PEOPLE, MEMBERS = Right.MANAGE_GROUPS, Right.DELETE_USER, Right.MANAGE_MEMBERS
Deed = Callable[[Store], object]
INTERRUPTIONS: dict[str, Deed] = {
    "the user goes": lambda store: users.delete_user(store, claim(OWNER, PEOPLE), ANN),
    "the user leaves": lambda store: members.remove_member(store, claim(OWNER, MEMBERS), 1, ANN),
    "the user is put elsewhere": lambda store: user_changes.change_user(
        store, claim(OWNER, Right.CHANGE_USER), ANN, {"group_ids": (2,)}
    ),
    "the group goes": lambda store: groups.delete_group(store, claim(OWNER, TEAMS), 1),
}


@pytest.mark.parametrize("interruption", INTERRUPTIONS.values(), ids=INTERRUPTIONS)
def test_what_is_being_brought_back_comes_back_whole_before_it_goes_again(
    store: Store, house: House, interruption: Deed
):
    tasks = [house.task(ANN, 1) for _ in range(3)]
    groups.delete_group(store, claim(OWNER, TEAMS), 1)
    sweeping.sweep(store, 60)
    groups.restore_group(store, claim(OWNER, TEAMS), 1)
    with pytest.raises(Conflict):
        interruption(store)
    sweeping.sweep(store, 60)
    assert [house.stored(f"task:{task.id}")["group_id"] for task in tasks] == [1, 1, 1]
    interruption(store)


def test_what_moves_on_has_moved_before_its_user_goes_or_joins_another_group(store: Store, house: House):
    tasks = [house.task(ANN, 1) for _ in range(3)]
    members.remove_member(store, claim(OWNER, MEMBERS), 1, ANN)
    house.make.group(name="three")
    for deed in (
        lambda: users.delete_user(store, claim(OWNER, PEOPLE), ANN),
        lambda: members.add_member(store, claim(OWNER, MEMBERS), 3, ANN),
        lambda: groups.delete_group(store, claim(OWNER, TEAMS), 2),
    ):
        with pytest.raises(Conflict):
            deed()
    sweeping.sweep(store, 60)
    assert [house.stored(f"task:{task.id}")["group_id"] for task in tasks] == [2, 2, 2]
    users.delete_user(store, claim(OWNER, PEOPLE), ANN)


def test_a_group_comes_back_when_its_user_has_come_back_whole(store: Store, house: House):
    tasks = [house.task(ANN, 1) for _ in range(3)]
    users.delete_user(store, claim(OWNER, PEOPLE), ANN)
    sweeping.sweep(store, 60)
    groups.delete_group(store, claim(OWNER, TEAMS), 1)
    users.restore_user(store, claim(OWNER, PEOPLE), ANN)
    sweeping.sweep(store, 60)
    groups.restore_group(store, claim(OWNER, TEAMS), 1)
    assert [house.stored(f"task:{task.id}")["group_id"] for task in tasks] == [None, None, None]


def test_what_is_swept_elsewhere_holds_up_nobody(store: Store, house: House):
    for _ in range(3):
        house.task(ANN, 1)
    users.delete_user(store, claim(OWNER, PEOPLE), ANN)
    groups.delete_group(store, claim(OWNER, TEAMS), 2)


def test_a_worker_that_stood_still_does_nothing_that_a_sweep_had_to_do_before(store: Store, house: House):
    tasks = [house.task(ANN, 1) for _ in range(3)]
    users.delete_user(store, claim(OWNER, PEOPLE), ANN)
    sweeping.sweep(store, 60)
    users.restore_user(store, claim(OWNER, PEOPLE), ANN)
    waiting = iter([True])

    def stand_still() -> None:
        """Meanwhile another worker has brought all back, the user goes again, and so do their tasks."""
        if next(waiting, False):
            sweeping.sweep(store, 60)
            users.delete_user(store, claim(OWNER, PEOPLE), ANN)
            sweeping.sweep(store, 60)

    with failpoints.armed("sweeping.listed", stand_still):
        sweeping.sweep(store, 60)
    users.restore_user(store, claim(OWNER, PEOPLE), ANN)
    sweeping.sweep(store, 60)
    assert [house.stored(f"task:{task.id}")["user_id"] for task in tasks] == [ANN, ANN, ANN]
    assert leaving.accounts(store) == {}
    assert scrub.differences(store) == []


class Killed(Exception):
    """What a test throws in the place of a kill."""


def kill() -> None:
    raise Killed


def test_a_user_who_comes_back_while_they_are_going_comes_back_whole(
    store: Store, house: House, monkeypatch: pytest.MonkeyPatch
):
    tasks = [house.task(ANN, 1) for _ in range(3)]
    users.delete_user(store, claim(OWNER, PEOPLE), ANN)
    monkeypatch.setattr(sweeping, "AT_ONCE", 1)
    with failpoints.armed("sweeping.swept", kill), pytest.raises(Killed):
        sweeping.sweep(store, 60)
    waiting = iter([True])

    def go_on() -> None:
        if next(waiting, False):
            sweeping.sweep(store, 60)

    with failpoints.armed("saving.prepared", go_on), pytest.raises(Conflict):
        users.restore_user(store, claim(OWNER, PEOPLE), ANN)
    sweeping.sweep(store, 60)
    users.restore_user(store, claim(OWNER, PEOPLE), ANN)
    sweeping.sweep(store, 60)
    assert [house.stored(f"task:{task.id}")["user_id"] for task in tasks] == [ANN, ANN, ANN]
