"""Which installation the database belongs to, its epoch, its clean stop, and the leases of ids."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import Connection, text

_READ = text("SELECT incarnation, epoch, closed FROM meta")
_ADMIT = text(
    "INSERT INTO meta (id, incarnation, epoch) VALUES (1, :incarnation, :epoch)"
    " ON CONFLICT (id) DO UPDATE SET epoch = excluded.epoch, closed = NULL"
)
_CLOSE = text("UPDATE meta SET closed = CAST(:fingerprint AS jsonb) WHERE epoch = :epoch")
_LEASE = text(
    "INSERT INTO lease AS held (kind, ceiling) VALUES (:kind, :ceiling)"
    " ON CONFLICT (kind) DO UPDATE SET ceiling = greatest(held.ceiling, excluded.ceiling) RETURNING ceiling"
)


@dataclass(frozen=True, slots=True)
class Installation:
    """The row of `meta`. `closed` is the fingerprint of the clean stop after which nothing has happened."""

    incarnation: str
    epoch: int
    closed: dict[str, Any] | None


def installation(connection: Connection) -> Installation | None:
    """Whose database this is; None before the first admission."""
    row = connection.execute(_READ).first()
    return None if row is None else Installation(str(row.incarnation), row.epoch, row.closed)


def admit(connection: Connection, incarnation: str, epoch: int) -> None:
    """Writes the epoch that is admitted; a clean stop before it counts no more."""
    connection.execute(_ADMIT, {"incarnation": incarnation, "epoch": epoch})


def note_closed(connection: Connection, epoch: int, fingerprint: Mapping[str, Any]) -> bool:
    """Writes down a clean stop; False if the epoch is another by now."""
    values = {"epoch": epoch, "fingerprint": orjson.dumps(dict(fingerprint)).decode()}
    return connection.execute(_CLOSE, values).rowcount == 1


def leases(connection: Connection) -> dict[str, int]:
    """Up to which id each kind was reserved."""
    return {row.kind: row.ceiling for row in connection.execute(text("SELECT kind, ceiling FROM lease"))}


def lease(connection: Connection, kind: str, ceiling: int) -> int:
    """Reserves the ids of a kind up to that one; returns the ceiling, which never goes down."""
    return int(connection.execute(_LEASE, {"kind": kind, "ceiling": ceiling}).scalar_one())
