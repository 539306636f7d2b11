"""How a job that somebody waits for is done: begun once, heard of all the while, its report kept."""

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import copy_context
from secrets import token_hex
from typing import Any

import structlog

from taskapi.domain.errors import Refused, Unavailable
from taskapi.domain.progress import Progress
from taskapi.store import dirty, jobs
from taskapi.sync.errors import Foreign
from worker.connections import broker, store

PULSE_SECONDS = 2.0
STEP_SECONDS = 0.25
PATIENCE_SECONDS = 30.0

log = structlog.get_logger("worker.jobs")

Report = Mapping[str, Any]


def note_fault(
    _: Any, fault: Exception, task_id: str, args: Sequence[Any], kwargs: Mapping[str, Any], trace: Any
) -> None:
    """Nobody foresaw this fault: whoever waits for the job is told that it is over."""
    error = f"An unexpected fault stopped it ({type(fault).__name__}); the worker's log tells more."
    jobs.update(broker(), kwargs["job_id"], jobs.FAILED, 0.0, {"error": error})


def carry_out(job_id: str, work: Callable[[Progress], Report], *, once: bool = False) -> Report:
    """Does the work; its report, or why it was refused, is kept under the job.

    `once`: not again if it was begun before, by a worker that has died or from a message that came twice.
    """
    is_first = _begun(job_id)
    if once and not is_first:
        return {}
    log.info("job begun", job_id=job_id)
    try:
        with _heard(job_id) as progress:
            report = _timed(work, progress)
    except (Refused, Foreign) as fault:
        log.warning("job refused", job_id=job_id, reason=str(fault))
        code = fault.code if isinstance(fault, Refused) else Unavailable.code
        report = {"error": str(fault), "code": code}
        _keep(job_id, jobs.FAILED, 0.0, report)
        return report
    _keep(job_id, jobs.DONE, 1.0, report)
    log.info("job done", job_id=job_id, ms=report["duration_ms"], synced=report.get("synced"))
    return report


def _timed(work: Callable[[Progress], Report], progress: Progress) -> Report:
    """The report, with how long it took, and whether PostgreSQL lacks something now."""
    begun = time.monotonic()
    report = work(progress)
    took = round((time.monotonic() - begun) * 1000, 1)
    return {"duration_ms": took, "pending_changes": dirty.count(store()) > 0, **report}


def _begun(job_id: str) -> bool:
    """A broker that has just brought the message is asked for a while, if it is away again."""
    until, this = time.monotonic() + PATIENCE_SECONDS, token_hex(8)
    while True:
        try:
            return jobs.begin(broker(), job_id, this)
        except Unavailable:
            if time.monotonic() > until:
                raise
            time.sleep(STEP_SECONDS)


def _keep(job_id: str, state: str, share: float, report: Report) -> None:
    """What was done is worth some patience with a broker that is away just now."""
    until = time.monotonic() + PATIENCE_SECONDS
    while not _told(job_id, state, share, report) and time.monotonic() < until:
        time.sleep(PULSE_SECONDS)


@contextmanager
def _heard(job_id: str) -> Iterator[Progress]:
    """Tells how far the work is, some times a second at most, and that it goes on, every few seconds."""
    shared = {"share": 0.0, "told": 0.0}
    over = threading.Event()

    def tell(share: float) -> None:
        shared["share"] = share
        if time.monotonic() - shared["told"] >= STEP_SECONDS:
            shared["told"] = time.monotonic()
            _told(job_id, jobs.RUNNING, share)

    def pulse() -> None:
        while not over.wait(PULSE_SECONDS):
            _told(job_id, jobs.RUNNING, shared["share"])

    thread = threading.Thread(target=copy_context().run, args=(pulse,), daemon=True)
    thread.start()
    try:
        yield tell
    finally:
        over.set()
        thread.join()


def _told(job_id: str, state: str, share: float, report: Report | None = None) -> bool:
    """False while the broker is away: nobody can be told, and the work goes on."""
    try:
        jobs.update(broker(), job_id, state, share, report)
    except Unavailable as fault:
        log.warning("progress was not told", job_id=job_id, reason=str(fault))
        return False
    return True
