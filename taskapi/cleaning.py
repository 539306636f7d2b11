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
from taskapi.outside.shelf import Shelf, open_shelf
from taskapi.services.emptying import empty_trash
from taskapi.store import cleanups, jobs, leftovers
from taskapi.store.client import Store
from taskapi.store.jobs import Jobs
from taskapi.sync import backup, uploads
from taskapi.sync.retaining import LEFT_BEHIND_SECONDS
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
    broker: Jobs

    @property
    def backups(self) -> Shelf:
        """Where backups go."""
        return open_shelf(self.settings.backup_url)

    @property
    def uploads(self) -> Shelf:
        """Where uploaded files go."""
        return open_shelf(self.settings.upload_url)


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


def _sessions(ground: Ground, dry_run: bool, progress: Progress) -> Counts:
    return {"ended sessions": leftovers.sessions(ground.store, dry_run=dry_run, progress=progress)}


def _answers(ground: Ground, dry_run: bool, progress: Progress) -> Counts:
    return {"forgotten answers": leftovers.answers(ground.store, dry_run=dry_run, progress=progress)}


def _limits(ground: Ground, dry_run: bool, progress: Progress) -> Counts:
    return {"full limits": leftovers.limits(ground.store, dry_run=dry_run, progress=progress)}


def _jobs(ground: Ground, dry_run: bool, _: Progress) -> Counts:
    return {"forgotten jobs": jobs.forget(ground.broker, dry_run=dry_run)}


def _backups(ground: Ground, dry_run: bool, _: Progress) -> Counts:
    """Those in excess of BACKUP_KEEP; and what whoever died has left half-written there, uncounted."""
    keep = ground.settings.backup_keep
    return {"backups": len(backup.retain(ground.engine, ground.backups, keep, dry_run=dry_run))}


def _uploads(ground: Ground, dry_run: bool, _: Progress) -> Counts:
    """Bytes that nobody names any more, and what whoever died has left half-written."""
    drafts = 0 if dry_run else ground.uploads.tidy(LEFT_BEHIND_SECONDS)
    shelves = (ground.uploads, ground.backups)
    orphans = uploads.collect_orphans(ground.store, ground.engine, *shelves, dry_run=dry_run)
    return {"orphan uploads": orphans, "drafts of uploads": drafts}


JOBS: dict[str, Job] = {
    "trash": Job(_trash, HOURLY),
    "sessions": Job(_sessions, DAILY),
    "answers": Job(_answers, DAILY),
    "limits": Job(_limits, HOURLY),
    "jobs": Job(_jobs, DAILY),
    "backups": Job(_backups, DAILY),
    "uploads": Job(_uploads, DAILY),
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
    progress(1.0)
    if not dry_run:
        cleanups.note(ground.store, name, sum(counts.values()))
        log.info("cleaned up", name=name, removed=counts)
    return counts
