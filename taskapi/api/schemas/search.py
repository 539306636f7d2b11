"""Searching for words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from marshmallow import Schema, fields

from taskapi.api.schemas.query import PageQuery, Words, page_of
from taskapi.api.schemas.said import such_as
from taskapi.api.schemas.tasks import TaskOut
from taskapi.domain.filters import Page


@dataclass(frozen=True, slots=True)
class Sought:
    """What is searched for, and the page of what is found."""

    text: str
    page: Page


@such_as(q="report")
class SearchQuery(PageQuery):
    """What to search for."""

    q = Words(required=True)

    def wanted(self, values: dict[str, Any]) -> Sought:
        """The search."""
        return Sought(values["q"], page_of(values))


@such_as(user_id=2)
class TaskHit(Schema):
    """A task that was found, and whose it is."""

    user_id = fields.Integer()
    task = fields.Nested(TaskOut)
