"""From records before and after to what the scripts are told: blobs, index changes, counter differences."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, cast

import orjson

from taskapi.domain.records import Record
from taskapi.store import codec, keys
from taskapi.store.kinds import Kind, kind_of

NEXT_ID, SAME_ID = "", "="


@dataclass(frozen=True, slots=True)
class Change:
    """A record as it was read and as it shall be.

    `was` None creates it; `now` None purges it. `id` is only for creating: SAME_ID gives it the
    id of the change before it. `tombstone` is the version of the purge that is taken back.
    `told` is what the journal tells as before, if it is not `was`.
    """

    was: Record | None
    now: Record | None
    action: str
    id: str = NEXT_ID
    tombstone: int = 0
    told: Record | None = None

    @property
    def kind(self) -> Kind:
        """The kind of both."""
        return kind_of(self.subject)

    @property
    def subject(self) -> Record:
        """The record as it shall be, or as it was if it goes."""
        return cast(Record, self.now or self.was)


def prefix_of(record: Record | None) -> str:
    """The key prefix under which a record in that state lies; of None, that of a tombstone."""
    if record is None:
        return keys.PURGED
    return keys.LIVE if record.deleted_at is None else keys.TRASH


def middle_of(change: Change) -> bytes:
    """The JSON between id and version."""
    return b'"purged":true' if change.now is None else codec.middle(change.kind, change.now)


def change_args(change: Change) -> list[Any]:
    """One change as save.lua takes it."""
    stamps = _listed((scope,) for scope in change.kind.stamps_of(change.was, change.now))
    told = (middle_of(change), change.action, _differences(change))
    return [*_identity(change), *told, *index_args(change), *stamps]


def _identity(change: Change) -> tuple[Any, ...]:
    prefix = prefix_of(change.now)
    if change.was is None:
        before = keys.PURGED if change.tombstone else "new"
        return change.kind.name, change.id, before, change.tombstone, prefix
    return change.kind.name, change.was.id, prefix_of(change.was), change.was.version, prefix


def index_args(change: Change) -> list[Any]:
    """Unique values claimed and released, lists left and entered, counters moved."""
    kind = change.kind
    held, holds = _claims(kind, change.was), _claims(kind, change.now)
    stood, stands = kind.entries_of(change.was), kind.entries_of(change.now)
    kept = {key for key, _ in stands}
    return [
        *_listed(sorted(holds - held)),
        *_listed(sorted(held - holds)),
        *_listed([(key,) for key, _ in stood if key not in kept]),
        *_listed(
            [(key, "" if score is None else score) for key, score in stands if (key, score) not in stood]
        ),
        *_listed(_moved(kind.counts_of(change.was), kind.counts_of(change.now))),
    ]


def _claims(kind: Kind, record: Record | None) -> set[tuple[str, str]]:
    return {(keys.unique(kind.name, field), value) for field, value in codec.uniques(kind, record).items()}


def _moved(before: list[tuple[str, str]], after: list[tuple[str, str]]) -> list[tuple[str, str, int]]:
    """The counters that differ, with the difference. A list may name one counter twice."""
    totals = Counter(after)
    totals.subtract(before)
    return [(key, field, difference) for (key, field), difference in totals.items() if difference]


def _listed(rows: Iterable[tuple[Any, ...]]) -> list[Any]:
    """Rows as the scripts take them: their number, then all their columns."""
    rows = list(rows)
    return [len(rows), *(value for row in rows for value in row)]


def listed(*rows: tuple[Any, ...]) -> list[Any]:
    """The same for rows given one by one."""
    return _listed(rows)


def _differences(change: Change) -> bytes:
    """The journal's account: each changed field as [before, after]; secret values are left out."""
    kind = change.kind
    told = change.told or change.was
    before = codec.values(kind, told) if told else {}
    after = codec.values(kind, change.now) if change.now else {}
    names = [name for name in codec.middle_fields(kind) if before.get(name) != after.get(name)]
    shown = {name: [before.get(name), after.get(name)] for name in names if name not in kind.secret}
    return orjson.dumps(shown | {name: [None, None] for name in names if name in kind.secret})
