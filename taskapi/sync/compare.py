"""An exact comparison of both stores: every record by version and content, and the journal."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import orjson

from taskapi.db import journal, rows
from taskapi.db.engine import Connection, Engine, transaction
from taskapi.db.schema import RECORDS
from taskapi.store import codec, contents, dirty, keys, state
from taskapi.store.client import Store
from taskapi.store.dirty import Entry
from taskapi.store.kinds import KINDS, Kind
from taskapi.sync.soundness import Soundness

CHUNK = 500


@dataclass(slots=True)
class Comparison:
    """Names (`kind:id`) that differ between the stores, and the versions of journal entries that do.

    `same` is how many records are equal, by kind. `waiting` are differences that the next flush
    carries, or that lie in quarantine.
    """

    same: dict[str, int] = field(default_factory=lambda: dict.fromkeys(RECORDS, 0))
    only_redis: list[str] = field(default_factory=list)
    only_postgres: list[str] = field(default_factory=list)
    differing: list[str] = field(default_factory=list)
    waiting: list[str] = field(default_factory=list)
    journal: list[int] = field(default_factory=list)
    entries: int = 0
    soundness: Soundness = field(default_factory=Soundness)

    @property
    def is_equal(self) -> bool:
        """Whether nothing differs but what is waiting."""
        return not (self.only_redis or self.only_postgres or self.differing or self.journal)

    @property
    def is_sound(self) -> bool:
        """Whether every parent exists and every unique value has one holder."""
        return not (self.soundness.orphans or self.soundness.clashes)


def compare(store: Store, engine: Engine) -> Comparison:
    """Compares all of it. Records written meanwhile may show as waiting. Raises PostgresAway, Unavailable."""
    found = Comparison()
    with transaction(engine) as connection:
        for kind, blobs in contents.stored_blobs(store, CHUNK):
            _compare_records(store, connection, kind, blobs, found)
        for kind, chunk in _live_rows(connection):
            _find_missing(store, kind, chunk, found)
        _compare_journal(store, connection, found)
    return found


def _compare_records(
    store: Store, connection: Connection, kind: Kind, blobs: list[bytes], found: Comparison
) -> None:
    records = {record.id: record for record in (codec.decode(kind, blob) for blob in blobs)}
    found.soundness.check(store, kind, records)
    there = {row["id"]: kind.record(**row) for row in rows.some(connection, kind.name, list(records))}
    for number, record in records.items():
        if there.get(number) == record:
            found.same[kind.name] += 1
        else:
            missing = found.differing if number in there else found.only_redis
            _file(store, keys.record(kind.name, number), missing, found)


def _file(store: Store, name: str, otherwise: list[str], found: Comparison) -> None:
    (found.waiting if dirty.is_dirty(store, [name]) else otherwise).append(name)


def _live_rows(connection: Connection) -> Iterator[tuple[Kind, list[int]]]:
    for name in RECORDS:
        after = 0
        while chunk := rows.versions(connection, name, after, CHUNK):
            yield KINDS[name], [number for number, _, is_purged in chunk if not is_purged]
            after = chunk[-1][0]


def _find_missing(store: Store, kind: Kind, numbers: list[int], found: Comparison) -> None:
    present = contents.present(store, kind, numbers)
    for number, record in zip(numbers, present, strict=True):
        if record is None:
            _file(store, keys.record(kind.name, number), found.only_postgres, found)


def _compare_journal(store: Store, connection: Connection, found: Comparison) -> None:
    """Only what was carried: the rest is still on its way."""
    after, carried = 0, state.look(store).carried
    while entries := [entry for entry in dirty.journal(store, after, CHUNK) if entry.version <= carried]:
        there = journal.some(connection, [entry.version for entry in entries])
        found.journal += [entry.version for entry in entries if not _is_same(entry, there.get(entry.version))]
        found.entries += len(entries)
        after = entries[-1].version


def _is_same(entry: Entry, row: dict[str, Any] | None) -> bool:
    if row is None or row["action"] == "unreadable":
        return row is not None
    names = ("kind", "record_id", "action", "actor", "at", "request_id", "operation")
    return row["fields"] == orjson.loads(entry.fields) and all(
        row[name] == getattr(entry, name) for name in names
    )
