"""The trash is emptied while others take things out of it, by two at once, and by some who die of it."""

import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest

from taskapi.domain import failpoints
from taskapi.domain.callers import Claim
from taskapi.domain.errors import NotFound
from taskapi.domain.records import User
from taskapi.services import emptying, groups, sweeping, tasks, users
from taskapi.store import keys, scrub
from taskapi.store.client import Store
from taskapi.store.plans import Change
from tests.services.conftest import ANN, BOB, OWNER, House, claim
from tests.services.trash.conftest import DELETE, MANAGE, Days, delete_ann, emptied, everywhere, restore_ann
from tests.sync.conftest import Crash, crash

Act = Callable[[Store], Any]
GOES: dict[str, Act] = {
    "task": lambda store: tasks.remove_task(store, claim(ANN), 1),
    "user": delete_ann,
    "group": lambda store: groups.delete_group(store, claim(OWNER, MANAGE), 1),
}
COMES_BACK: dict[str, Act] = {
    "task": lambda store: tasks.restore_task(store, claim(ANN), 1),
    "user": restore_ann,
    "group": lambda store: groups.restore_group(store, claim(OWNER, MANAGE), 1),
}
MANY = 5


def once(monkeypatch: pytest.MonkeyPatch, module: Any, name: str, act: Callable[[], object]) -> None:
    """The first time that this function of the module is called, the other comes first."""
    real, done = getattr(module, name), []

    def raced(*args: Any, **kwargs: Any) -> Any:
        if not done:
            done.append(1)
            act()
        return real(*args, **kwargs)

    monkeypatch.setattr(module, name, raced)


@pytest.mark.parametrize("what", GOES)
def test_what_is_taken_out_at_the_same_moment_comes_back_whole(
    store: Store, house: House, days: Days, monkeypatch: pytest.MonkeyPatch, what: str
):
    made = [house.task(ANN, 1).id for _ in range(MANY)]
    GOES[what](store)
    days.pass_by(31)
    once(monkeypatch, emptying, "save", lambda: COMES_BACK[what](store))

    assert emptied(store) == {}

    assert all(everywhere(store, f"task:{number}") == [""] for number in made)
    assert scrub.differences(store) == []


@pytest.mark.parametrize("what", GOES)
def test_what_is_purged_at_the_same_moment_does_not_come_back(
    store: Store, house: House, days: Days, monkeypatch: pytest.MonkeyPatch, what: str
):
    made = [house.task(ANN, 1).id for _ in range(MANY)]
    GOES[what](store)
    days.pass_by(31)
    module = {"task": tasks, "user": users, "group": groups}[what]
    once(monkeypatch, module, "save", lambda: emptied(store))

    with pytest.raises(NotFound):
        COMES_BACK[what](store)

    gone = made[:1] if what == "task" else made
    assert all(everywhere(store, f"task:{number}") == [keys.PURGED] for number in gone)
    assert scrub.differences(store) == []


def test_one_who_restores_and_one_who_purges_at_once_never_leave_half(store: Store, house: House, days: Days):
    for _ in range(MANY):
        house.task(ANN, 1)
    for _ in range(4):
        delete_ann(store)
        days.pass_by(31)
        together(lambda: brought_back(store), lambda: emptied(store))
        came_back = everywhere(store, f"user:{ANN}") == [""]
        left = [everywhere(store, f"task:{number}") for number in range(1, MANY + 1)]
        assert left == ([[""]] * MANY if came_back else [[keys.PURGED]] * MANY)
        assert scrub.differences(store) == []
        if not came_back:
            return


def brought_back(store: Store) -> None:
    with suppress(NotFound):
        restore_ann(store)


def together(*acts: Callable[[], object]) -> None:
    start = threading.Barrier(len(acts))

    def one(act: Callable[[], object]) -> None:
        start.wait()
        act()

    threads = [threading.Thread(target=one, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_two_who_empty_it_at_once_do_it_once(store: Store, house: House, days: Days):
    for number in range(20):
        task = house.task((ANN, BOB)[number % 2], 1)
        tasks.remove_task(store, claim(OWNER), task.id)
    delete_ann(store)
    days.pass_by(31)
    before = store.redis.xlen("journal")
    together(lambda: emptied(store), lambda: emptied(store))
    emptied(store)
    assert store.redis.xlen("journal") == before + 21
    assert store.redis.zcard(keys.TRASHED) == 0
    assert scrub.differences(store) == []


@pytest.mark.parametrize("line", emptying.LINES)
@pytest.mark.parametrize("what", GOES)
def test_killed_at_any_line_twice_over_it_is_finished_by_the_next(
    store: Store, house: House, days: Days, what: str, line: str
):
    made = [house.task(ANN, 1).id for _ in range(MANY)]
    GOES[what](store)
    days.pass_by(31)
    for _ in range(2):
        with failpoints.armed(line, crash), pytest.raises(Crash):
            emptied(store)
        assert scrub.differences(store) == []
        if store.redis.zcard(keys.TRASHED) == 0:
            break
    emptied(store)
    assert store.redis.zcard(keys.TRASHED) == 0
    gone = made[:1] if what == "task" else made
    assert all(everywhere(store, f"task:{number}") == [keys.PURGED] for number in gone)
    assert scrub.differences(store) == []


def test_a_sweep_that_begins_at_the_same_moment_brings_all_back(
    store: Store, house: House, days: Days, monkeypatch: pytest.MonkeyPatch
):
    made = [house.task(ANN, 2).id for _ in range(2 * MANY)]
    delete_ann(store)
    days.pass_by(31)
    store.redis.zrem(keys.TRASHED, f"user:{ANN}")  # so that the tasks are looked at before
    looked = emptying._Work._waiting

    def raced(work: Any, due: Any) -> Any:
        if store.redis.exists(keys.trashed("user", ANN)):
            restore_ann(store)
        return looked(work, due)

    monkeypatch.setattr(emptying._Work, "_waiting", raced)
    assert emptied(store) == {}
    sweeping.sweep(store, 60)
    assert all(everywhere(store, f"task:{number}") == [""] for number in made)
    assert scrub.differences(store) == []


def test_what_others_are_at_all_the_while_is_left_for_the_next_run(
    store: Store, house: House, days: Days, monkeypatch: pytest.MonkeyPatch
):
    busy, calm = [house.task(ANN, 1) for _ in range(3)], house.task(ANN, 1)
    for task in (*busy, calm):
        tasks.remove_task(store, claim(ANN), task.id)
    users.delete_user(store, claim(OWNER, DELETE), BOB)
    days.pass_by(31)
    monkeypatch.setattr(emptying, "AT_ONCE", 1)
    real = emptying.save

    def refused(store: Store, who: Claim, changes: list[Change], **options: Any) -> Any:
        was = changes[0].subject
        if was.id in [task.id for task in busy] or isinstance(was, User):
            changes = [Change(was.changed(version=1), None, "purged")]
        return real(store, who, changes, **options)

    monkeypatch.setattr(emptying, "save", refused)
    assert emptied(store) == {"tasks": 1}
    monkeypatch.setattr(emptying, "save", real)
    assert emptied(store) == {"users": 1, "tasks": 3}


def test_a_run_that_is_out_of_time_goes_on_later(store: Store, house: House, days: Days):
    house.task(ANN, 1)
    GOES["task"](store)
    delete_ann(store)
    days.pass_by(31)
    assert emptied(store, seconds=-1) == {}
    assert emptied(store) == {"users": 1, "tasks": 1}
