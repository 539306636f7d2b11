"""Prints what it costs to delete a user with very many tasks, and to bring them back, while others work.

make bench-cascade               # ARGS="--tasks 100000"
"""

import argparse
import multiprocessing
import shutil
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

from taskapi.domain.callers import Claim
from taskapi.domain.clock import timestamp
from taskapi.domain.filters import TaskSearch
from taskapi.domain.records import Task, User
from taskapi.domain.rights import Right
from taskapi.embedded import servers as embedded
from taskapi.embedded.home import lock_home, open_home
from taskapi.services import task_lists, tasks, users
from taskapi.services.owner import ensure_owner
from taskapi.services.sweeping import sweep
from taskapi.store import client, leaving, scrub, state
from taskapi.store.client import Store
from taskapi.store.plans import Change
from taskapi.store.records import save

OWNER = Claim(1, Right.DELETE_USER)
LEAVER, OTHER = 2, 3


def main() -> None:
    """Fills a store, deletes, sweeps, restores, sweeps; prints each time, and the others' slowest call."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--tasks", type=int, default=100_000, help="how many the user has (%(default)s)")
    asked = parser.parse_args()
    home = open_home(Path(tempfile.mkdtemp(prefix="taskapi-bench-")))
    with lock_home(home):
        running = embedded.start(home.path, embedded.free_ports(), durable=True, wanted=("redis",))
        try:
            _measure(running.urls["redis"], asked.tasks)
        finally:
            running.stop()
            shutil.rmtree(home.path)


def _measure(url: str, count: int) -> None:
    store = _filled(url, count)
    for name, act in (("delete", users.delete_user), ("restore", users.restore_user)):
        with Others(url) as others:
            took = _timed(lambda act=act: act(store, OWNER, LEAVER))
            swept = _timed(lambda: _sweep_elsewhere(url))
        print(
            f"{name} {count} tasks with their user: answered in {took * 1000:.0f} ms, swept in {swept:.1f} s"
        )
        print(f"    others made {others.calls} calls; the slowest took {others.slowest * 1000:.0f} ms")
        assert leaving.accounts(store) == {}
    wrong = scrub.differences(store)
    print("indexes and counters are exact" if not wrong else "\n".join(wrong))


def _filled(url: str, count: int) -> Store:
    store = client.connect(url)
    ids = {"user": (0, 1000), "group": (0, 1000), "task": (0, 100_000_000)}
    assert state.open_for(store, state.look(store).run, "bench", 1, 0, ids)
    ensure_owner(store, "admin@gmail.com", "admin1234")
    moment = timestamp()
    people = [User(full_name=name, created_at=moment, updated_at=moment) for name in ("Leaver", "Other")]
    save(store, Claim(0), [Change(None, user, "created") for user in people])
    for start in range(0, count, 500):
        numbers = range(start, min(start + 500, count))
        save(store, Claim(0), [Change(None, _task(number, moment), "created") for number in numbers])
    return store


def _task(number: int, moment: str) -> Task:
    values = {"title": f"Task {number}", "user_id": LEAVER, "priority": number % 3 + 1, "tags": ("bench",)}
    return Task(**values, created_at=moment, updated_at=moment)


def _timed(act: Callable[[], object]) -> float:
    begun = time.perf_counter()
    act()
    return time.perf_counter() - begun


def _sweep_elsewhere(url: str) -> None:
    """In a process of its own, as a worker does."""
    worker = multiprocessing.get_context("spawn").Process(target=_swept, args=(url,))
    worker.start()
    worker.join()


def _swept(url: str) -> None:
    sweep(client.connect(url), 600)


class Others:
    """Somebody else who writes and reads all the time."""

    def __init__(self, url: str) -> None:
        self.calls, self.slowest = 0, 0.0
        self._store, self._over = client.connect(url), threading.Event()
        self._thread = threading.Thread(target=self._work)

    def __enter__(self) -> "Others":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _work(self) -> None:
        claim = Claim(OTHER, Right.WORK_ON_TASKS)
        while not self._over.is_set():
            self._call(lambda: tasks.create_task(self._store, claim, {"title": "x"}))
            self._call(lambda: task_lists.list_tasks(self._store, claim, TaskSearch()))
            time.sleep(0.002)

    def _call(self, act: Callable[[], object]) -> None:
        self.slowest = max(self.slowest, _timed(act))
        self.calls += 1


if __name__ == "__main__":
    main()
