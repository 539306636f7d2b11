"""Statistics as they are answered."""

from __future__ import annotations

from marshmallow import Schema, fields

from taskapi.api.schemas.said import such_as


def _counts(of: str = "") -> fields.Dict:
    return fields.Dict(fields.String(), fields.Integer(), metadata={"description": of} if of else {})


@such_as(total_tasks=2, completed_tasks=1, pending_tasks=1, completion_rate=50.0)
class Progress(Schema):
    """How much there is to do, and how much of it is done."""

    total_tasks = fields.Integer()
    completed_tasks = fields.Integer()
    pending_tasks = fields.Integer()
    completion_rate = fields.Float(metadata={"description": "Per cent, two digits; 0.0 of none."})


@such_as(
    overdue_tasks=0,
    priority_counts={"1": 1, "2": 1, "3": 0},
    tag_counts={"paper": 1},
    user_task_counts={"Ada Lovelace": 2},
    group_task_counts={"1": 2},
    total_users=1,
)
class Statistics(Progress):
    """All that the caller may see, each task once."""

    overdue_tasks = fields.Integer()
    priority_counts = _counts()
    tag_counts = _counts()
    user_task_counts = _counts("Tasks of each user, by full name.")
    group_task_counts = _counts("Tasks of each group, by its id.")
    total_users = fields.Integer()


@such_as(id=1, name="Research")
class GroupTold(Schema):
    """Which group it is."""

    id = fields.Integer()
    name = fields.String()


@such_as(users_count=2, user_task_counts={"Ada Lovelace": 2})
class GroupStatistics(Progress):
    """The same of one group."""

    group = fields.Nested(GroupTold)
    users_count = fields.Integer()
    user_task_counts = _counts("Tasks of each user, by full name.")
