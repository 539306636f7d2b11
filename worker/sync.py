"""Jobs of the sync. A lost or doubled one changes nothing: all work is found again in the dirty set."""

import time

import structlog

from taskapi.domain.errors import Full, Unavailable
from taskapi.services.owner import owner_again
from taskapi.sync.catching_up import catch_up, forced
from taskapi.sync.catching_up import sweep as sweep_all
from taskapi.sync.errors import Foreign
from taskapi.sync.flush import Flushed
from taskapi.sync.judging import Finding
from worker.connections import engine, settings, store
from worker.registering import job
from worker.running import Report, carry_out, note_fault

FLUSH_SECONDS = 20.0
SWEEP_SECONDS = 120.0

log = structlog.get_logger("worker.sync")


@job("sync.flush")
def flush() -> None:
    """Rung after writes and by the beat: admits Redis if it has restarted, then carries what is dirty."""
    begun = time.monotonic()
    try:
        verdict, flushed = catch_up(store(), engine(), FLUSH_SECONDS)
        if verdict.finding in (Finding.EMPTY, Finding.STALE):
            _reclaim()
    except (Unavailable, Full, Foreign) as fault:
        log.warning("nothing was carried", reason=str(fault))
        return
    if flushed.total:
        _tell("carried", flushed, begun)


def _tell(event: str, flushed: Flushed, begun: float) -> None:
    took = round((time.monotonic() - begun) * 1000, 1)
    log.info(event, rows=flushed.total, left=flushed.left, refused=flushed.refused, ms=took)


def _reclaim() -> None:
    """What was brought from PostgreSQL, by a restore that had died perhaps, may have the owner otherwise."""
    clash = owner_again(store(), settings().owner_email, settings().owner_password)
    if clash:
        log.error("the owner is not as the settings say", reason=clash["owner"])


@job("sync.sweep")
def sweep() -> None:
    """Rung by the beat at SYNC_INTERVAL: everything, and what is in quarantine once more."""
    begun = time.monotonic()
    try:
        flushed = sweep_all(store(), engine(), SWEEP_SECONDS)
    except (Unavailable, Full, Foreign) as fault:
        log.warning("the sweep was cut short", reason=str(fault))
        return
    _tell("swept", flushed, begun)


@job("sync.force", on_failure=note_fault)
def force(job_id: str) -> Report:
    """Asked for by the owner: a sweep, with its report kept under the job."""
    return carry_out(job_id, lambda _: forced(store(), engine(), SWEEP_SECONDS))
