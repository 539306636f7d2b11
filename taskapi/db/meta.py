"""Which installation the database belongs to, its epoch and commits, its clean stop, the leases of ids."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import Connection, text

_READ = text("SELECT incarnation, epoch, closed, commits FROM meta")
_ADMIT = text(
    "INSERT INTO meta AS held (id, incarnation, epoch, commits)"
    " VALUES (1, :incarnation, :epoch, :commits + 1)"
    " ON CONFLICT (id) DO UPDATE SET epoch = excluded.epoch, closed = NULL,"
    " commits = greatest(held.commits + 1, excluded.commits) RETURNING commits"
)
_COUNT = text(
    "UPDATE meta SET commits = commits + 1, closed ="
    " CASE WHEN CAST(closed->>'version' AS bigint) >= :highest THEN closed END RETURNING commits"
)
_CLOSE = text("UPDATE meta SET closed = CAST(:fingerprint AS jsonb) WHERE epoch = :epoch")
_LEASE = text(
    "INSERT INTO lease AS held (kind, ceiling) VALUES (:kind, :ceiling)"
    " ON CONFLICT (kind) DO UPDATE SET ceiling = greatest(held.ceiling, excluded.ceiling) RETURNING ceiling"
)


@dataclass(frozen=True, slots=True)
class Installation:
    """The row of `meta`. `closed` is the fingerprint of the clean stop after which nothing has happened, with
    whether PostgreSQL was `whole`: that nothing was left to carry.

    `commits` counts every commit of a flush, a lease or an admission; it is never lower than before,
    unless some of them were lost.
    """

    incarnation: str
    epoch: int
    closed: dict[str, Any] | None
    commits: int


def installation(connection: Connection) -> Installation | None:
    """Whose database this is; None before the first admission."""
    row = connection.execute(_READ).first()
    return None if row is None else Installation(str(row.incarnation), row.epoch, row.closed, row.commits)


def admit(connection: Connection, incarnation: str, epoch: int, commits: int = 0) -> int:
    """Writes the epoch that is admitted; a clean stop before it counts no more.

    Returns which commit this will be: above all that were ever counted, `commits` included.
    """
    values = {"incarnation": incarnation, "epoch": epoch, "commits": commits}
    return int(connection.execute(_ADMIT, values).scalar_one())


def count_commit(connection: Connection, highest: int = 0) -> int:
    """Which commit this will be: the last statement of a transaction, as others wait for its end.

    `highest` is the highest version that it brings; a clean stop below that counts no more.
    """
    return int(connection.execute(_COUNT, {"highest": highest}).scalar_one())


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
