"""Jobs that the owner asked for: their state and report, on the broker Redis, for a week."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from secrets import token_hex
from typing import Any

import orjson
import redis

from taskapi.domain import clock
from taskapi.domain.callers import Claim, Operation
from taskapi.domain.clock import timestamp
from taskapi.domain.errors import KeyReused, NotFound
from taskapi.store import keys
from taskapi.store.client import broker_faults_named, client_of
from taskapi.store.records import operation_key

KEPT_SECONDS = 7 * 24 * 60 * 60
CONNECT_SECONDS = 0.3
ANSWER_SECONDS = 0.6
SILENT_SECONDS = 60
"""A running job says so every few seconds; its worker has died if it was silent for so long."""

QUEUED_SECONDS = 600
"""So long a job waits for a worker; then nobody does it any more."""

QUEUED, RUNNING, DONE, FAILED = "queued", "running", "done", "failed"

UNHEARD = "No worker has heard of it in ten minutes. See that one runs, and ask for it again."
ABANDONED = "Its worker has died. Nothing is half done: look at /admin/status, and ask for it again."


@dataclass(frozen=True, slots=True)
class Jobs:
    """The broker Redis as the place where jobs are kept."""

    redis: redis.Redis


@dataclass(frozen=True, slots=True)
class Job:
    """One job: `action` says what was asked for, `progress` goes from 0 to 1, `report` is what came of it.

    `asked` is the fingerprint of the request, if its client named it, and `request_id` its id in the logs.
    """

    id: str
    action: str
    state: str
    progress: float
    created_at: str
    updated_at: str
    report: dict[str, Any] = field(default_factory=dict)
    asked: str = ""
    request_id: str | None = None

    @property
    def is_over(self) -> bool:
        """Whether nothing more will happen."""
        return self.state in (DONE, FAILED)


def connect(url: str) -> Jobs:
    """The jobs on that broker. Nothing is sent before the first use."""
    return Jobs(client_of(url, connect=CONNECT_SECONDS, answer=ANSWER_SECONDS, retries=0))


def create(jobs: Jobs, action: str, request_id: str | None = None) -> Job:
    """A new job, queued; raises Unavailable if the broker is away."""
    return _keep(jobs, _queued(token_hex(8), action, request_id))


def create_once(jobs: Jobs, action: str, claim: Claim) -> tuple[Job, bool]:
    """A new job, queued, and True; or the one that this very operation has made before, and False.

    One that has failed is queued anew. Raises KeyReused if the operation's name was another's, Unavailable
    if the broker is away.
    """
    if claim.operation is None:
        return create(jobs, action, claim.request_id), True
    name = operation_key(claim).rpartition(":")[2][:16]
    made = replace(_queued(name, action, claim.request_id), asked=claim.operation.fingerprint)
    with broker_faults_named():
        known: Any = jobs.redis.set(keys.job(name), _text(made), nx=True, get=True, ex=KEPT_SECONDS)
    if known is not None and (job := _judged(Job(**orjson.loads(known)))).state != FAILED:
        _require_same(job, claim.operation)
        return job, False
    with broker_faults_named():
        jobs.redis.delete(keys.begun_job(name))
    return _keep(jobs, made), True


def update(
    jobs: Jobs, job_id: str, state: str, progress: float, report: Mapping[str, Any] | None = None
) -> Job:
    """The job with another state; made anew under its id if it was forgotten meanwhile."""
    moment = timestamp()
    was = _known(jobs, job_id) or Job(job_id, "unknown", QUEUED, 0.0, moment, moment)
    now = replace(was, state=state, progress=progress, updated_at=moment, report=dict(report or was.report))
    return _keep(jobs, now)


def begin(jobs: Jobs, job_id: str, by: str) -> bool:
    """Marks a job as running; False if it was begun before by another: its message has come twice.

    Whoever did not hear the answer asks again with the same `by`.
    """
    with broker_faults_named():
        first: Any = jobs.redis.set(keys.begun_job(job_id), by, nx=True, get=True, ex=KEPT_SECONDS)
    is_first = first is None or first.decode() == by
    if is_first:
        update(jobs, job_id, RUNNING, 0.0)
    return is_first


def take_turn(jobs: Jobs, name: str, seconds: float) -> bool:
    """Whether nobody else does what has that name; the turn ends by itself after so many seconds."""
    with broker_faults_named():
        return bool(jobs.redis.set(keys.turn(name), 1, nx=True, px=int(seconds * 1000)))


def end_turn(jobs: Jobs, name: str) -> None:
    """Lets the next one do it."""
    with broker_faults_named():
        jobs.redis.delete(keys.turn(name))


def get(jobs: Jobs, job_id: str) -> Job | None:
    """That job, if it is known; one that was left by its worker, or had none in time, has failed."""
    job = _known(jobs, job_id)
    return None if job is None else _judged(job)


def _known(jobs: Jobs, job_id: str) -> Job | None:
    with broker_faults_named():
        text: Any = jobs.redis.get(keys.job(job_id))
    return None if text is None else Job(**orjson.loads(text))


def _judged(job: Job) -> Job:
    silent = (clock.now() - datetime.fromisoformat(job.updated_at)).total_seconds()
    longest = {QUEUED: QUEUED_SECONDS, RUNNING: SILENT_SECONDS}
    if silent < longest.get(job.state, math.inf):
        return job
    error = UNHEARD if job.state == QUEUED else ABANDONED
    return replace(job, state=FAILED, report=job.report | {"code": "unavailable", "error": error})


def told(job: Job) -> dict[str, Any]:
    """What is told of a job: all but the fingerprint."""
    return {name: value for name, value in asdict(job).items() if name != "asked"}


def newest(jobs: Jobs, offset: int, count: int, after: str | None = None) -> tuple[list[Job], int]:
    """Jobs, the newest first, and how many there are in all; `after` that job, if one is named.

    Raises NotFound if that one is forgotten.
    """
    forget(jobs)
    with broker_faults_named():
        if after is not None:
            offset += _place_behind(jobs, after)
        ids: list[Any] = jobs.redis.zrange(keys.JOBS, offset, offset + count - 1, desc=True)
        total = int(jobs.redis.zcard(keys.JOBS))
        texts: list[Any] = jobs.redis.mget([keys.job(name.decode()) for name in ids]) if ids else []
    return [_judged(Job(**orjson.loads(text))) for text in texts if text is not None], total


def forget(jobs: Jobs, *, dry_run: bool = False) -> int:
    """Takes jobs that are forgotten off the list, as whoever looks at it does; returns how many."""
    long_ago = time.time() - KEPT_SECONDS
    with broker_faults_named():
        if dry_run:
            return int(jobs.redis.zcount(keys.JOBS, 0, long_ago))
        return int(jobs.redis.zremrangebyscore(keys.JOBS, 0, long_ago))


def _place_behind(jobs: Jobs, job_id: str) -> int:
    place: Any = jobs.redis.zrevrank(keys.JOBS, job_id)
    if place is None:
        raise NotFound(f"There is no job {job_id}.")
    return int(place) + 1


def _queued(job_id: str, action: str, request_id: str | None) -> Job:
    moment = timestamp()
    return Job(job_id, action, QUEUED, 0.0, moment, moment, request_id=request_id)


def _require_same(job: Job, operation: Operation) -> None:
    if job.asked != operation.fingerprint:
        raise KeyReused("This Idempotency-Key was used for another request.")


def _keep(jobs: Jobs, job: Job) -> Job:
    with broker_faults_named():
        pipe = jobs.redis.pipeline(transaction=True)
        pipe.set(keys.job(job.id), _text(job), ex=KEPT_SECONDS)
        pipe.zadd(keys.JOBS, {job.id: time.time()}, nx=True)
        pipe.execute()
    return job


def _text(job: Job) -> bytes:
    return orjson.dumps(asdict(job))
