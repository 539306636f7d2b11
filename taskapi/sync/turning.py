"""The point of no return of a restore: one transaction in PostgreSQL; after it Redis is the older store."""

import math
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import Any

import orjson

from taskapi.db import journal, merging, meta, refused, rows, scratch
from taskapi.db.engine import Connection, transaction, unhurried
from taskapi.db.journal import RESTORE
from taskapi.db.merging import Apart, Forced, Merged
from taskapi.db.refused import Refused
from taskapi.domain import failpoints
from taskapi.domain.clock import timestamp
from taskapi.domain.deadlines import within
from taskapi.domain.records import OWNER_ID
from taskapi.store import codec, state
from taskapi.store.dirty import Entry
from taskapi.store.kinds import KINDS
from taskapi.store.state import EPOCH_SPAN
from taskapi.sync.freezing import Frozen

POSTGRESQL = "postgresql"

LINES = ("turning.begun", "turning.merged", "turning.written", "turning.committed")


@dataclass(frozen=True, slots=True)
class Target:
    """What shall be: the tables of `schema`, or without one what the mirrors say already.

    `epoch` is the highest that its versions may be of, `ids` the highest of each kind that may have been
    given. `anothers` is the installation that is taken over, with its last version, if it is one.
    `finish` writes what else belongs to it: it is told the last version given, and returns the last one
    that it gives.
    """

    schema: str | None = None
    epoch: int = 0
    ids: Mapping[str, int] = field(default_factory=dict)
    anothers: tuple[str, int] | None = None
    finish: Callable[[Connection, int], int] = lambda connection, last: last


@dataclass(frozen=True, slots=True)
class Wish:
    """`action` is the journal's word, `archive` what the present was kept in, `forced` get a new version."""

    action: str
    target: str
    archive: str | None
    forced: Forced


@dataclass(frozen=True, slots=True)
class Turned:
    """What was committed, as number `commit`; `ids` has the last id given and the ceiling of each kind."""

    epoch: int
    entry: Entry
    commit: int
    merged: Merged
    ids: dict[str, tuple[int, int]]
    is_back: bool


def turn(held: Frozen, wish: Wish, load: Callable[[Connection], Target]) -> Turned:
    """Makes it so. Raises PostgresAway, in which case it may have been committed all the same."""
    with within(math.inf), transaction(held.connection) as connection:
        unhurried(connection)
        failpoints.reach("turning.begun")
        target = load(connection)
        epoch = _epoch(held, connection, target)
        merged = merging.merge(connection, target.schema, wish.forced, epoch * EPOCH_SPAN)
        _set_apart(connection, target, merged)
        failpoints.reach("turning.merged")
        entry = _entry(held, wish, (epoch, target.finish(connection, merged.last) + 1), target, merged)
        ids = _ids(held, connection, target)
        commit = _write(held, connection, entry, ids)
        failpoints.reach("turning.written")
        held.is_decided = True
    failpoints.reach("turning.committed")
    return Turned(epoch, entry, commit, merged, ids, target.schema is not None)


def _set_apart(connection: Connection, target: Target, merged: Merged) -> None:
    """What PostgreSQL does not take as it shall be is kept beside the mirrors, as a flush would do."""
    at = timestamp()
    with scratch.inside(connection) if target.schema else nullcontext():
        found = [
            Refused(one.kind, one.id, one.version, _text(connection, one), one.reason, at)
            for one in merged.apart
        ]
    refused.put(connection, found)


def _text(connection: Connection, one: Apart) -> bytes:
    if one.is_removed:
        return codec.blob(b'"purged":true', one.id, one.version)
    kind = KINDS[one.kind]
    return codec.blob(
        codec.middle(kind, kind.record(**rows.some(connection, one.kind, [one.id])[0])), one.id, one.version
    )


def _epoch(held: Frozen, connection: Connection, target: Target) -> int:
    """Above every epoch that either store or the target was ever in."""
    found = meta.installation(connection)
    by_version = max(rows.highest_version(connection), held.was.version) // EPOCH_SPAN
    return max(held.was.epoch, found.epoch if found else 0, by_version, target.epoch) + 1


def _entry(held: Frozen, wish: Wish, numbers: tuple[int, int], target: Target, merged: Merged) -> Entry:
    """One that has replaced nothing names no archive: an undo takes back the one before it.

    One that takes another installation over names that, and its version: `journal.taken_over` finds it.
    """
    epoch, version = numbers
    archive = wish.archive if merged.changed or merged.created or merged.removed else None
    fields: dict[str, list[Any]] = {"target": [None, wish.target], "archive": [None, archive]}
    if target.anothers:
        fields |= {"incarnation": [None, target.anothers[0]], "version": [None, target.anothers[1]]}
    text = orjson.dumps(fields).decode()
    return Entry(version, RESTORE, epoch, wish.action, OWNER_ID, timestamp(), "-", held.token, text)


def _ids(held: Frozen, connection: Connection, target: Target) -> dict[str, tuple[int, int]]:
    """Ids go on where they are, or above all that another installation, or an older state, may have given."""
    leased, highest = meta.leases(connection), rows.highest_ids(connection)
    found = {}
    for kind in state.leased():
        last, ceiling = held.was.ids[kind.name]
        ceiling = max(ceiling, leased.get(kind.name, 0))
        given = target.ids.get(kind.name, 0)
        given = max(given if target.anothers or given > ceiling else 0, highest[kind.name])
        found[kind.name] = (last, ceiling) if given <= last else (given, max(ceiling, given + kind.lease))
    return found


def _write(held: Frozen, connection: Connection, entry: Entry, ids: Mapping[str, tuple[int, int]]) -> int:
    for kind, (_, ceiling) in sorted(ids.items()):
        meta.lease(connection, kind, ceiling)
    journal.insert(connection, [entry])
    return meta.admit(connection, held.was.incarnation, entry.record_id, held.was.commits)
