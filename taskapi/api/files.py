"""Files that are attached to tasks."""

from __future__ import annotations

from flask import Response

from taskapi.api import downloading, uploading
from taskapi.api.contracts import asks, authenticated, conditional, lists, receives_file, returns, sends_file
from taskapi.api.schemas.accounts import Deleted
from taskapi.api.schemas.files import FileOut
from taskapi.api.schemas.query import PageQuery
from taskapi.api.serving import Noun
from taskapi.api.wiring import store
from taskapi.domain.callers import Claim
from taskapi.domain.filters import Page
from taskapi.domain.rights import Right
from taskapi.services import files
from taskapi.services.results import Listed, Shown

bp = Noun("files", __name__)


@bp.post("/tasks/<int:task_id>/files")
@authenticated(Right.WORK_ON_TASKS)
@receives_file
@returns(FileOut, 201, at="/files/{id}")
def upload_file(claim: Claim, task_id: int) -> Shown:
    """Attach a file to a task: an image, PDF, text, an Office document or a zip archive."""
    return uploading.received(claim, task_id)


@bp.get("/tasks/<int:task_id>/files")
@authenticated(Right.WORK_ON_TASKS)
@asks(PageQuery)
@lists(FileOut, "files")
def list_files(claim: Claim, task_id: int, wanted: Page) -> Listed:
    """The files of a task."""
    return files.list_files(store(), claim, task_id, wanted)


@bp.get("/files/<int:file_id>")
@authenticated(Right.WORK_ON_TASKS)
@sends_file
def download_file(claim: Claim, file_id: int) -> Response:
    """Download a file."""
    return downloading.sent(files.find_file(store(), claim, file_id))


@bp.delete("/files/<int:file_id>")
@authenticated(Right.WORK_ON_TASKS)
@conditional
@returns(Deleted)
def remove_file(claim: Claim, file_id: int, if_match: int | None) -> Shown:
    """Remove a file for good."""
    return files.remove_file(store(), claim, file_id, if_match)
