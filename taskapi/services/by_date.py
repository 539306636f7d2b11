"""The tasks of one day: those that were made, are due or were done on it, remembered until one changes."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date

import orjson

from taskapi.domain import access
from taskapi.domain.callers import Claim
from taskapi.domain.errors import Invalid, Moved, NotFound, Unavailable
from taskapi.domain.filters import Page, Scope, TaskFilter
from taskapi.services import finding
from taskapi.services.again import decided_again
from taskapi.services.finding import MOST_WAITING, DayIndex
from taskapi.services.results import Listed
from taskapi.store import finders, keys, overlay, stamps
from taskapi.store.cache import Cache, remembered
from taskapi.store.client import Store
from taskapi.store.kinds import TASK
from taskapi.store.reading import Question, Seen, ask

KEPT_SECONDS = 60 * 60
PATIENCE_SECONDS = 0.5
MOST_ON_A_DAY = 50_000


@dataclass(frozen=True, slots=True)
class Sources:
    """Where the tasks of a day are found: remembered, in PostgreSQL, and as they are now."""

    store: Store
    index: DayIndex
    cache: Cache


class _Partial(Exception):
    """There was no time to look at all; `ids` are what was found."""

    def __init__(self, ids: list[int]) -> None:
        super().__init__()
        self.ids = ids


@decided_again
def list_tasks_on(sources: Sources, claim: Claim, day: str, page: Page) -> Listed:
    """The tasks that the caller may see and that were made, are due or were done on that date, by id.

    `complete` beside them says whether there was time to look at all. Raises Invalid, naming `date`, if
    that is none, and NotFound if there is certainly no such task.
    """
    scope = access.scope_of(ask(sources.store, claim, Question()).caller)
    wanted = TaskFilter(on_day=_required_date(day))
    ids, is_complete = _ids(sources, claim, scope, wanted)
    if not ids and is_complete:
        raise NotFound(f"You have no tasks that were made, are due or were done on {day}.")
    listed = _page(sources.store, claim, scope, wanted, page, ids)
    return replace(listed, beside={"date": day, "complete": is_complete})


def _required_date(text: str) -> str:
    try:
        found = date.fromisoformat(text)
    except ValueError:
        found = None
    if found is None or found.isoformat() != text:
        raise Invalid({"date": ["Must be a date that exists, YYYY-MM-DD."]})
    return text


def _ids(sources: Sources, claim: Claim, scope: Scope, wanted: TaskFilter) -> tuple[list[int], bool]:
    """The ids in order, remembered as long as no task of the scope changes, and whether these are all."""
    stamp = stamps.stamp(sources.store, scope)
    load = _loader(sources, claim, scope, wanted, is_still=stamp is not None)
    try:
        if stamp is None:
            return orjson.loads(load()), True
        key = keys.tasks_on(str(wanted.on_day), stamps.parts(scope), stamp)
        found = remembered(sources.cache, key, KEPT_SECONDS, load, patience=PATIENCE_SECONDS)
        return orjson.loads(found), True
    except _Partial as partial:
        return partial.ids, False


def _loader(
    sources: Sources, claim: Claim, scope: Scope, wanted: TaskFilter, *, is_still: bool
) -> Callable[[], bytes]:
    """Looks the ids up; what it returns is complete, for it raises _Partial else."""

    def load() -> bytes:
        ids = _looked_up(sources, claim, scope, wanted, is_still=is_still)
        if ids is None:
            found = finding.scanned(sources.store, claim, scope, wanted)
            ids = sorted(task.id for task in found.tasks)
            if not found.is_complete:
                raise _Partial(ids)
        return orjson.dumps(ids)

    return load


def _looked_up(
    sources: Sources, claim: Claim, scope: Scope, wanted: TaskFilter, *, is_still: bool
) -> list[int] | None:
    """By PostgreSQL and what it does not have yet, in that order; None if that does not tell.

    What is not waiting is there as PostgreSQL has it, unless something `is_still` leaving.
    """
    waiting = overlay.tasks_waiting(sources.store, MOST_WAITING)
    if waiting is None:
        return None
    try:
        hits = sources.index(str(wanted.on_day), scope, MOST_ON_A_DAY + 1)
    except Unavailable:
        return None
    doubtful = waiting if is_still else waiting.union(hits)
    there, was_cut = finding.judged(sources.store, claim, sorted(doubtful), scope, wanted)
    ids = sorted({task.id for task in there} | set(hits) - doubtful)
    if was_cut or len(hits) > MOST_ON_A_DAY:
        raise _Partial(ids)
    return ids


def _page(store: Store, claim: Claim, scope: Scope, wanted: TaskFilter, page: Page, ids: list[int]) -> Listed:
    """One page of those ids, as the tasks are now; what has just gone is left out."""
    after = finders.cursor_id(page, finders.BY_ID) or 0
    rest = ids[bisect_right(ids, after) :][page.offset :]
    chosen = rest[: page.per_page]
    seen = ask(store, claim, Question([keys.record(TASK.name, number) for number in chosen]))
    if access.scope_of(seen.caller) != scope:
        raise Moved("What the caller may see has changed.")
    items = tuple(blob for number in chosen if (blob := _if_meant(seen, number, scope, wanted)))
    following = finders.cursor_after(finders.BY_ID, chosen[-1]) if rest[page.per_page :] else None
    return Listed(TASK.plural, items, len(ids) - len(chosen) + len(items), following)


def _if_meant(seen: Seen, task_id: int, scope: Scope, wanted: TaskFilter) -> bytes | None:
    stored = seen.listed(TASK, task_id)
    if stored is None:
        return None
    task = seen.record(TASK, task_id)
    return stored.blob if scope.covers(task) and wanted.matches(task) else None
