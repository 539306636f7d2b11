"""The owner's view of the machinery: syncs, backups and restores, their state and their jobs."""

from __future__ import annotations

from typing import Any

import orjson
from flask import Response

from taskapi.api import answers
from taskapi.api.contracts import asks, authenticated, contract_of, example, lists, or_else, returns
from taskapi.api.schemas.admin import BackupOut, JobOut, StatsOut, StatusOut, Synced
from taskapi.api.schemas.query import PageQuery, Query
from taskapi.api.schemas.wishes import RestoreQuery, SyncQuery, UndoQuery, Waiting
from taskapi.api.serving import Noun
from taskapi.api.wiring import extension, store, wired
from taskapi.domain.callers import Claim
from taskapi.domain.filters import Page
from taskapi.domain.rights import Right
from taskapi.services import admin, operating
from taskapi.services.operating import Wish
from taskapi.services.results import Listed, Shown

bp = Noun("admin", __name__)
_later = or_else(
    202,
    "The job goes on in the background: `Location` tells where it is seen.",
    {"data": {"state": "queued", "synced": {}, "pending_changes": True, "duration_ms": None}},
)


@bp.post("/admin/sync")
@authenticated(Right.ADMINISTER)
@asks(SyncQuery)
@returns(Synced)
@_later
def sync(claim: Claim, wanted: tuple[Wish, float]) -> Shown | Response:
    """Carry all to PostgreSQL, restore from it, or back up: 200 when done within `wait` seconds, else 202."""
    return _carried_out(claim, *wanted)


@bp.post("/admin/restore/undo")
@authenticated(Right.ADMINISTER)
@asks(UndoQuery)
@example(data={"action": "undo", "synced": {}})
@returns(Synced)
@_later
def undo_restore(claim: Claim, wanted: dict[str, Any]) -> Shown | Response:
    """Take the last restore back: everything is as it was before, and what was done since goes."""
    return _carried_out(claim, operating.undo(**_options(wanted)), wanted["wait"])


@bp.get("/admin/backups")
@authenticated(Right.ADMINISTER)
@asks(PageQuery)
@lists(BackupOut, "backups")
def list_backups(claim: Claim, wanted: Page) -> Listed:
    """The backups, newest first."""
    return admin.list_backups(store(), claim, extension("taskapi.archives"), wanted)


@bp.get("/admin/backups/<backup_id>")
@authenticated(Right.ADMINISTER)
@asks(Query)
@returns(BackupOut)
def read_backup(claim: Claim, backup_id: str) -> Shown:
    """One backup."""
    return admin.read_backup(store(), claim, extension("taskapi.archives"), backup_id)


@bp.post("/admin/backups/<backup_id>/verify")
@authenticated(Right.ADMINISTER)
@asks(Waiting)
@example(data={"action": "verify", "synced": {}})
@returns(Synced)
@_later
def verify_backup(claim: Claim, backup_id: str, wanted: dict[str, Any]) -> Shown | Response:
    """Prove that a backup is good: it is restored aside and compared."""
    return _carried_out(claim, operating.verify(backup_id), wanted["wait"])


@bp.post("/admin/backups/<backup_id>/restore")
@authenticated(Right.ADMINISTER)
@asks(RestoreQuery)
@example(data={"action": "restore", "synced": {}})
@returns(Synced)
@_later
def restore_backup(claim: Claim, backup_id: str, wanted: dict[str, Any]) -> Shown | Response:
    """Go back to a backup; what is there now is archived before, and can be brought back."""
    return _carried_out(claim, operating.restore_backup(backup_id, **_options(wanted)), wanted["wait"])


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


def _options(wanted: dict[str, Any]) -> dict[str, Any]:
    return {name: True for name in ("dry_run", "offline") if wanted.get(name)}


def _carried_out(claim: Claim, wish: Wish, wait: float) -> Shown | Response:
    jobs, send_job = extension("taskapi.jobs"), wired().send_job
    told, is_over = operating.carry_out(store(), claim, jobs, send_job, wish, wait)
    return told if is_over else _accepted(told)


def _accepted(told: Shown) -> Response:
    """The answer to what goes on in the background."""
    response = answers.shown(contract_of(sync), told)
    response.status_code = 202
    response.headers["Location"] = answers.located("/admin/jobs/{id}", orjson.loads(told.body)["job_id"])
    return response
