"""The tasks of one user, whom the path names."""

from __future__ import annotations

from typing import Any

from taskapi.api.contracts import accepts, asks, authenticated, conditional, example, lists, returns
from taskapi.api.schemas.accounts import Deleted
from taskapi.api.schemas.query import Query
from taskapi.api.schemas.task_query import RemovalQuery, UserTaskListQuery
from taskapi.api.schemas.tasks import TaskChanges, TaskIn, TaskOut
from taskapi.api.serving import Noun
from taskapi.api.wiring import store, word_index
from taskapi.domain.callers import Claim
from taskapi.domain.filters import TaskSearch
from taskapi.domain.rights import Right
from taskapi.services import task_lists, tasks
from taskapi.services.results import Listed, Shown

bp = Noun("user_tasks", __name__)


@bp.get("/users/<int:user_id>/tasks")
@authenticated(Right.READ_TASKS_OF)
@asks(UserTaskListQuery)
@lists(TaskOut, "tasks", user_id="integer", complete="boolean")
def list_tasks_of_user(claim: Claim, user_id: int, wanted: TaskSearch) -> Listed:
    """A user's tasks, filtered and sorted."""
    return task_lists.list_tasks_of(store(), claim, user_id, wanted, word_index())


@bp.post("/users/<int:user_id>/tasks")
@authenticated(Right.WORK_ON_TASKS)
@accepts(TaskIn)
@returns(TaskOut, 201, at="/tasks/{id}")
def create_task_of_user(claim: Claim, user_id: int, sent: dict[str, Any]) -> Shown:
    """Make a task for a user."""
    return tasks.create_task(store(), claim, sent, user_id)


@bp.get("/users/<int:user_id>/tasks/<int:task_id>")
@authenticated(Right.WORK_ON_TASKS)
@asks(Query)
@returns(TaskOut)
def read_task_of_user(claim: Claim, user_id: int, task_id: int) -> Shown:
    """Read one task of a user."""
    return tasks.read_task(store(), claim, task_id, user_id)


@bp.put("/users/<int:user_id>/tasks/<int:task_id>")
@bp.patch("/users/<int:user_id>/tasks/<int:task_id>")
@authenticated(Right.WORK_ON_TASKS)
@accepts(TaskChanges)
@conditional
@returns(TaskOut)
def change_task_of_user(
    claim: Claim, user_id: int, task_id: int, sent: dict[str, Any], if_match: int | None
) -> Shown:
    """Change some fields of a user's task."""
    return tasks.change_task(store(), claim, task_id, sent, user_id, if_match)


@bp.delete("/users/<int:user_id>/tasks/<int:task_id>")
@authenticated(Right.WORK_ON_TASKS)
@asks(RemovalQuery)
@conditional
@returns(Deleted)
def remove_task_of_user(
    claim: Claim, user_id: int, task_id: int, wanted: bool, if_match: int | None
) -> Shown:
    """Move a user's task to the trash, or with `permanent=true` remove it for good."""
    return tasks.remove_task(store(), claim, task_id, user_id, wanted, if_match)


@bp.put("/users/<int:user_id>/tasks/<int:task_id>/done")
@authenticated(Right.WORK_ON_TASKS)
@conditional
@example(data={"status": True, "completed_at": "2030-01-30T09:15:00.000Z"})
@returns(TaskOut)
def finish_task_of_user(claim: Claim, user_id: int, task_id: int, if_match: int | None) -> Shown:
    """Mark a user's task as done."""
    return tasks.finish_task(store(), claim, task_id, user_id, if_match)
