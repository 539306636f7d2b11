"""Restores that die at any line: old or new, and nothing on its own."""

from collections.abc import Callable
from contextlib import ExitStack

import pytest
from redis import Redis

from taskapi.db.engine import Engine
from taskapi.domain import failpoints
from taskapi.domain.callers import Claim, Operation
from taskapi.outside.shelf import Shelf
from taskapi.store import dirty, sessions, state, syncs
from taskapi.store.client import Store
from taskapi.store.plans import Change
from taskapi.store.records import save
from taskapi.sync import admission, going_back, restoring
from taskapi.sync.admission import admit
from taskapi.sync.going_back import go_back
from taskapi.sync.restoring import rebuild
from tests.sync.conftest import Crash, change, crash, new_task, purge, take_all
from tests.sync.test_admission import require_settled, tasks_in
from tests.sync.test_going_back import kept, present
from tests.sync.test_older_redis import sign_in

ENDING = ("turning.committed", *(line for line in admission.LINES if line != "admission.locked"))
"""Lines of the admission that ends a restore."""


def is_decided(lines: tuple[str, ...], line: str) -> bool:
    return lines.index(line) >= lines.index("turning.committed")


@pytest.mark.parametrize("line", restoring.LINES)
def test_killed_twice_over_a_rebuild_loses_nothing(
    opened: Store, picky: Engine, shelf: Shelf, beside: Redis, line: str
):
    sign_in(opened)
    kept_task, gone, _ = (new_task(opened, title=title) for title in ("kept", "gone", "evil"))
    purge(opened, gone)
    for number in range(2):
        title = f"changed {number}"
        die(opened, line, lambda: rebuild(opened, picky, shelf), kept_task.id, title)
        admit(opened, picky)
        assert beside.dbsize() == 0
        assert set(tasks_in(opened).values()) == {title, "evil"}

    assert len(sessions.of_user(opened, 1)) == 1
    require_nothing_lost(opened, picky)


@pytest.mark.parametrize("line", going_back.LINES)
def test_killed_twice_over_it_is_back_or_where_it_was(
    opened: Store, picky: Engine, shelf: Shelf, beside: Redis, line: str
):
    task, then, name = then_and_now(opened, picky, shelf)
    for number in range(2):
        title = f"now {number}"
        die(opened, line, lambda: go_back(opened, picky, shelf, name), task, title)
        admit(opened, picky)
        assert beside.dbsize() == 0
        now = {task: title, task + 2: "evil"}
        assert tasks_in(opened) == (then if is_decided(going_back.LINES, line) else now)

    assert len(sessions.of_user(opened, 1)) == (not is_decided(going_back.LINES, line))
    require_nothing_lost(opened, picky)


@pytest.mark.parametrize("line", ENDING)
def test_killed_twice_over_while_redis_is_closed_for_it_the_next_admission_ends_it(
    opened: Store, picky: Engine, shelf: Shelf, line: str
):
    task, then, name = then_and_now(opened, picky, shelf)
    if line == "rebuilding.marked":  # once before the point of no return, and once after it
        with failpoints.armed("turning.committed", crash), pytest.raises(Crash):
            go_back(opened, picky, shelf, name, offline=True)
    else:
        die(opened, line, lambda: go_back(opened, picky, shelf, name, offline=True), task, "now")
    try:
        with failpoints.armed(line, crash):
            admit(opened, picky)
    except Crash:
        assert line != "turning.committed"
    admit(opened, picky)

    assert tasks_in(opened) == then
    assert opened.redis.keys("session*") == []
    require_nothing_lost(opened, picky)


def then_and_now(store: Store, engine: Engine, shelf: Shelf) -> tuple[int, dict[int, str], str]:
    """A task that is not what it was, what there was then, and the backup of then."""
    sign_in(store)
    task, gone, _ = (new_task(store, title=title) for title in ("then", "gone", "evil"))
    name = kept(store, engine, shelf)
    then = tasks_in(store)
    purge(store, gone)
    named = Claim(1, operation=Operation("key", "fingerprint"))
    save(store, named, [Change(task, task.changed(title="now"), "changed")])
    return task.id, then, name


def die(store: Store, line: str, restore: Callable[[], object], task_id: int, title: str) -> None:
    """The restore dies there; before it something is written at the last moment."""

    def write() -> None:
        change(store, present(store, task_id), title=title)
        if line == "freezing.locked":
            crash()
        lines.enter_context(failpoints.armed(line, crash))

    with ExitStack() as lines:
        lines.enter_context(failpoints.armed("freezing.locked", write))
        with pytest.raises(Crash):
            restore()


def require_nothing_lost(store: Store, engine: Engine) -> None:
    """Not even what PostgreSQL refuses, which it takes now."""
    assert not syncs.history(store).losses
    assert (state.look(store).is_ready, state.look(store).restorer) == (True, "")
    take_all(engine)
    dirty.rearm(store)
    require_settled(store, engine)
