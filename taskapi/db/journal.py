"""The journal in PostgreSQL: one row for each change ever made, under its version."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import Connection, text

from taskapi.db.errors import faults_named
from taskapi.db.schema import CHANGE

_NAMES = ", ".join(column.name for column in CHANGE.columns)
_SENT = (
    "version bigint, kind text, record_id bigint, action text, actor bigint, at timestamptz,"
    " request_id text, operation text, fields text"
)
_MOMENT = """to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24\\:MI\\:SS.MS"Z"') AS at"""
_SHOWN = f"version, kind, record_id, action, actor, {_MOMENT}, request_id, operation, fields"
_STREAM_SIZE = 1000
_ALL = text(f"SELECT {_SHOWN}\\:\\:text AS fields FROM change ORDER BY version")  # noqa: S608 - the same
_LAST = text(
    f"SELECT {_SHOWN}\\:\\:text AS fields FROM (SELECT * FROM change WHERE version > :above"  # noqa: S608 - the same
    " AND version < :below ORDER BY version DESC LIMIT :most) AS change ORDER BY version"
)
_INSERT = text(
    f"INSERT INTO change ({_NAMES})"  # noqa: S608 - our own names
    " SELECT version, kind, record_id, action, actor, at, request_id, operation, CAST(fields AS jsonb)"
    f" FROM json_to_recordset(CAST(:entries AS json)) AS sent({_SENT})"
    " ORDER BY version ON CONFLICT (version) DO NOTHING"
)

RESTORE = "restore"
"""The kind of the one entry that tells of a restore; its record id is the epoch."""

REBUILT, GONE_BACK, UNDONE = "rebuilt", "restored", "undone"
"""Its actions: nothing went back, a backup was restored, or the restore before was taken back."""

_LAST_RESTORE = text(
    "SELECT version, action, operation, fields->'target'->>1 AS target, fields->'archive'->>1 AS archive,"  # noqa: S608
    f" {_MOMENT} FROM change WHERE kind = 'restore' AND (NOT :archived OR fields->'archive'->>1 IS NOT NULL)"
    " ORDER BY record_id DESC LIMIT 1"
)
_TAKEN_OVER = text(
    "SELECT CAST(fields->'version'->>1 AS bigint) AS version, version AS since FROM change"
    " WHERE kind = 'restore' AND fields->'incarnation'->>1 = :incarnation ORDER BY version DESC LIMIT 1"
)
_RESTORES = text(
    f"SELECT record_id AS epoch, version, {_MOMENT} FROM change"  # noqa: S608 - our own names
    " WHERE kind = 'restore' AND change.at >= CAST(:since AS timestamptz) ORDER BY record_id"
)
_NAMED = text(
    f"SELECT operation, kind, record_id, version, {_MOMENT} FROM change"  # noqa: S608 - our own names
    " WHERE change.at > CAST(:since AS timestamptz) AND operation LIKE 'op:% %' ORDER BY change.at, version"
)
_MOMENT_FROM = text(
    f"SELECT {_MOMENT} FROM change WHERE version >= :version ORDER BY version LIMIT 1"  # noqa: S608 - the same
)
_LAST_CHANGE = text("SELECT version FROM change WHERE kind <> 'restore' ORDER BY version DESC LIMIT 1")


def insert(connection: Connection, entries: Sequence[Any]) -> int:
    """Adds entries (dataclasses with the columns as fields, `fields` as JSON text) that are not there yet.

    Raises RowsRefused if PostgreSQL refuses one; the transaction goes on as if nothing had been tried.
    """
    values = {"entries": orjson.dumps(list(entries)).decode()}
    with faults_named(), connection.begin_nested():
        return connection.execute(_INSERT, values).rowcount


def last_version(connection: Connection) -> int:
    """The version of the last entry; 0 without any."""
    return int(connection.scalar(text("SELECT coalesce(max(version), 0) FROM change")))


def some(connection: Connection, versions: Sequence[int]) -> dict[int, dict[str, Any]]:
    """The entries of those versions that are there; `fields`: {name: [before, after]}."""
    statement = text(f"SELECT {_SHOWN} FROM change WHERE version = ANY(:versions)")  # noqa: S608 - our own names
    found = connection.execute(statement, {"versions": list(versions)}).mappings()
    return {row["version"]: dict(row) for row in found}


def last(connection: Connection, above: int, below: int, most: int) -> Iterator[dict[str, Any]]:
    """The last so many entries between those versions, as `stream` gives them."""
    options = {"stream_results": True, "max_row_buffer": _STREAM_SIZE}
    values = {"above": above, "below": below, "most": most}
    with faults_named(), connection.execute(_LAST, values, execution_options=options) as found:
        for row in found.mappings():
            yield dict(row)


def stream(connection: Connection) -> Iterator[dict[str, Any]]:
    """Every entry by version, `fields` as JSON text, through a server-side cursor."""
    options = {"stream_results": True, "max_row_buffer": _STREAM_SIZE}
    with faults_named(), connection.execute(_ALL, execution_options=options) as found:
        for row in found.mappings():
            yield dict(row)


def named(connection: Connection, since: str) -> Iterator[dict[str, Any]]:
    """The entries since that timestamp of writes that their clients named, through a server-side cursor.

    With operation, kind, record_id, version and at; those of one write together, in its order.
    """
    options = {"stream_results": True, "max_row_buffer": _STREAM_SIZE}
    with faults_named(), connection.execute(_NAMED, {"since": since}, execution_options=options) as found:
        for row in found.mappings():
            yield dict(row)


@dataclass(frozen=True, slots=True)
class Restored:
    """A restore, as its line of the journal tells it; `archive` is what it had kept of the state before."""

    version: int
    action: str
    operation: str
    target: str
    archive: str | None
    at: str


def last_restore(connection: Connection, *, archived: bool = False) -> Restored | None:
    """The last restore, or the last one that has kept an archive; None without any."""
    row = connection.execute(_LAST_RESTORE, {"archived": archived}).mappings().first()
    return None if row is None else Restored(**row)


@dataclass(frozen=True, slots=True)
class TakenOver:
    """That this installation has begun anew with a backup of another.

    All of that other's history up to `version` is its own; `since` is the version of its own first change.
    """

    version: int
    since: int


def taken_over(connection: Connection, incarnation: str) -> TakenOver | None:
    """What was taken over last from that installation, by this one or one before it; None if nothing was."""
    with faults_named():
        row = connection.execute(_TAKEN_OVER, {"incarnation": incarnation}).mappings().first()
    return None if row is None else TakenOver(**row)


def restores(connection: Connection, since: str) -> list[tuple[int, int, str]]:
    """The restores since that timestamp: the epoch of each, its version, and when it was."""
    with faults_named():
        found = connection.execute(_RESTORES, {"since": since})
        return [(row.epoch, row.version, row.at) for row in found]


def last_change(connection: Connection) -> int:
    """The version of the last entry that tells of a record; 0 without any."""
    return int(connection.scalar(_LAST_CHANGE) or 0)


def moment_from(connection: Connection, version: int) -> str | None:
    """When the first change from that version on was made, as a timestamp; None if there is none."""
    with faults_named():
        found = connection.scalar(_MOMENT_FROM, {"version": version})
    return None if found is None else str(found)
