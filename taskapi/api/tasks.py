"""Tasks: those that the caller may see, one of them, and the trash."""

from __future__ import annotations

from typing import Any

from taskapi.api import inputs
from taskapi.api.contracts import accepts, asks, authenticated, conditional, example, lists, returns, shared
from taskapi.api.schemas.accounts import Deleted
from taskapi.api.schemas.batch import BatchIn, BatchOut, BatchQuery
from taskapi.api.schemas.query import PageQuery, Query
from taskapi.api.schemas.search import SearchQuery, Sought, TaskHit
from taskapi.api.schemas.statistics import Statistics
from taskapi.api.schemas.task_query import RemovalQuery, TaskListQuery
from taskapi.api.schemas.tasks import TagsIn, TaskChanges, TaskIn, TaskOut
from taskapi.api.serving import Noun
from taskapi.api.wiring import cache, day_index, store, word_index
from taskapi.domain.callers import Claim
from taskapi.domain.filters import Page, TaskSearch
from taskapi.domain.rights import Right
from taskapi.services import batch, by_date, search, statistics, task_lists, tasks
from taskapi.services.results import Listed, Shown

bp = Noun("tasks", __name__)


@bp.get("/tasks")
@authenticated(Right.FIND_TASKS)
@asks(TaskListQuery)
@lists(TaskOut, "tasks", complete="boolean")
def list_tasks(claim: Claim, wanted: TaskSearch) -> Listed:
    """The tasks that the caller may see, filtered and sorted."""
    return task_lists.list_tasks(store(), claim, wanted, word_index())


@bp.post("/tasks")
@authenticated(Right.WORK_ON_TASKS)
@accepts(TaskIn)
@returns(TaskOut, 201, at="/tasks/{id}")
def create_task(claim: Claim, sent: dict[str, Any]) -> Shown:
    """Make a task, the caller's own unless `user_id` says otherwise."""
    return tasks.create_task(store(), claim, sent)


@bp.get("/tasks/trash")
@authenticated(Right.FIND_TASKS)
@asks(PageQuery)
@lists(TaskOut, "tasks")
def list_trash(claim: Claim, wanted: Page) -> Listed:
    """The deleted tasks that can still be taken back."""
    return task_lists.list_trash(store(), claim, wanted)


@bp.get("/tasks/search")
@authenticated(Right.SEARCH_ALL_TASKS)
@asks(SearchQuery)
@lists(TaskHit, "results", query="string", complete="boolean")
def search_tasks(claim: Claim, wanted: Sought) -> Listed:
    """Search all tasks, or those of the groups that the caller leads and their own."""
    return search.search_tasks(store(), claim, word_index(), wanted.text, wanted.page)


@bp.get("/tasks/by-date/<date>")
@authenticated(Right.FIND_TASKS)
@shared("by_date")
@asks(PageQuery)
@lists(TaskOut, "tasks", date="string", complete="boolean")
@example(beside={"date": "2030-01-31"})
def list_tasks_by_date(claim: Claim, date: str, wanted: Page) -> Listed:
    """The tasks that were made, are due or were done on a date (UTC), of all that the caller may see."""
    sources = by_date.Sources(store(), day_index(), cache())
    return by_date.list_tasks_on(sources, claim, date, wanted)


@bp.get("/tasks/stats")
@authenticated(Right.FIND_TASKS)
@returns(Statistics)
def read_statistics(claim: Claim) -> Shown:
    """How much there is to do and how much is done, of all that the caller may see."""
    return statistics.read_statistics(store(), claim)


@bp.post("/tasks/batch")
@authenticated(Right.WORK_ON_TASKS)
@accepts(BatchIn)
@asks(BatchQuery)
@returns(BatchOut)
def change_tasks(claim: Claim, sent: dict[str, Any], wanted: bool) -> Shown:
    """Change, finish or delete up to 500 tasks; with `atomic=true` all of them or none."""
    return batch.change_tasks(store(), claim, **sent, atomic=wanted)


@bp.get("/tasks/<int:task_id>")
@authenticated(Right.WORK_ON_TASKS)
@asks(Query)
@returns(TaskOut)
def read_task(claim: Claim, task_id: int) -> Shown:
    """Read one task."""
    return tasks.read_task(store(), claim, task_id)


@bp.put("/tasks/<int:task_id>")
@bp.patch("/tasks/<int:task_id>")
@authenticated(Right.WORK_ON_TASKS)
@accepts(TaskChanges)
@conditional
@returns(TaskOut)
def change_task(claim: Claim, task_id: int, sent: dict[str, Any], if_match: int | None) -> Shown:
    """Change some fields of a task."""
    return tasks.change_task(store(), claim, task_id, sent, if_match=if_match)


@bp.delete("/tasks/<int:task_id>")
@authenticated(Right.WORK_ON_TASKS)
@asks(RemovalQuery)
@conditional
@returns(Deleted)
def remove_task(claim: Claim, task_id: int, wanted: bool, if_match: int | None) -> Shown:
    """Move a task to the trash, or with `permanent=true` remove it for good."""
    return tasks.remove_task(store(), claim, task_id, permanent=wanted, if_match=if_match)


@bp.put("/tasks/<int:task_id>/done")
@authenticated(Right.WORK_ON_TASKS)
@conditional
@example(data={"status": True, "completed_at": "2030-01-30T09:15:00.000Z"})
@returns(TaskOut)
def finish_task(claim: Claim, task_id: int, if_match: int | None) -> Shown:
    """Mark a task as done."""
    return tasks.finish_task(store(), claim, task_id, if_match=if_match)


@bp.post("/tasks/<int:task_id>/tags")
@authenticated(Right.WORK_ON_TASKS)
@accepts(TagsIn)
@conditional
@returns(TaskOut)
def add_tags(claim: Claim, task_id: int, sent: dict[str, Any], if_match: int | None) -> Shown:
    """Add tags to those that a task has."""
    return tasks.add_tags(store(), claim, task_id, sent["tags"], if_match)


@bp.delete("/tasks/<int:task_id>/tags/<text:tag>")
@authenticated(Right.WORK_ON_TASKS)
@conditional
@returns(TaskOut)
def remove_tag(claim: Claim, task_id: int, tag: str, if_match: int | None) -> Shown:
    """Take a tag away from a task."""
    return tasks.remove_tag(store(), claim, task_id, inputs.path_text("/tags/", tag), if_match)


@bp.post("/tasks/<int:task_id>/restore")
@authenticated(Right.WORK_ON_TASKS)
@conditional
@returns(TaskOut)
def restore_task(claim: Claim, task_id: int, if_match: int | None) -> Shown:
    """Take a task back from the trash."""
    return tasks.restore_task(store(), claim, task_id, if_match)
