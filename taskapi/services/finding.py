"""Tasks found by words: by PostgreSQL's index and what it does not have yet, or by looking at each task.

Whatever the index says is only where to look: every hit is read as it is now, and judged again.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from taskapi.domain import deadlines
from taskapi.domain.callers import Claim
from taskapi.domain.errors import Unavailable
from taskapi.domain.filters import Scope, TaskFilter
from taskapi.domain.records import Task
from taskapi.store import finders, keys, overlay
from taskapi.store.client import Store
from taskapi.store.kinds import TASK
from taskapi.store.reading import Listing, Question, ask

MOST_WAITING = 5000
MOST_HITS = 5000
SLICE = 500
WORK_SECONDS = 1.0
LAST_SLICE_SECONDS = 0.45

Index = Callable[[Sequence[str], Scope, int], list[int]]
"""Words, a scope and how many ids at most, to the ids of the first tasks that had them at the last flush.

Raises Unavailable if it cannot tell.
"""

DayIndex = Callable[[str, Scope, int], list[int]]
"""The same for a date: the tasks that were made, are due or were done on it."""


@dataclass(frozen=True, slots=True)
class Found:
    """Tasks with their stored texts; `is_complete` unless there may be more."""

    tasks: dict[Task, bytes]
    is_complete: bool


def _work_ends() -> float:
    """Early enough for what was begun by then to be answered before the deadline."""
    return time.monotonic() + min(WORK_SECONDS, deadlines.left() - LAST_SLICE_SECONDS)


@dataclass(slots=True)
class Work:
    """How long a search may look at tasks; `was_cut` once it was asked to go on and could not."""

    until: float = field(default_factory=_work_ends)
    was_cut: bool = False

    def may_go_on(self) -> bool:
        """Whether there is time for another slice."""
        self.was_cut = self.was_cut or time.monotonic() >= self.until
        return not self.was_cut


def found(store: Store, claim: Claim, index: Index | None, scope: Scope, wanted: TaskFilter) -> Found:
    """The tasks of a scope for which a filter with words holds, at this moment.

    What is waiting for PostgreSQL is read before PostgreSQL is asked: a task that is carried in
    between is in both, and none in neither.
    """
    waiting = overlay.tasks_waiting(store, MOST_WAITING) if index else None
    hits = None if index is None or waiting is None else _hits(index, scope, wanted)
    if waiting is None or hits is None:
        return scanned(store, claim, scope, wanted)
    tasks, was_cut = judged(store, claim, sorted(waiting.union(hits[:MOST_HITS])), scope, wanted)
    return Found(tasks, not was_cut and len(hits) <= MOST_HITS)


def _hits(index: Index, scope: Scope, wanted: TaskFilter) -> list[int] | None:
    try:
        return index(wanted.words, scope, MOST_HITS + 1)
    except Unavailable:
        return None


def judged(
    store: Store, claim: Claim, ids: Sequence[int], scope: Scope, wanted: TaskFilter
) -> tuple[dict[Task, bytes], bool]:
    """Those of the ids that are there and meant, and whether the time was over before the last."""
    work, tasks = Work(), dict[Task, bytes]()
    for start in range(0, len(ids), SLICE):
        if not work.may_go_on():
            break
        part = ids[start : start + SLICE]
        seen = ask(store, claim, Question([keys.record(TASK.name, number) for number in part]))
        for stored in filter(None, (seen.listed(TASK, number) for number in part)):
            task: Task = seen.record(TASK, stored.id)
            if scope.covers(task) and wanted.matches(task):
                tasks[task] = stored.blob
    return tasks, work.was_cut


def scanned(store: Store, claim: Claim, scope: Scope, wanted: TaskFilter) -> Found:
    """The same, found by looking at each task of the scope."""
    work = Work()

    def fetch(listing: Sequence[Any]) -> Listing:
        return ask(store, claim, Question(listing=listing)).listing if work.may_go_on() else Listing()

    tasks = {task: blob for blob, task in finders.scanned(fetch, scope, wanted)}
    return Found(tasks, not work.was_cut)
