"""The owner's view of the machinery: syncing, its state, its jobs."""

from __future__ import annotations

import orjson
from flask import Response

from taskapi.api import answers
from taskapi.api.contracts import asks, authenticated, contract_of, lists, returns
from taskapi.api.schemas.admin import JobOut, StatsOut, StatusOut, Synced, SyncQuery, SyncWanted
from taskapi.api.schemas.query import PageQuery, Query
from taskapi.api.serving import Noun
from taskapi.api.wiring import extension, store, wired
from taskapi.domain.callers import Claim
from taskapi.domain.filters import Page
from taskapi.domain.rights import Right
from taskapi.services import admin
from taskapi.services.results import Listed, Shown

bp = Noun("admin", __name__)


@bp.post("/admin/sync")
@authenticated(Right.ADMINISTER)
@asks(SyncQuery)
@returns(Synced)
def force_sync(claim: Claim, wanted: SyncWanted) -> Shown | Response:
    """Carry what is dirty to PostgreSQL now: 200 when it is done within `wait` seconds, else 202."""
    jobs, send_job = extension("taskapi.jobs"), wired().send_job
    shown, done = admin.force_sync(store(), claim, jobs, send_job, wanted.wait)
    return shown if done else _accepted(shown)


@bp.get("/admin/status")
@authenticated(Right.ADMINISTER)
@asks(Query)
@returns(StatusOut)
def read_status(claim: Claim) -> Shown:
    """How far the two stores are apart, and whether everything runs."""
    return admin.read_status(store(), claim, extension("taskapi.status"))


@bp.get("/admin/stats")
@authenticated(Right.ADMINISTER)
@asks(Query)
@returns(StatsOut)
def read_stats(claim: Claim) -> Shown:
    """How many records each store has."""
    return admin.read_stats(store(), claim, extension("taskapi.stats"))


@bp.get("/admin/jobs")
@authenticated(Right.ADMINISTER)
@asks(PageQuery)
@lists(JobOut, "jobs")
def list_jobs(claim: Claim, wanted: Page) -> Listed:
    """The jobs that were asked for, newest first."""
    return admin.list_jobs(store(), claim, extension("taskapi.jobs"), wanted)


@bp.get("/admin/jobs/<job_id>")
@authenticated(Right.ADMINISTER)
@asks(Query)
@returns(JobOut)
def read_job(claim: Claim, job_id: str) -> Shown:
    """How far one job is."""
    return admin.read_job(store(), claim, extension("taskapi.jobs"), job_id)


def _accepted(shown: Shown) -> Response:
    """The answer to what goes on in the background."""
    response = answers.shown(contract_of(force_sync), shown)
    response.status_code = 202
    response.headers["Location"] = answers.located("/admin/jobs/{id}", orjson.loads(shown.body)["job_id"])
    return response
