"""Users and their working hours as they are sent and answered."""

from __future__ import annotations

from typing import Any

from marshmallow import Schema, ValidationError, fields

from taskapi.api.schemas.aliased import Body
from taskapi.api.schemas.fields import EMail, OneOf, Password, Several, Text, Username, Whole, WorkTimes
from taskapi.api.schemas.said import described, such_as
from taskapi.domain.records import GROUP_ADMIN, ROLES
from taskapi.domain.worktime import WEEKDAYS

OTHER_ROLES = {"admin": GROUP_ADMIN}
MOST_GROUPS = 1000


@such_as(full_name="Ada King", number="42")
class UserChanges(Body):
    """What may be changed of a user; what is not sent stays."""

    full_name = Text(1, 200)
    email = EMail(allow_none=True)
    username = Username(allow_none=True)
    number = Text(1, 50, allow_none=True)
    role = OneOf(ROLES, OTHER_ROLES)
    group_ids = Several(Whole(), MOST_GROUPS)
    work_times = WorkTimes()
    password = Password()
    current_password = Password(1)


@such_as(
    username="katherine",
    email="katherine@example.com",
    full_name="Katherine Johnson",
    password="correct horse battery",
    role="user",
)
@described(anyOf=[{"required": ["full_name"]}, {"required": ["username"]}, {"required": ["email"]}])
class UserIn(Body):
    """A new user; the name is by default what they sign in with."""

    full_name = Text(1, 200)
    email = EMail(allow_none=True)
    username = Username(allow_none=True)
    number = Text(1, 50, allow_none=True)
    role = OneOf(ROLES, OTHER_ROLES)
    group_ids = Several(Whole(), MOST_GROUPS)
    work_times = WorkTimes()
    password = Password(required=True)

    def finished(self, values: dict[str, Any]) -> dict[str, Any]:
        """With a full name."""
        name = values.get("full_name") or values.get("username") or values.get("email")
        if name is None:
            raise ValidationError({"full_name": ["Missing data for required field."]})
        return values | {"full_name": name}


@such_as(work_times={"Monday": 8, "Friday": 4.5})
@described(
    anyOf=[
        {"required": ["work_times"], "maxProperties": 1},
        {"minProperties": 1, "not": {"required": ["work_times"]}},
    ],
    required=[],
    properties={day: {"type": "number", "minimum": 0, "maximum": 24} for day in WEEKDAYS},
)
class WorkTimesIn(Body):
    """`{"work_times": {…}}`, or the weekdays themselves."""

    work_times = WorkTimes(required=True)

    def renamed(self, sent: dict[str, Any]) -> dict[str, Any]:
        """Bare weekdays as the object that they are."""
        bare = bool(sent) and all(name in WEEKDAYS for name in sent)
        return {"work_times": sent} if bare else sent


@such_as(
    id=2,
    full_name="Ada Lovelace",
    email="ada@example.com",
    username="ada",
    number=None,
    requested_role=None,
    group_ids=[1],
    work_times={"Monday": 8.0},
    version=4294967301,
)
class UserOut(Schema):
    """A user, as far as the caller may see one."""

    id = fields.Integer()
    full_name = fields.String()
    email = fields.Email(allow_none=True)
    username = fields.String(allow_none=True)
    number = fields.String(allow_none=True)
    role = fields.String(metadata={"enum": list(ROLES)})
    requested_role = fields.String(allow_none=True)
    group_ids = fields.List(fields.Integer())
    work_times = fields.Dict(keys=fields.String(), values=fields.Float())
    created_at = fields.DateTime()
    updated_at = fields.DateTime()
    version = fields.Integer()


@such_as(user_id=2, work_times={"Monday": 8.0, "Friday": 4.5})
class WorkTimesOut(Schema):
    """A user's working hours."""

    user_id = fields.Integer()
    work_times = fields.Dict(keys=fields.String(), values=fields.Float())
