"""Bringing both stores together while nobody reads: each record in its newest version, repeatable."""

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from taskapi.db import rows
from taskapi.db.engine import Connection
from taskapi.db.schema import RECORDS
from taskapi.domain import failpoints
from taskapi.store import codec, contents, keys, placing, walking
from taskapi.store.client import Store
from taskapi.store.kinds import KINDS, Kind
from taskapi.store.walking import Lying
from taskapi.sync import refusals

CHUNK = 500


def fill(store: Store, connection: Connection, known: int = 0) -> int:
    """Puts into Redis what PostgreSQL has newer, refused records too; returns how many records.

    What Redis lacks though it has known all up to that version was purged, and stays away.
    """
    placed = 0
    for kind, chunk in _chunks(connection):
        placed += _place(store, connection, kind, _newer_than_redis(store, kind, chunk, known))
        failpoints.reach("rebuilding.placed")
    return placed + refusals.put_back(store, connection, known)


def mark(store: Store, connection: Connection) -> int:
    """Marks dirty what PostgreSQL lacks or has older; returns how many records. What is no record stays."""
    marked = 0
    for kind, blobs in contents.stored_blobs(store, CHUNK):
        found = dict(pair for pair in map(_told, blobs) if pair)
        there = rows.versions_of(connection, kind.name, list(found))
        connection.commit()
        missing = {number: version for number, version in found.items() if there.get(number, 0) < version}
        contents.mark_dirty(
            store, {keys.record(kind.name, number): version for number, version in missing.items()}
        )
        marked += len(missing)
        failpoints.reach("rebuilding.marked")
    return marked


def differing(store: Store, connection: Connection, waiting: Collection[str] = ()) -> dict[str, list[int]]:
    """Ids, by kind, of what Redis shows and PostgreSQL does not have: another content in the same version, or
    a text that nobody can read. What is `waiting` (`kind:id`) is there already, or beside it.
    """
    found: dict[str, set[int]] = {}
    for part in walking.walk(store, CHUNK):
        for kind in KINDS.values():
            held = [lying for lying in part.records if lying.kind is kind and lying.name not in waiting]
            there = {row["id"]: row for row in rows.some(connection, kind.name, [each.id for each in held])}
            connection.commit()
            wrong = {each.id for each in held if _contradicts(each, there.get(each.id))}
            found.setdefault(kind.name, set()).update(wrong)
        failpoints.reach("rebuilding.compared")
    return {kind: sorted(numbers) for kind, numbers in found.items() if numbers}


def _contradicts(lying: Lying, row: Mapping[str, Any] | None) -> bool:
    """What PostgreSQL has newer is no contradiction: Redis is older."""
    if lying.record is None or row is None:
        return lying.record is None
    there = lying.kind.record(**row)
    return bool(lying.record.version == there.version and lying.record != there)


def gone_from_redis(store: Store, connection: Connection, known: int) -> dict[str, list[int]]:
    """What PostgreSQL still has of records that were purged since; Redis has known all up to that version."""
    gone: dict[str, list[int]] = {}
    for kind, chunk in _chunks(connection):
        held = contents.versions(store, kind, [number for number, _, _ in chunk])
        rows_held = zip(chunk, held, strict=True)
        gone.setdefault(kind.name, []).extend(
            number
            for (number, version, is_purged), here in rows_held
            if not here and not is_purged and version <= known
        )
    for kind_name, numbers in refusals.gone(store, connection, known).items():
        gone.setdefault(kind_name, []).extend(set(numbers).difference(gone.get(kind_name, ())))
    return gone


def bury(connection: Connection, gone: dict[str, list[int]], version: int) -> int:
    """Leaves a tombstone of that version for each in PostgreSQL; returns how many."""
    buried = 0
    for kind, numbers in gone.items():
        for start in range(0, len(numbers), CHUNK):
            part = numbers[start : start + CHUNK]
            buried += rows.upsert(
                connection, kind, [b'{"id":%d,"purged":true,"version":%d}' % (n, version) for n in part]
            )
    return buried


def _chunks(connection: Connection) -> Iterator[tuple[Kind, list[tuple[int, int, bool]]]]:
    for name in RECORDS:
        after = 0
        while chunk := rows.versions(connection, name, after, CHUNK):
            connection.commit()
            yield KINDS[name], chunk
            after = chunk[-1][0]


def _newer_than_redis(
    store: Store, kind: Kind, chunk: list[tuple[int, int, bool]], known: int
) -> list[tuple[int, int, bool]]:
    held = contents.versions(store, kind, [number for number, _, _ in chunk])
    return [row for row, here in zip(chunk, held, strict=True) if row[1] > (here or known)]


def _place(store: Store, connection: Connection, kind: Kind, newer: list[tuple[int, int, bool]]) -> int:
    numbers = [number for number, _, _ in newer]
    was = dict(zip(numbers, contents.present(store, kind, numbers), strict=True))
    now = {row["id"]: kind.record(**row) for row in rows.some(connection, kind.name, numbers)}
    connection.commit()
    both = [(was[number], now.get(number), False) for number in numbers]
    return placing.place(store, [pair for pair in both if pair[0] or pair[1]])


def _told(blob: bytes) -> tuple[int, int] | None:
    """The id and the version of a stored record; None if it says neither."""
    try:
        return codec.id_of(blob), codec.version_of(blob)
    except ValueError:
        return None
