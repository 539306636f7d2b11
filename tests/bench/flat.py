"""Prints what statistics and pages cost with few and with very many tasks, side by side.

make bench-flat                  # ARGS="--tasks 1000000 --rounds 5"
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

from taskapi.domain.callers import Claim
from taskapi.domain.clock import timestamp
from taskapi.domain.filters import Order, Page, TaskFilter, TaskSearch
from taskapi.domain.records import GROUP_ADMIN, OWNER, Group, Task, User
from taskapi.domain.rights import Right
from taskapi.embedded import servers as embedded
from taskapi.embedded.home import lock_home, open_home
from taskapi.services import statistics, task_lists
from taskapi.store import client, keys, placing, scrub, state
from taskapi.store.client import Store
from taskapi.store.plans import Change
from taskapi.store.records import save

SMALL, LARGE = 1_000, 100_000
CALLS, AT_ONCE, PEOPLE = 60, 500, 100
LEADERS = {SMALL: 2, LARGE: 3}
WORKERS = {SMALL: 4, LARGE: 5}
GROUPS = {SMALL: 1, LARGE: 2}
GOAL = 1.5

Call = Callable[[Store], object]


def main() -> None:
    """Fills a store in three steps, and measures after each."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--tasks", type=int, default=1_000_000, help="in the store at last (%(default)s)")
    parser.add_argument("--rounds", type=int, default=5, help="of each measurement (%(default)s)")
    asked = parser.parse_args()
    home = open_home(Path(tempfile.mkdtemp(prefix="taskapi-bench-")))
    with lock_home(home):
        running = embedded.start(home.path, embedded.free_ports(), durable=False, wanted=("redis",))
        try:
            _report(_opened(running.urls["redis"]), asked.tasks, asked.rounds)
        finally:
            running.stop()
            shutil.rmtree(home.path)


def _report(store: Store, tasks: int, rounds: int) -> None:
    _fill(store, 0, SMALL, _of_group(SMALL))
    measured = {f"{SMALL:,} of {SMALL:,}": _measured(store, SMALL, rounds)}
    _fill(store, SMALL, LARGE, _of_group(LARGE))
    before = _used(store)
    _fill(store, SMALL + LARGE, tasks - SMALL - LARGE, _of_anybody)
    print(f"{(_used(store) - before) / (tasks - SMALL - LARGE):.0f} bytes a task with all its indexes")
    for size in (SMALL, LARGE):
        measured[f"{size:,} of {tasks:,}"] = _measured(store, size, rounds)
    _print(measured)
    wrong = scrub.differences(store) if tasks <= SMALL + 2 * LARGE else []
    print("\n".join(wrong) or f"goal: at most {GOAL}")


def _opened(url: str) -> Store:
    """A store with two large groups' people, and others."""
    store = client.connect(url)
    ids = {"user": (0, 1000), "group": (0, 1000), "task": (0, 100_000_000)}
    assert state.open_for(store, state.look(store).run, "bench", 1, 0, ids)
    moment = timestamp()
    when = {"created_at": moment, "updated_at": moment}
    groups = [Group(name=f"Group {number}", **when) for number in range(1, 4)]
    roles = [(OWNER, ()), (GROUP_ADMIN, (1,)), (GROUP_ADMIN, (2,)), ("user", (1,)), ("user", (2,))]
    roles += [("user", (3,))] * PEOPLE
    people = [
        User(full_name=f"User {n}", role=role, group_ids=ids, **when) for n, (role, ids) in enumerate(roles)
    ]
    save(store, Claim(0), [Change(None, group, "created") for group in groups])
    save(store, Claim(0), [Change(None, user, "created") for user in people])
    return store


def _of_group(size: int) -> Callable[[int], tuple[int, int]]:
    return lambda number: (WORKERS[size], GROUPS[size])


def _of_anybody(number: int) -> tuple[int, int]:
    return 6 + number % PEOPLE, 3


