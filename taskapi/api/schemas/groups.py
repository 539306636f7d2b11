"""Groups and their members as they are sent and answered."""

from __future__ import annotations

from typing import Any

from marshmallow import Schema, fields

from taskapi.api.schemas.aliased import Body
from taskapi.api.schemas.fields import Text, Whole
from taskapi.api.schemas.said import such_as
from taskapi.api.schemas.task_query import TaskListQuery


class GroupName(Text):
    """1 to 100 characters, without blanks around them."""

    def __init__(self, **options: Any) -> None:
        super().__init__(1, 100, **options)

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> str:
        return super()._deserialize(value.strip() if isinstance(value, str) else value, *args, **kwargs)


@such_as(name="Research and design")
class GroupChanges(Body):
    """What may be changed of a group; what is not sent stays."""

    name = GroupName()
    admin_id = Whole(allow_none=True)


@such_as(name="Design")
class GroupIn(GroupChanges):
    """A new group."""

    name = GroupName(required=True)


@such_as(user_id=4)
class MemberIn(Body):
    """Who joins."""

    user_id = Whole(required=True)


@such_as(id=1, name="Research", admin_id=3, version=4294967301)
class GroupOut(Schema):
    """A group."""

    id = fields.Integer()
    name = fields.String()
    admin_id = fields.Integer(allow_none=True)
    created_at = fields.DateTime()
    updated_at = fields.DateTime()
    version = fields.Integer()


@such_as(id=3, full_name="Grace Hopper", email="grace@example.com")
class GroupAdminOut(Schema):
    """Who leads a group."""

    id = fields.Integer()
    full_name = fields.String()
    email = fields.Email(allow_none=True)


@such_as(users_count=2, tasks_count=2)
class GroupDetails(GroupOut):
    """One group with what is known of it."""

    admin = fields.Nested(GroupAdminOut, allow_none=True)
    users_count = fields.Integer()
    tasks_count = fields.Integer()


class GroupTaskListQuery(TaskListQuery):
    """What may be asked of the tasks of a group, which the path names. Of one user in it: `GET /tasks`."""

    class Meta:
        exclude = ("group_id", "user_id")
