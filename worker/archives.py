"""Jobs of backups and restores: what the owner asks for, and the backup of each day."""

from dataclasses import asdict

import structlog

from taskapi.domain.errors import Refused
from taskapi.domain.progress import Progress, unseen
from taskapi.store import jobs, state
from taskapi.store.kinds import KINDS
from taskapi.sync import backup
from taskapi.sync import daily as due
from worker.connections import broker, engine, settings, shelf, store
from worker.registering import job
from worker.running import Report, carry_out, note_fault

LONGEST_SECONDS = 6 * 3600
TURN, TURN_SECONDS = "backup", 3600.0

log = structlog.get_logger("worker.archives")


@job("backup.asked", on_failure=note_fault, time_limit=LONGEST_SECONDS)
def asked(job_id: str) -> Report:
    """A backup that the owner has asked for."""
    return carry_out(job_id, lambda progress: _backed_up("asked", progress))


@job("backup.daily", time_limit=LONGEST_SECONDS)
def daily() -> None:
    """Rung by the beat every few minutes: makes the backup of the day if due, one worker at a time."""
    try:
        if _is_due() and jobs.take_turn(broker(), TURN, TURN_SECONDS):
            _in_turn()
        backup.verify_pending(engine(), shelf())
    except Refused as fault:
        log.warning("no backup was made, or verified", reason=str(fault))


@job("backup.verify", on_failure=note_fault, time_limit=LONGEST_SECONDS)
def verify(job_id: str, backup_id: str) -> Report:
    """Proves that a backup is good."""
    return carry_out(job_id, lambda progress: asdict(backup.verify(engine(), shelf(), backup_id, progress)))


def _is_due() -> bool:
    return due.is_due(shelf(), settings().backup_at, state.look(store()).incarnation)


def _in_turn() -> None:
    """Whoever had the turn before may just have made it."""
    try:
        if not _is_due():
            return
        report = _backed_up(due.DAILY, unseen)
    finally:
        jobs.end_turn(broker(), TURN)
    log.info("backed up", backup=report["id"], bytes=report["bytes"], good=report["is_good"])


def _backed_up(reason: str, progress: Progress) -> Report:
    """A new backup, after which the oldest beyond BACKUP_KEEP go."""
    made = backup.back_up(store(), engine(), shelf(), reason, progress)
    gone = backup.retain(engine(), shelf(), settings().backup_keep)
    synced = {kind.plural: made.counts[kind.name] for kind in KINDS.values() if kind.name in made.counts}
    return asdict(made) | {"synced": synced, "deleted": gone}
