"""Registering, signing in and sessions."""

from __future__ import annotations

from typing import Any, ClassVar

from marshmallow import Schema, ValidationError, fields

from taskapi.api.schemas.aliased import Body
from taskapi.api.schemas.fields import EMail, NameOrId, OneOf, Password, Text, Username
from taskapi.api.schemas.query import Choice, Query
from taskapi.api.schemas.said import described, meaning, such_as
from taskapi.api.schemas.users import OTHER_ROLES, UserOut
from taskapi.domain.records import ROLES


@such_as(username="ada", email="ada@example.com", password="correct horse battery", full_name="Ada Lovelace")
@described(anyOf=[{"required": ["username"]}, {"required": ["email"]}])
class Register(Body):
    """A password and a name to sign in with; a role is noted for the owner to grant."""

    username = Username(allow_none=True)
    email = EMail(allow_none=True)
    password = Password(required=True)
    full_name = Text(1, 200, allow_none=True)
    role = OneOf(ROLES, OTHER_ROLES, allow_none=True)

    def finished(self, values: dict[str, Any]) -> dict[str, Any]:
        """What was given; refused without a name to sign in with."""
        given = {name: value for name, value in values.items() if value is not None}
        if "username" not in given and "email" not in given:
            raise ValidationError({"username": ["Give a username, an e-mail address, or both."]})
        return given


class SignInQuery(Query):
    """Whether cookies are wanted too."""

    class Meta:
        """Who signed in is answered whole."""

        exclude = ("narrowed",)

    session = Choice(
        {"cookie": True}, metadata=meaning("cookie: the answer sets cookies to sign in with as well.")
    )


@such_as(username="ada", password="correct horse battery")
class SignIn(Body):
    """A password, and a username, e-mail address or user id under `username`.

    What clients of OAuth 2's password grant send besides is taken, and says nothing here.
    """

    aliases = {"email": "username"}  # noqa: RUF012 - typed in Body

    username = NameOrId(1, 254, required=True)
    password = Password(1, required=True)
    grant_type = OneOf(("password",))
    scope = Text(0, 1000)
    client_id = Text(0, 1000)
    client_secret = Text(0, 1000)


@such_as(refresh_token="eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIyIn0.2bnVsbA")
class Refresh(Body):
    """A refresh token, unless it is sent as Bearer."""

    refresh_token = Text(1, 4096)


@such_as(current_password="correct horse battery", new_password="battery staple horse")
class NewPassword(Body):
    """The password so far, and the new one."""

    current_password = Password(1, required=True)
    new_password = Password(required=True)


class SignedIn(Schema):
    """Who signed in; the tokens stand beside `data`."""

    beside_data: ClassVar[dict[str, dict[str, Any]]] = {
        "access_token": {"type": "string"},
        "refresh_token": {"type": "string"},
        "token_type": {"const": "bearer"},
        "expires_in": {"type": "integer", "description": "Seconds until the access token ends."},
        "csrf_token": {"type": "string", "description": "With cookies: what X-CSRF-Token must be."},
    }

    beside_example: ClassVar[dict[str, Any]] = {
        "access_token": "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIyIn0.2bnVsbA",
        "refresh_token": "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIyIn0.2bnVsbA",
        "token_type": "bearer",
        "expires_in": 3600,
    }

    user = fields.Nested(UserOut)


@such_as(id="5b1c9f0e6d7a4c38", address="127.0.0.1", agent="curl/8.5.0")
class SessionOut(Schema):
    """One session of the caller."""

    id = fields.String()
    address = fields.String()
    agent = fields.String()
    created_at = fields.DateTime()
    refreshed_at = fields.DateTime()
    current = fields.Boolean()


@such_as(ended=1)
class Ended(Schema):
    """How many sessions have ended."""

    ended = fields.Integer()


@such_as(id="5b1c9f0e6d7a4c38")
class DeletedSession(Schema):
    """The session that has ended."""

    id = fields.String()
    deleted = fields.Boolean()


@such_as(id=1)
class Deleted(Schema):
    """What was deleted."""

    id = fields.Integer()
    deleted = fields.Boolean()
