"""Many tasks in one call."""

from __future__ import annotations

from typing import Any

from marshmallow import Schema, ValidationError, fields

from taskapi.api.schemas.aliased import Body
from taskapi.api.schemas.fields import OneOf, Several, Whole
from taskapi.api.schemas.query import Flag, Query
from taskapi.api.schemas.said import meaning, such_as
from taskapi.api.schemas.tasks import TaskChanges

UPDATE = "update"
ACTIONS = (UPDATE, "mark_done", "delete")
MOST_TASKS = 500


class Updates(fields.Nested):
    """The changes of a task, with the other names that their fields have."""

    _changes = TaskChanges()

    def __init__(self) -> None:
        super().__init__(TaskChanges)

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise ValidationError("Must be an object.")
        return self._changes.values(value)


@such_as(task_ids=[1, 2], updates={"priority": 1}, action="update")
class BatchIn(Body):
    """Which tasks, and what becomes of them."""

    task_ids = Several(Whole(), MOST_TASKS, required=True)
    updates = Updates()
    action = OneOf(ACTIONS)

    def finished(self, values: dict[str, Any]) -> dict[str, Any]:
        """Refused without tasks, and unless `updates` belong to the action."""
        if not values["task_ids"]:
            raise ValidationError({"task_ids": ["Must name at least one task."]})
        action = values.get("action", UPDATE)
        if action == UPDATE and "updates" not in values:
            raise ValidationError({"updates": ["Missing data for required field."]})
        if action != UPDATE and values.get("updates"):
            raise ValidationError({"updates": [f"Nothing is updated by {action}."]})
        return {"updates": {}, **values, "action": action}


class BatchQuery(Query):
    """Whether all tasks must succeed."""

    class Meta:
        exclude = ("narrowed",)

    has_wanted = True

    atomic = Flag(metadata=meaning("true: unless every task succeeds, none is changed."))

    def wanted(self, values: dict[str, Any]) -> bool:
        """Whether nothing shall happen unless everything does."""
        return bool(values.get("atomic", False))


@such_as(id=1, status=200)
class BatchResult(Schema):
    """What became of one task."""

    id = fields.Integer()
    status = fields.Integer(metadata={"description": "The HTTP status that it would have had alone."})
    success = fields.Boolean()
    error = fields.String(metadata={"rare": True, "description": "Why not; only where it failed."})


@such_as(updated=1, failed=0)
class BatchOut(Schema):
    """What became of all of them."""

    results = fields.List(fields.Nested(BatchResult))
    updated = fields.Integer()
    failed = fields.Integer()
