"""Records as JSON text and back.

A stored record begins with its id and ends with its version: `{"id":7,…,"version":4294967301}`.
Python makes the part between (the middle); the script that gives id and version puts them on.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, fields
from functools import cache
from typing import Any

import orjson

from taskapi.domain.errors import Damaged
from taskapi.domain.records import Record
from taskapi.store.kinds import Kind

_AROUND = ("id", "version")
_OF_TRASH = ("deleted_at", "deleted_with", "member_ids")
_BEGINNING = b'{"id":'
_ENDING = b',"version":'
_LONGEST_ENDING = 40


@cache
def middle_fields(kind: Kind) -> tuple[str, ...]:
    """The fields between id and version, in their order on the wire; those of the trash come last."""
    names = [field.name for field in fields(kind.record) if field.name not in _AROUND]
    return tuple(sorted(names, key=lambda name: name in _OF_TRASH))


def values(kind: Kind, record: Record) -> dict[str, Any]:
    """The middle fields; those of the trash only where they say something."""
    found = {name: getattr(record, name) for name in middle_fields(kind)}
    return {name: value for name, value in found.items() if value is not None or name not in _OF_TRASH}


def middle(kind: Kind, record: Record) -> bytes:
    """The JSON of the middle fields, without braces."""
    return orjson.dumps(values(kind, record))[1:-1]


def blob(middle_text: bytes, record_id: int, version: int) -> bytes:
    """The stored record, as the script writes it."""
    return b'{"id":%d,%b,"version":%d}' % (record_id, middle_text, version)


def version_of(stored: bytes) -> int:
    """The version at its end."""
    return int(stored[stored.rindex(_ENDING) + len(_ENDING) : -1])


def id_of(stored: bytes) -> int:
    """The id at its beginning."""
    return int(stored[len(_BEGINNING) : stored.index(b",")])


def seems_whole(stored: bytes) -> bool:
    """Whether it begins and ends as a record does: what is broken in between is found by decoding."""
    return stored.startswith(_BEGINNING) and stored.endswith(b"}") and _ENDING in stored[-_LONGEST_ENDING:]


def decode(kind: Kind, stored: bytes) -> Any:
    """The record in a stored text; raises Damaged if it is none."""
    try:
        found = orjson.loads(stored)
        for name, value in found.items():
            if type(value) is list:
                found[name] = tuple(value)
        return kind.record(**found)
    except (ValueError, TypeError, AttributeError) as fault:  # no JSON, no such fields, no object
        raise Damaged(f"a {kind.name}") from fault


def as_sent(stored: bytes) -> dict[str, Any]:
    """The stored text as the object that a client reads."""
    found: dict[str, Any] = orjson.loads(stored)
    return found


def fold(value: str) -> str:
    """The form in which a unique value is compared: NFC, then without case, then NFC again."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", value).casefold())


def uniques(kind: Kind, record: Record | None) -> dict[str, str]:
    """The unique values that the record holds, folded, by field."""
    if record is None:
        return {}
    held = {field: getattr(record, field) for field in kind.unique}
    return {field: fold(value) for field, value in held.items() if value is not None}


@dataclass(frozen=True, slots=True)
class Stored:
    """A record as it is stored: its exact bytes, and the record on demand."""

    kind: Kind
    blob: bytes

    @property
    def record(self) -> Any:
        """The decoded record."""
        return decode(self.kind, self.blob)

    @property
    def id(self) -> int:
        """Its id."""
        return id_of(self.blob)

    @property
    def name(self) -> str:
        """kind:id."""
        return f"{self.kind.name}:{self.id}"

    @property
    def version(self) -> int:
        """Its version."""
        return version_of(self.blob)