def _fill(store: Store, start: int, count: int, owner: Callable[[int], tuple[int, int]]) -> None:
    """Puts tasks as a restore does: the same indexes and counters, without marks and journal."""
    begun, moment = time.perf_counter(), timestamp()
    with _closed(store, start + count):
        for numbers in _parts(range(start + 1, start + count + 1), AT_ONCE):
            placing.place(store, [(None, _task(number, owner(number), moment), False) for number in numbers])
    seconds = time.perf_counter() - begun
    print(f"{start + count:,} tasks in the store: {count:,} more in {seconds:.0f} s", flush=True)


def _parts(numbers: range, size: int) -> Iterator[range]:
    return (numbers[start : start + size] for start in range(0, len(numbers), size))


@contextmanager
def _closed(store: Store, last_id: int) -> Iterator[None]:
    """Records are placed while the store is closed."""
    state.close(store)
    yield
    version = state.EPOCH_SPAN + 10_000 + last_id
    store.redis.hset(keys.META, mapping={"state": state.READY, "version": version})
    store.redis.hset(keys.IDS, "task", last_id)


def _task(number: int, place: tuple[int, int], moment: str) -> Task:
    """With the defaults, in any state; one in twenty has a deadline, half of these long ago."""
    deadline = None if number % 20 else ("2020-01-01" if number % 40 else "2999-01-01")
    return Task(
        id=number, version=state.EPOCH_SPAN + 10_000 + number, title=f"Task {number}", user_id=place[0],
        group_id=place[1], status=number % 3 == 0, priority=number % 3 + 1, deadline=deadline,
        completed_at=moment if number % 3 == 0 else None, created_at=moment, updated_at=moment,
    )  # fmt: skip


def _used(store: Store) -> int:
    return int(store.redis.info("memory")["used_memory"])


def _operations(size: int) -> dict[str, Call]:
    """What is measured: as the admin of the group of that size, as its worker, and as the owner."""
    leader, worker, group_id = LEADERS[size], WORKERS[size], GROUPS[size]
    newest, far = {"order": Order("id", True)}, {"page": Page(page=size // 100)}
    pending, high = {"status": False}, {"status": False, "priorities": (1,)}
    return {
        "statistics, owner": _statistics(1),
        "statistics, admin": _statistics(leader),
        "statistics, user": _statistics(worker),
        "statistics of a group": lambda store: statistics.read_group_statistics(
            store, Claim(leader, Right.READ_GROUP), group_id
        ),
        "page of 50, owner": _listed(1, {}),
        "page of 50, admin": _listed(leader, {}),
        "page of 50, user": _listed(worker, {}),
        "page in the middle": _listed(worker, far),
        "newest first": _listed(leader, newest),
        "pending, owner": _listed(1, {}, **pending),
        "pending, admin": _listed(leader, {}, **pending),
        "pending, high": _listed(leader, {}, **high),
        "high or low": _listed(leader, {}, priorities=(1, 3)),
    }


def _statistics(who: int) -> Call:
    return lambda store: statistics.read_statistics(store, Claim(who, Right.FIND_TASKS))


def _listed(who: int, arranged: dict[str, Any], **wanted: Any) -> Call:
    search = TaskSearch(TaskFilter(**wanted), **arranged)
    return lambda store: task_lists.list_tasks(store, Claim(who, Right.FIND_TASKS), search)


def _measured(store: Store, size: int, rounds: int) -> dict[str, float]:
    """The best median of some rounds of each operation, in seconds."""
    operations = _operations(size)
    times: dict[str, list[float]] = {name: [] for name in operations}
    for _ in range(rounds):
        for name, call in operations.items():
            times[name].append(median(_timed(call, store) for _ in range(CALLS)))
    return {name: min(found) for name, found in times.items()}


def _timed(call: Call, store: Store) -> float:
    begun = time.perf_counter()
    call(store)
    return time.perf_counter() - begun


def _print(measured: dict[str, dict[str, float]]) -> None:
    """The first column in microseconds, the others as multiples of it."""
    first, *others = measured
    print("Tasks of the admin's group and of the user, of all tasks, which the owner sees:")
    print(f"{'':24}{first + ', us':>20}" + "".join(f"{name:>22}" for name in others))
    for name, base in measured[first].items():
        ratios = "".join(f"{measured[other][name] / base:>22.2f}" for other in others)
        print(f"{name:24}{base * 1e6:>20.0f}{ratios}")


if __name__ == "__main__":
    main()
