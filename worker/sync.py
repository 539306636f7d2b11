"""Jobs of the sync. A lost or doubled one changes nothing: all work is found again in the dirty set."""

from collections.abc import Mapping, Sequence
from typing import Any

import structlog

from taskapi.domain.errors import Unavailable
from taskapi.store import jobs
from taskapi.sync.catching_up import catch_up, forced
from taskapi.sync.catching_up import sweep as sweep_all
from taskapi.sync.errors import Foreign
from worker.connections import broker, engine, store
from worker.registering import job

FLUSH_SECONDS = 20.0
SWEEP_SECONDS = 120.0

log = structlog.get_logger("worker.sync")


@job("sync.flush")
def flush() -> None:
    """Rung after writes and by the beat: admits Redis if it has restarted, then carries what is dirty."""
    try:
        _, flushed = catch_up(store(), engine(), FLUSH_SECONDS)
    except (Unavailable, Foreign) as fault:
        log.warning("nothing was carried", reason=str(fault))
        return
    if flushed.total:
        log.info("carried", rows=flushed.total, left=flushed.left, refused=flushed.refused)


@job("sync.sweep")
def sweep() -> None:
    """Rung by the beat at SYNC_INTERVAL: everything, and what is in quarantine once more."""
    try:
        flushed = sweep_all(store(), engine(), SWEEP_SECONDS)
    except (Unavailable, Foreign) as fault:
        log.warning("the sweep was cut short", reason=str(fault))
        return
    log.info("swept", rows=flushed.total, left=flushed.left, refused=flushed.refused)


def _note_fault(
    _: Any, fault: Exception, task_id: str, args: Sequence[Any], kwargs: Mapping[str, Any], trace: Any
) -> None:
    """Nobody foresaw this fault: whoever waits for the job is told that it is over."""
    error = f"An unexpected fault stopped it ({type(fault).__name__}); the worker's log tells more."
    jobs.update(broker(), kwargs["job_id"], jobs.FAILED, 0.0, {"action": "force", "error": error})


@job("sync.force", on_failure=_note_fault)
def force(job_id: str) -> dict[str, Any]:
    """Asked for by the owner: a sweep, with its report kept under the job."""
    jobs.update(broker(), job_id, jobs.RUNNING, 0.0)
    try:
        report = forced(store(), engine(), SWEEP_SECONDS)
    except (Unavailable, Foreign) as fault:
        report = {"action": "force", "error": str(fault)}
        jobs.update(broker(), job_id, jobs.FAILED, 0.0, report)
        return report
    jobs.update(broker(), job_id, jobs.DONE, 1.0, report)
    return report
