"""Fields that take exactly what they say: a text is no number, true is no 1, and nothing is infinite."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Mapping
from datetime import date
from typing import Any

from marshmallow import ValidationError, fields, validate

from taskapi.domain.worktime import WEEKDAYS

LARGEST_ID = 2**53 - 1
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_USERNAME = re.compile(r"[A-Za-z][A-Za-z0-9._-]{2,49}")


def documented(options: dict[str, Any], **facts: Any) -> dict[str, Any]:
    """A field's options with facts for the API document."""
    return options | {"metadata": {**facts, **options.get("metadata", {})}}


class Text(fields.Field[str]):
    """A text of so many characters, in NFC; not blank if it must have any."""

    def __init__(self, low: int, high: int, *, absent: str | None = None, **options: Any) -> None:
        """`absent` is what null stands for, where null is allowed and is not kept as null."""
        super().__init__(**documented(options, minLength=low, maxLength=high))
        self.low, self.high, self.absent = low, high, absent

    def deserialize(self, value: Any, *args: Any, **kwargs: Any) -> Any:
        """With the stand-in for null."""
        return (
            self.absent
            if value is None and self.absent is not None
            else super().deserialize(value, *args, **kwargs)
        )

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> str:
        if not isinstance(value, str):
            raise ValidationError("Must be a text.")
        text = unicodedata.normalize("NFC", value)
        if not self.low <= len(text) <= self.high:
            raise ValidationError(f"Must have {self.low} to {self.high} characters.")
        if self.low and not text.strip():
            raise ValidationError("Must not be blank.")
        return text


class Password(Text):
    """8 to 256 characters, as they were typed: never normalized."""

    def __init__(self, low: int = 8, **options: Any) -> None:
        super().__init__(low, 256, **documented(options, format="password"))

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> str:
        if not isinstance(value, str):
            raise ValidationError("Must be a text.")
        if not self.low <= len(value) <= self.high:
            raise ValidationError(f"Must have {self.low} to {self.high} characters.")
        return value


class NameOrId(Text):
    """A text of so many characters, or an id as a number."""

    def __init__(self, low: int, high: int, **options: Any) -> None:
        super().__init__(
            low, high, **documented(options, type=["string", "integer"], minimum=1, maximum=LARGEST_ID)
        )

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> str:
        is_id = type(value) is int and 1 <= value <= LARGEST_ID
        return super()._deserialize(str(value) if is_id else value, *args, **kwargs)


class Username(Text):
    """A letter, then 2 to 49 letters, digits, dots, hyphens or underscores."""

    def __init__(self, **options: Any) -> None:
        super().__init__(3, 50, **documented(options, pattern=f"^{_USERNAME.pattern}$"))

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> str:
        text = super()._deserialize(value, *args, **kwargs)
        if not _USERNAME.fullmatch(text):
            raise ValidationError(
                "Must begin with a letter, and have letters, digits, '.', '_' and '-' only."
            )
        return text


class EMail(Text):
    """An e-mail address of at most 254 characters."""

    _valid = staticmethod(validate.Email(error="Must be an e-mail address."))

    def __init__(self, **options: Any) -> None:
        super().__init__(3, 254, **documented(options, format="email"))

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> str:
        return self._valid(super()._deserialize(value, *args, **kwargs))


class Whole(fields.Field[int]):
    """A whole number within bounds; neither true nor 1.0."""

    def __init__(self, low: int = 1, high: int = LARGEST_ID, **options: Any) -> None:
        super().__init__(**documented(options, minimum=low, maximum=high))
        self.low, self.high = low, high

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> int:
        if type(value) is not int:
            raise ValidationError("Must be a whole number.")
        if not self.low <= value <= self.high:
            raise ValidationError(f"Must be from {self.low} to {self.high}.")
        return value


class Number(fields.Field[float]):
    """A finite number within bounds."""

    def __init__(self, low: float, high: float, **options: Any) -> None:
        super().__init__(**documented(options, minimum=low, maximum=high))
        self.low, self.high = low, high

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> float:
        if type(value) not in (int, float) or not math.isfinite(value):
            raise ValidationError("Must be a number.")
        if not self.low <= value <= self.high:
            raise ValidationError(f"Must be from {_plain(self.low)} to {_plain(self.high)}.")
        return float(value)


def _plain(number: float) -> str:
    """A bound as people write it: 1000000, not 1e+06."""
    return f"{number:f}".rstrip("0").rstrip(".") if number % 1 else f"{number:.0f}"


class Truth(fields.Field[bool]):
    """true or false."""

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> bool:
        if not isinstance(value, bool):
            raise ValidationError("Must be true or false.")
        return value


class Day(fields.Field[str]):
    """A date, `YYYY-MM-DD`."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**documented(options, format="date"))

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> str:
        if not isinstance(value, str) or not _DAY.fullmatch(value):
            raise ValidationError("Must be a date, YYYY-MM-DD.")
        try:
            return date.fromisoformat(value).isoformat()
        except ValueError:
            raise ValidationError("There is no such date.") from None


class OneOf(fields.Field[Any]):
    """One of some values; `other` maps further spellings to them."""

    def __init__(
        self, values: tuple[Any, ...], other: Mapping[str, Any] | None = None, **options: Any
    ) -> None:
        super().__init__(**documented(options, enum=[*values, *(other or {})]))
        self.values, self.other = values, other or {}

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> Any:
        if isinstance(value, str) and value in self.other:
            return self.other[value]
        if any(value == each and type(value) is type(each) for each in self.values):
            return value
        raise ValidationError(
            f"Must be one of {', '.join(str(each) for each in (*self.values, *self.other))}."
        )


class Several(fields.Field[tuple[Any, ...]]):
    """A list of at most so many values; what is there twice counts once, where it stood first."""

    def __init__(self, each: fields.Field[Any], most: int, *, absent: bool = False, **options: Any) -> None:
        """`absent`: null is allowed, and means none."""
        super().__init__(**documented(options, maxItems=most))
        self.each, self.most, self.absent = each, most, absent

    def deserialize(self, value: Any, *args: Any, **kwargs: Any) -> Any:
        """With null as the empty list."""
        return () if value is None and self.absent else super().deserialize(value, *args, **kwargs)

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> tuple[Any, ...]:
        if not isinstance(value, list):
            raise ValidationError("Must be a list.")
        if len(value) > self.most:
            raise ValidationError(f"Must have {self.most} entries at most.")
        return tuple(dict.fromkeys(self._read(place, each) for place, each in enumerate(value)))

    def _read(self, place: int, each: Any) -> Any:
        try:
            return self.each.deserialize(each)
        except ValidationError as refusal:
            raise ValidationError([f"Entry {place + 1}: {each}" for each in refusal.messages]) from None


class WorkTimes(fields.Field[dict[str, Any]]):
    """Hours per weekday, from 0 to 24; days that are not sent are not meant."""

    _hours = Number(0, 24)

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise ValidationError("Must be an object of weekdays and hours.")
        unknown = [day for day in value if day not in WEEKDAYS]
        if unknown:
            raise ValidationError(f"There is no weekday {unknown[0][:40]!a}; write {', '.join(WEEKDAYS)}.")
        return {day: self._read(day, hours) for day, hours in value.items()}

    def _read(self, day: str, hours: Any) -> Any:
        try:
            return self._hours.deserialize(hours)
        except ValidationError as refusal:
            raise ValidationError({day: refusal.messages}) from None
