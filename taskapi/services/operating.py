"""What the owner sets in motion: a sync, a backup, a restore. A worker does it, and tells how far it is."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from taskapi.domain.callers import Claim
from taskapi.domain.deadlines import anew
from taskapi.domain.errors import Conflict, Full, NotFound, Refused, Unavailable
from taskapi.services.results import Shown, computed
from taskapi.store import jobs as kept
from taskapi.store.client import Store
from taskapi.store.jobs import Job, Jobs
from taskapi.store.reading import Question, ask

POLL_SECONDS = 0.05
POLLED_SECONDS = 1.0
RETRY_SECONDS = 5

SendJob = Callable[..., None]
REFUSALS: Mapping[str, type[Refused]] = {fault.code: fault for fault in (Conflict, Full, NotFound)}


@dataclass(frozen=True, slots=True)
class Wish:
    """What shall be done: `action` as people call it, the worker's job, and what that is told."""

    action: str
    job: str
    options: Mapping[str, Any] = field(default_factory=dict)


FORCE = Wish("force", "sync.force")
BACKUP = Wish("backup", "backup.asked")


def rebuild(**options: Any) -> Wish:
    """Fill Redis anew from PostgreSQL: `dry_run`, `offline`, `confirm` and `up_to`."""
    return Wish("restore", "restore.rebuild", options)


def restore_backup(backup_id: str, **options: Any) -> Wish:
    """Go back to a backup: `dry_run`, `offline`."""
    return Wish("restore", "restore.backup", {"backup_id": backup_id, **options})


def undo(**options: Any) -> Wish:
    """Take the last restore back: `offline`."""
    return Wish("undo", "restore.undo", options)


def verify(backup_id: str) -> Wish:
    """Prove that a backup is good."""
    return Wish("verify", "backup.verify", {"backup_id": backup_id})


def carry_out(
    store: Store, claim: Claim, jobs: Jobs, send_job: SendJob, wish: Wish, wait: float
) -> tuple[Shown, bool]:
    """Rings a worker for it, and waits that many seconds.

    Returns what is known of the job and whether it is over. An operation that is repeated waits for the job
    that it has begun, and rings once more if no worker has: its message may be lost.

    Raises Unavailable if a server is away, and what the job was refused for.
    """
    _ = ask(store, claim, Question()).caller
    job, is_new = kept.create_once(jobs, wish.action, claim)
    if is_new or job.state == kept.QUEUED:
        _ring(jobs, job, wish, send_job)
    job = _waited(jobs, job, wait)
    if job.state == kept.FAILED:
        raise _refusal(job)
    return replace(computed(_told(job)), replayed=not is_new), job.is_over


def _ring(jobs: Jobs, job: Job, wish: Wish, send_job: SendJob) -> None:
    """A job of which no worker will hear has failed."""
    try:
        send_job(wish.job, expires=kept.QUEUED_SECONDS, job_id=job.id, **wish.options)
    except Unavailable as refusal:
        kept.update(jobs, job.id, kept.FAILED, 0.0, {"error": str(refusal)})
        raise


def _waited(jobs: Jobs, job: Job, seconds: float) -> Job:
    until = time.monotonic() + seconds
    while not job.is_over and time.monotonic() < until:
        time.sleep(POLL_SECONDS)
        with anew(POLLED_SECONDS):
            job = kept.get(jobs, job.id) or job
    return job


def _refusal(job: Job) -> Refused:
    """Why the worker did not do it, in the words in which it would have been refused at once."""
    sentence = str(job.report.get("error", f"The {job.action} has failed."))
    refused = REFUSALS.get(str(job.report.get("code")))
    return refused(sentence) if refused else Unavailable(sentence, retry_after=RETRY_SECONDS)


def _told(job: Job) -> dict[str, Any]:
    """A job in the words of the answer to whoever asked for it."""
    usual = {"synced": {}, "pending_changes": True, "duration_ms": None}
    report = {name: value for name, value in job.report.items() if name != "action"}
    known = {name: report.pop(name, value) for name, value in usual.items()}
    return {"action": job.action, "job_id": job.id, "state": job.state, **known, "report": report}
