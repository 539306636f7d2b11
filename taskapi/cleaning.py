"""The clean-up jobs by name, and how often each is due. Each can be killed anywhere, and done twice."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from taskapi.config import Settings
from taskapi.db.engine import Engine
from taskapi.domain import clock, trash
from taskapi.domain.progress import Progress, unseen
from taskapi.services.emptying import empty_trash
from taskapi.store import cleanups
from taskapi.store.client import Store
from taskapi.sync.returns import returns

LONGEST_SECONDS = 600.0
HOURLY, DAILY = timedelta(minutes=50), timedelta(hours=23)

log = structlog.get_logger("taskapi.cleanup")

Counts = Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Ground:
    """What the jobs work on."""

    settings: Settings
    store: Store
    engine: Engine


@dataclass(frozen=True, slots=True)
class Job:
    """`clean(ground, dry_run, progress)` says how much of what it removed; then it rests so long."""

    clean: Callable[[Ground, bool, Progress], Counts]
    rest: timedelta


def _trash(ground: Ground, dry_run: bool, progress: Progress) -> Counts:
    """What PostgreSQL alone knows, when a restore was, is asked first: while it is away nothing is purged."""
    days = ground.settings.trash_days
    term = trash.term(days, returns(ground.engine, days))
    return empty_trash(ground.store, term, seconds=LONGEST_SECONDS, dry_run=dry_run, progress=progress)


JOBS: dict[str, Job] = {
    "trash": Job(_trash, HOURLY),
}


def is_due(store: Store, name: str) -> bool:
    """Whether the job was not done for as long as it rests."""
    last = cleanups.last(store).get(name)
    return last is None or clock.now() - datetime.fromisoformat(last["at"]) >= JOBS[name].rest


def clean(ground: Ground, name: str, *, dry_run: bool = False, progress: Progress = unseen) -> Counts:
    """Does the job of that name and notes it for the status; a `dry_run` only counts what it would remove.

    Raises Unavailable, Full.
    """
    counts = dict(JOBS[name].clean(ground, dry_run, progress))
    if not dry_run:
        cleanups.note(ground.store, name, sum(counts.values()))
        log.info("cleaned up", name=name, removed=counts)
    return counts
