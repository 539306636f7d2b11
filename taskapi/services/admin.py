"""The owner's view of the machinery: sync now, how it stands, what jobs have come to."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import orjson

from taskapi.domain.callers import Claim
from taskapi.domain.errors import Invalid, NotFound, Unavailable
from taskapi.domain.filters import Page
from taskapi.services.results import Listed, Shown, computed
from taskapi.store import jobs as kept
from taskapi.store.client import Store
from taskapi.store.jobs import Job, Jobs
from taskapi.store.reading import Question, ask

FORCE_JOB = "sync.force"
POLL_SECONDS = 0.05

SendJob = Callable[..., None]
Report = Callable[[], Mapping[str, Any]]


def force_sync(store: Store, claim: Claim, jobs: Jobs, send_job: SendJob, wait: float) -> tuple[Shown, bool]:
    """Rings a worker to carry everything now, and waits for it that many seconds.

    Returns what is known of the job and whether it is over. An operation that is repeated waits for the job
    that it has begun. Raises Unavailable if the broker or PostgreSQL is away.
    """
    _require_owner(store, claim)
    job, is_new = kept.create_once(jobs, "force", claim)
    if is_new:
        _ring(jobs, job, send_job)
    job = _waited(jobs, job, wait)
    if job.state == kept.FAILED:
        raise Unavailable(str(job.report.get("error", "The sync has failed.")), retry_after=5)
    return replace(computed(_synced(job)), replayed=not is_new), job.is_over


def read_status(store: Store, claim: Claim, report: Report) -> Shown:
    """How the two stores stand to each other."""
    _require_owner(store, claim)
    return computed(report())


def read_stats(store: Store, claim: Claim, report: Report) -> Shown:
    """How many records each store has."""
    _require_owner(store, claim)
    return computed(report())


def list_jobs(store: Store, claim: Claim, jobs: Jobs, page: Page) -> Listed:
    """The jobs of the last week, newest first."""
    _require_owner(store, claim)
    try:
        found, total = kept.newest(jobs, page.offset, page.per_page + 1, page.cursor)
    except NotFound as gone:
        raise Invalid({"cursor": [str(gone)]}) from gone
    shown = found[: page.per_page]
    following = shown[-1].id if len(found) > page.per_page else None
    return Listed("jobs", tuple(orjson.dumps(kept.told(job)) for job in shown), total, following)


def read_job(store: Store, claim: Claim, jobs: Jobs, job_id: str) -> Shown:
    """One job."""
    _require_owner(store, claim)
    job = kept.get(jobs, job_id)
    if job is None:
        raise NotFound(f"There is no job {job_id}.")
    return Shown(orjson.dumps(kept.told(job)))


def _require_owner(store: Store, claim: Claim) -> None:
    """The claim's right is checked as its caller is confirmed."""
    _ = ask(store, claim, Question()).caller


def _ring(jobs: Jobs, job: Job, send_job: SendJob) -> None:
    """A job of which no worker will hear has failed."""
    try:
        send_job(FORCE_JOB, job_id=job.id)
    except Unavailable as refusal:
        kept.update(jobs, job.id, kept.FAILED, 0.0, {"error": str(refusal)})
        raise


def _waited(jobs: Jobs, job: Job, seconds: float) -> Job:
    until = time.monotonic() + seconds
    while not job.is_over and time.monotonic() < until:
        time.sleep(POLL_SECONDS)
        job = kept.get(jobs, job.id) or job
    return job


def _synced(job: Job) -> dict[str, Any]:
    """A job of syncing in the words of the answer to it."""
    report = {"synced": {}, "pending_changes": True, "duration_ms": None} | job.report
    return {"action": job.action, "job_id": job.id, "state": job.state, **report}
