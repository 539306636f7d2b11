"""Whether a record has the shape of its kind: what lies in a store may have been put there by hand."""

from __future__ import annotations

from datetime import date, datetime
from functools import cache
from types import NoneType, UnionType
from typing import Any, get_args, get_origin, get_type_hints

from taskapi.store.kinds import Kind

_DAYS = ("deadline",)


def flaw(kind: Kind, record: Any) -> str | None:
    """The first field whose value cannot be one of its kind; None for a record that is whole."""
    for name, types in _types(kind):
        value = getattr(record, name)
        if type(value) not in types:
            return name
        if value is not None and (name in _DAYS or name.endswith("_at")) and not _is_moment(name, value):
            return name
    return None


def _is_moment(name: str, text: str) -> bool:
    try:
        (date if name in _DAYS else datetime).fromisoformat(text)
    except ValueError:
        return False
    return True


@cache
def _types(kind: Kind) -> tuple[tuple[str, frozenset[type]], ...]:
    """The types that each field may have, by name; a float may be a whole number."""
    hints = get_type_hints(kind.record)
    return tuple((name, frozenset(_plain(hint))) for name, hint in hints.items())


def _plain(hint: Any) -> list[type]:
    if isinstance(hint, UnionType):
        return [each for part in get_args(hint) for each in _plain(part)]
    found = get_origin(hint) or hint
    return [int, float] if found is float else [NoneType if found is None else found]
