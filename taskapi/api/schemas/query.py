"""Query parameters: each is known, is there once, and has a value that is understood."""

from __future__ import annotations

import re
from functools import cached_property
from typing import Any, ClassVar

from marshmallow import Schema, ValidationError, fields

from taskapi.api.schemas.fields import LARGEST_ID, documented
from taskapi.api.schemas.said import meaning, such_as
from taskapi.domain.filters import Page
from taskapi.domain.words import LONGEST_QUERY

MOST_PER_PAGE = 200
LAST_PAGE = 10**9
_WHOLE = re.compile(r"[0-9]{1,16}", re.ASCII)
_CURSOR = re.compile(r"[A-Za-z0-9_=.~-]{1,1000}", re.ASCII)


class Parameter(fields.Field[Any]):
    """A parameter that is read from text."""

    repeatable = False

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> Any:
        return self.read(value)

    def read(self, text: str) -> Any:
        """The value; raises ValidationError."""
        return text


class WholeParameter(Parameter):
    """A whole number within bounds."""

    def __init__(self, low: int = 1, high: int = LARGEST_ID, **options: Any) -> None:
        super().__init__(**documented(options, minimum=low, maximum=high))
        self.low, self.high = low, high

    def read(self, text: str) -> int:
        """The number."""
        if not _WHOLE.fullmatch(text) or not self.low <= int(text) <= self.high:
            raise ValidationError(f"Must be a whole number from {self.low} to {self.high}.")
        return int(text)


class Choice(Parameter):
    """One of some words, each of which stands for a value."""

    def __init__(self, words: dict[str, Any], **options: Any) -> None:
        super().__init__(**documented(options, enum=list(words)))
        self.words = words

    def read(self, text: str) -> Any:
        """What the word stands for."""
        if text not in self.words:
            raise ValidationError(f"Must be one of {', '.join(self.words)}.")
        return self.words[text]


class Choices(Choice):
    """Some of the words, parted by commas; none twice."""

    def read(self, text: str) -> tuple[Any, ...]:
        """What the words stand for."""
        found = tuple(super(Choices, self).read(word) for word in text.split(","))
        if len(set(found)) != len(found):
            raise ValidationError("Names a value twice.")
        return found


class Flag(Choice):
    """true or false."""

    def __init__(self, **options: Any) -> None:
        super().__init__({"true": True, "false": False}, **options)


class Cursor(Parameter):
    """A cursor, as a page before has given it."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**documented(options, pattern=f"^{_CURSOR.pattern}$"))

    def read(self, text: str) -> str:
        """The cursor, unread."""
        if not _CURSOR.fullmatch(text):
            raise ValidationError("This is not a cursor that a page has given.")
        return text


class Names(Parameter):
    """Names of fields, parted by commas; none twice."""

    def read(self, text: str) -> tuple[str, ...]:
        """The names."""
        names = tuple(text.split(","))
        if not all(names) or len(set(names)) != len(names):
            raise ValidationError("Must be different names of fields, parted by commas.")
        return names


class Words(Parameter):
    """What is searched for: a text that is not blank."""

    def __init__(self, **options: Any) -> None:
        said = f"Words to search for: {LONGEST_QUERY} characters at most, not only blanks."
        super().__init__(**documented(options, description=said, minLength=1, maxLength=LONGEST_QUERY))

    def read(self, text: str) -> str:
        """The text."""
        if not text.strip() or len(text) > LONGEST_QUERY:
            raise ValidationError(f"Must have 1 to {LONGEST_QUERY} characters, not only blanks.")
        return text


class Query(Schema):
    """The parameters of one endpoint; `fields` narrows what is answered."""

    has_wanted: ClassVar[bool] = False

    narrowed = Names(data_key="fields")

    def wanted(self, values: dict[str, Any]) -> Any:
        """What the view is given."""
        return values

    @cached_property
    def default(self) -> Any:
        """The same for no parameters at all."""
        return self.wanted(self.load({}))


@such_as(page=1, per_page=50, cursor="WyJpZCIsZmFsc2UsbnVsbCwxXQ")
class PageQuery(Query):
    """One page of a list: by number or by cursor."""

    has_wanted = True

    page = WholeParameter(
        1, LAST_PAGE, metadata=meaning("Which page, counted from 1, which is also the default.")
    )
    cursor = Cursor(
        metadata=meaning("Instead of `page`: the `next_cursor` of the page before, in the same order.")
    )
    per_page = WholeParameter(
        1,
        MOST_PER_PAGE,
        metadata=meaning(f"How many a page has: 1 to {MOST_PER_PAGE}, by default {Page().per_page}."),
    )

    def wanted(self, values: dict[str, Any]) -> Any:
        """The page."""
        return page_of(values)


def page_of(values: dict[str, Any]) -> Page:
    """The page that the parameters describe."""
    if "page" in values and "cursor" in values:
        raise ValidationError({"cursor": ["Give page or cursor, not both."]})
    return Page(**{name: values[name] for name in ("per_page", "page", "cursor") if name in values})
