"""The clean-up jobs: rung by the beat each hour, done when they are due, by one worker at a time."""

import structlog

from taskapi import cleaning
from taskapi.cleaning import Ground
from taskapi.domain.errors import Refused
from taskapi.store import jobs
from worker.connections import broker, engine, settings, store
from worker.registering import job

LONGEST_SECONDS = 1800

log = structlog.get_logger("worker.cleaning")


@job("cleanup.trash", time_limit=LONGEST_SECONDS)
def trash() -> None:
    """Purges what has lain in the trash for TRASH_DAYS."""
    _in_turn("trash")


@job("cleanup.sessions", time_limit=LONGEST_SECONDS)
def sessions() -> None:
    """Takes sessions that have ended off the lists of their users."""
    _in_turn("sessions")


@job("cleanup.answers", time_limit=LONGEST_SECONDS)
def answers() -> None:
    """Takes answers that are forgotten off the lists of their callers."""
    _in_turn("answers")


@job("cleanup.limits", time_limit=LONGEST_SECONDS)
def limits() -> None:
    """Forgets callers who have all of their calls back."""
    _in_turn("limits")


@job("cleanup.jobs", time_limit=LONGEST_SECONDS)
def forgotten_jobs() -> None:
    """Takes jobs that are forgotten off their list."""
    _in_turn("jobs")


@job("cleanup.backups", time_limit=LONGEST_SECONDS)
def backups() -> None:
    """Deletes backups beyond BACKUP_KEEP, and drafts that somebody left behind."""
    _in_turn("backups")


@job("cleanup.uploads", time_limit=LONGEST_SECONDS)
def uploads() -> None:
    """Deletes the bytes of uploads that nobody needs any more, and drafts that somebody left behind."""
    _in_turn("uploads")


def _in_turn(name: str) -> None:
    """Two who do it at once would do no harm, and one is enough; whoever dies ends their turn in time."""
    turn = f"cleanup.{name}"
    try:
        if cleaning.is_due(store(), name) and jobs.take_turn(broker(), turn, LONGEST_SECONDS):
            try:
                if cleaning.is_due(store(), name):
                    cleaning.clean(Ground(settings(), store(), engine(), broker()), name)
            finally:
                jobs.end_turn(broker(), turn)
    except Refused as fault:
        log.warning("not cleaned up", name=name, reason=str(fault))
