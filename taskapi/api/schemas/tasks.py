"""Tasks as they are sent and answered."""

from __future__ import annotations

from marshmallow import Schema, fields

from taskapi.api.schemas.aliased import Body
from taskapi.api.schemas.fields import Day, Number, OneOf, Several, Text, Truth, Whole
from taskapi.api.schemas.said import such_as
from taskapi.domain.records import MOST_TAGS

PRIORITIES = {"high": 1, "medium": 2, "low": 3}
MOST_HOURS = 1_000_000
TAG = Text(1, 50)
_ALIASES = {"completed": "status", "description": "information", "due_date": "deadline"}


@such_as(title="Write the whole report", priority=1, deadline="2030-02-28")
class TaskChanges(Body):
    """What may be changed of a task; what is not sent stays."""

    aliases = _ALIASES

    title = Text(1, 200)
    status = Truth(metadata={"description": "Whether it is done."})
    priority = OneOf((1, 2, 3), PRIORITIES)
    deadline = Day(allow_none=True)
    information = Text(0, 10_000, absent="", allow_none=True)
    tags = Several(TAG, MOST_TAGS, absent=True, allow_none=True)
    user_id = Whole()
    group_id = Whole(allow_none=True)
    estimate_hours = Number(0, MOST_HOURS, allow_none=True)


@such_as(title="Write the report", priority=2, deadline="2030-01-31", tags=["paper"])
class TaskIn(TaskChanges):
    """A new task."""

    title = Text(1, 200, required=True)


@such_as(tags=["paper", "urgent"])
class TagsIn(Body):
    """Tags that a task gets beside those that it has."""

    tags = Several(TAG, MOST_TAGS, required=True)


@such_as(
    id=1,
    title="Write the report",
    status=False,
    priority=2,
    information="",
    tags=["paper"],
    user_id=2,
    group_id=1,
    estimate_hours=None,
    completed_at=None,
    version=4294967301,
)
class TaskOut(Schema):
    """A task."""

    id = fields.Integer()
    title = fields.String()
    status = fields.Boolean(metadata={"description": "Whether it is done."})
    priority = fields.Integer(metadata={"enum": [1, 2, 3], "description": "1 high, 2 medium, 3 low."})
    deadline = fields.Date(allow_none=True)
    information = fields.String()
    tags = fields.List(fields.String())
    user_id = fields.Integer()
    group_id = fields.Integer(allow_none=True)
    estimate_hours = fields.Float(allow_none=True)
    completed_at = fields.DateTime(allow_none=True)
    created_at = fields.DateTime()
    updated_at = fields.DateTime()
    version = fields.Integer()
    deleted_at = fields.DateTime(metadata={"rare": True, "description": "Only while it lies in the trash."})
    deleted_with = fields.String(
        metadata={
            "rare": True,
            "description": "What took it to the trash: such as `user:3`, `group:1`, `member:3:1`.",
        }
    )
