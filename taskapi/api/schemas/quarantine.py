"""What PostgreSQL refuses."""

from __future__ import annotations

from marshmallow import Schema, fields

from taskapi.api.schemas.said import such_as

KIND = {"enum": ["user", "credential", "group", "task", "file"]}


@such_as(id=2, version=4294967301, reason="numeric field overflow", record=None)
class RefusedOut(Schema):
    """A record that PostgreSQL refuses."""

    kind = fields.String(metadata=KIND)
    id = fields.Integer()
    version = fields.Integer(metadata={"description": "The one that was refused."})
    reason = fields.String()
    at = fields.DateTime(metadata={"description": "When it was refused last."})
    record = fields.Dict(
        allow_none=True,
        metadata={"description": "As it is served now, without secrets; null if it cannot be read."},
    )


@such_as(id=2)
class RetriedOut(Schema):
    """A record that is tried again."""

    kind = fields.String(metadata=KIND)
    id = fields.Integer()
    state = fields.String(metadata={"enum": ["retried"]})


@such_as(id=2, version=4294967302)
class DiscardedOut(Schema):
    """A record whose refused change was given up."""

    kind = fields.String(metadata=KIND)
    id = fields.Integer()
    state = fields.String(metadata={"enum": ["discarded"]})
    version = fields.Integer(metadata={"description": "The one that the record has now."})
    purged = fields.Boolean(
        metadata={"description": "Whether PostgreSQL had nothing of it, and so nothing is left."}
    )
