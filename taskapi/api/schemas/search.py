"""Searching for words."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import Any

from marshmallow import Schema, ValidationError, fields

from taskapi.api.schemas.query import PageQuery, Parameter, page_of
from taskapi.api.schemas.tasks import TaskOut
from taskapi.domain.filters import Page

LONGEST_SEARCH = 200


class Words(Parameter):
    """What is searched for: 1 to 200 characters, in NFC, not blank."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)

    def read(self, text: str) -> str:
        """The text."""
        found = unicodedata.normalize("NFC", text)
        if not found.strip() or len(found) > LONGEST_SEARCH:
            raise ValidationError(f"Must have 1 to {LONGEST_SEARCH} characters, not only blanks.")
        return found


@dataclass(frozen=True, slots=True)
class Sought:
    """What is searched for, and the page of what is found."""

    text: str
    page: Page


class SearchQuery(PageQuery):
    """What to search for."""

    q = Words(required=True)

    def wanted(self, values: dict[str, Any]) -> Sought:
        """The search."""
        return Sought(values["q"], page_of(values))


class TaskHit(Schema):
    """A task that was found, and whose it is."""

    user_id = fields.Integer()
    task = fields.Nested(TaskOut)
