"""Writes and cascades whose process dies at any line, twice over: done once, whole, or not at all."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

import pytest

from taskapi.domain import failpoints
from taskapi.domain.callers import Claim, Operation
from taskapi.domain.rights import Right
from taskapi.services import batch, cascades, groups, members, sweeping, tasks, users
from taskapi.store import dirty, leaving, scrub
from taskapi.store.client import Store
from taskapi.store.records import LINES
from tests.services.conftest import ANN, OWNER, House, claim
from tests.sync.conftest import Crash, crash

Write = Callable[[Store, Claim], object]
MANY = 7


def named(right: Right) -> Claim:
    """The owner, who calls what they do by name."""
    return replace(claim(OWNER, right), operation=Operation("k", "f"))


WRITES: dict[str, tuple[Right, Write, int]] = {
    "create": (
        Right.WORK_ON_TASKS,
        lambda store, who: tasks.create_task(store, who, {"title": "t", "user_id": ANN, "group_id": 1}),
        1,
    ),
    "change": (
        Right.WORK_ON_TASKS,
        lambda store, who: tasks.change_task(store, who, 1, {"title": "another"}),
        1,
    ),
    "delete": (Right.WORK_ON_TASKS, lambda store, who: tasks.remove_task(store, who, 1), 1),
    "batch": (
        Right.WORK_ON_TASKS,
        lambda store, who: batch.change_tasks(store, who, (1, 2, 3), {}, batch.MARK_DONE),
        3,
    ),
    "delete a user": (Right.DELETE_USER, lambda store, who: users.delete_user(store, who, ANN), 1 + MANY),
    "delete a group": (
        Right.MANAGE_GROUPS,
        lambda store, who: groups.delete_group(store, who, 1),
        1 + 3 + MANY,
    ),
    "leave a group": (
        Right.MANAGE_MEMBERS,
        lambda store, who: members.remove_member(store, who, 1, ANN),
        1 + MANY,
    ),
}
"""By name: the right that it takes, the call, and how many records it changes."""


@pytest.mark.parametrize("name", WRITES)
@pytest.mark.parametrize("line", LINES)
def test_a_write_that_dies_twice_over_is_done_once_when_it_is_repeated(
    store: Store, house: House, name: str, line: str
) -> None:
    right, write, changes = WRITES[name]
    for _ in range(MANY):
        house.task(ANN, 1)
    before = len(dirty.journal(store))
    with failpoints.armed(line, crash):
        with pytest.raises(Crash):
            write(store, named(right))
        with suppress(Crash):  # once it was written, a repetition is answered without writing
            write(store, named(right))
    write(store, named(right))
    assert len(dirty.journal(store)) == before + changes
    assert scrub.differences(store) == []


@pytest.mark.parametrize("line", sweeping.LINES)
@pytest.mark.parametrize("name", ["delete a user", "delete a group", "leave a group"])
def test_a_cascade_whose_sweep_dies_twice_over_ends_whole_and_comes_back(
    store: Store, house: House, monkeypatch: pytest.MonkeyPatch, name: str, line: str
) -> None:
    monkeypatch.setattr(cascades, "MOST_AT_ONCE", 5)
    monkeypatch.setattr(sweeping, "AT_ONCE", 2)
    right, write, _ = WRITES[name]
    made = [house.task(ANN, 1).id for _ in range(MANY)]
    write(store, named(right))
    swept_with_deaths(store, line)
    assert not any(store.redis.exists(f"task:{number}") for number in made) or name == "leave a group"
    back = {
        "delete a user": lambda: users.restore_user(store, claim(OWNER, right), ANN),
        "delete a group": lambda: groups.restore_group(store, claim(OWNER, right), 1),
        "leave a group": lambda: members.add_member(store, claim(OWNER, right), 1, ANN),
    }
    back[name]()
    if leaving.accounts(store):
        swept_with_deaths(store, line)
    assert all(store.redis.exists(f"task:{number}") for number in made)


def swept_with_deaths(store: Store, line: str) -> None:
    """A sweep that two workers have died of."""
    for _ in range(2):
        with failpoints.armed(line, crash), pytest.raises(Crash):
            sweeping.sweep(store, 60)
    sweeping.sweep(store, 60)
    assert leaving.accounts(store) == {}
    assert scrub.differences(store) == []
