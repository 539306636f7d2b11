"""The nightly check: both stores compared, and what is wrong put right."""

from datetime import timedelta

import structlog

from taskapi.domain.errors import Unavailable
from taskapi.store import jobs
from taskapi.sync import auditing
from worker.connections import broker, engine, store
from worker.registering import job
from worker.running import carry_out

LONGEST_SECONDS = 3000
PROOF_SECONDS = 1000.0
PAUSE_SECONDS = 0.005
REST = timedelta(hours=12)

log = structlog.get_logger("worker.checks")


@job("sync.compare", time_limit=LONGEST_SECONDS)
def compare() -> None:
    """Rung by the beat each night; two rings, of two beats or over many workers, do it once."""
    try:
        with auditing.turn(store(), engine(), REST) as is_mine:
            if is_mine:
                _compare()
    except Unavailable as fault:
        log.warning("the stores could not be compared", reason=str(fault))


def _compare() -> None:
    """With its report kept as that of a job which the owner asked for."""
    made = jobs.create(broker(), "compare")
    carry_out(
        made.id,
        lambda progress: auditing.audit(
            store(), engine(), progress=progress, pause=PAUSE_SECONDS, seconds=PROOF_SECONDS
        ),
    )
