"""What the public endpoints beside the health probes answer."""

from __future__ import annotations

from marshmallow import Schema, fields

from taskapi.api.schemas.said import such_as


@such_as(joke={"setup": "What do tasks do at night?", "punchline": "They queue."})
class Joke(Schema):
    """What the other server has said, whatever JSON that is."""

    joke = fields.Raw(metadata={"description": "Any JSON."})


@such_as(status="ok", limit=5, remaining=4, reset_seconds=60)
class LimitLeft(Schema):
    """What is left of a limit; null where it is switched off, or is not known just now."""

    status = fields.String()
    limit = fields.Integer(allow_none=True, metadata={"description": "Calls in one period."})
    remaining = fields.Integer(allow_none=True)
    reset_seconds = fields.Integer(allow_none=True, metadata={"description": "Until all are there again."})
