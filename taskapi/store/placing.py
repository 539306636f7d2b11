"""Putting records into a Redis that is not open, as PostgreSQL has them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from taskapi.domain.clock import milliseconds
from taskapi.domain.errors import Unavailable
from taskapi.domain.records import Record
from taskapi.store import codec, plans
from taskapi.store.client import Store, run_unverified
from taskapi.store.errors import OVERTAKEN
from taskapi.store.plans import Change

PLACED_RECORDS, PLACED_BYTES = 100, 2_000_000
"""So much goes into one script at most: a restore places beside people who read."""

_TEXT = 5  # where the text stands in what place.lua is told of a record


def place(store: Store, rows: Sequence[tuple[Record | None, Record | None, bool]]) -> int:
    """Puts records while Redis is closed: (as Redis has it, as it shall be, dirty); returns how many.

    None as it shall be takes the record away: PostgreSQL knows that it was purged. A record that
    is not as Redis had it any more stays; nothing is placed if Redis is open. Where a restore builds,
    raises Unavailable if that was overtaken.
    """
    placed = 0
    for part in _portions(_placing(*row) for row in rows):
        done = run_unverified(store, "place", len(part), *(value for row in part for value in row))
        if done < 0:
            raise Unavailable(OVERTAKEN)
        placed += done
    return placed


def _portions(rows: Iterator[list[Any]]) -> Iterator[list[list[Any]]]:
    """The same rows in parts, so that no script takes long."""
    part: list[list[Any]] = []
    size = 0
    for row in rows:
        part.append(row)
        size += len(row[_TEXT])
        if size >= PLACED_BYTES or len(part) >= PLACED_RECORDS:
            yield part
            part, size = [], 0
    if part:
        yield part


def _placing(was: Record | None, now: Record | None, dirty: bool) -> list[Any]:
    change = Change(was, now, "placed")
    subject = change.subject
    text = codec.blob(plans.middle_of(change), subject.id, subject.version)
    before = ("new", 0) if was is None else (plans.prefix_of(was), was.version)
    row = (change.kind.name, subject.id, *before, plans.prefix_of(now), text, subject.version, int(dirty))
    return [*row, milliseconds(subject.deleted_at), *plans.index_args(change)]
