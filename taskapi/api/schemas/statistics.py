"""Statistics as they are answered."""

from __future__ import annotations

from marshmallow import Schema, fields


def _counts(of: str = "") -> fields.Dict:
    return fields.Dict(fields.String(), fields.Integer(), metadata={"description": of} if of else {})


class Progress(Schema):
    """How much there is to do, and how much of it is done."""

    total_tasks = fields.Integer()
    completed_tasks = fields.Integer()
    pending_tasks = fields.Integer()
    completion_rate = fields.Float(metadata={"description": "Per cent, two digits; 0.0 of none."})


class Statistics(Progress):
    """All that the caller may see, each task once."""

    overdue_tasks = fields.Integer()
    priority_counts = _counts()
    tag_counts = _counts()
    user_task_counts = _counts("Tasks of each user, by full name.")
    group_task_counts = _counts("Tasks of each group, by its id.")
    total_users = fields.Integer()


class GroupTold(Schema):
    """Which group it is."""

    id = fields.Integer()
    name = fields.String()


class GroupStatistics(Progress):
    """The same of one group."""

    group = fields.Nested(GroupTold)
    users_count = fields.Integer()
    user_task_counts = _counts("Tasks of each user, by full name.")
