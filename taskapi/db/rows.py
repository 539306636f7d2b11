"""The rows of the mirrors: put in where they are newer, and read back exactly as they went in."""

from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

from sqlalchemy import Connection, Date, DateTime, TextClause, text
from sqlalchemy.dialects import postgresql

from taskapi.db import words
from taskapi.db.errors import RowsRefused, faults_named
from taskapi.db.schema import CHANGE, MIRRORS, RECORDS, REFUSED, column_types

_STREAM_SIZE = 1000
_GIVEN = "version % 4294967296 > 0"
"""The first version of an epoch is that of the tombstones with which an admission buries."""


def upsert(connection: Connection, kind: str, blobs: Sequence[bytes]) -> int:
    """Puts in stored records (JSON text) in one statement; returns how many were newer.

    The text goes in as it is; only the words by which a kind is found are cut out of it before.

    Raises RowsRefused if PostgreSQL refuses one of them; the transaction goes on as if nothing had
    been tried.
    """
    values = {"blobs": _joined(blobs)}
    if has_words(kind):
        values["words"] = words.of_blobs(blobs)
    with faults_named(), connection.begin_nested():
        return connection.execute(_upsert_statement(kind), values).rowcount


def _joined(blobs: Sequence[bytes]) -> str:
    try:
        joined = (b"[%b]" % b",".join(blobs)).decode()
    except UnicodeDecodeError as fault:
        raise RowsRefused(f"not UTF-8: {fault.reason}") from fault
    if "\0" in joined:  # the driver stops at it
        raise RowsRefused("not JSON: a NUL")
    return joined


def has_words(kind: str) -> bool:
    """Whether records of the kind are found by words."""
    return "words" in MIRRORS[kind].columns


def stream(connection: Connection, kind: str) -> Iterator[dict[str, Any]]:
    """Every record that is not purged, by id, in the shape of its dataclass, through a server-side cursor."""
    options = {"stream_results": True, "max_row_buffer": _STREAM_SIZE}
    statement = text(f"{_select(kind)} WHERE purged IS NOT TRUE ORDER BY id")
    with faults_named(), connection.execute(statement, execution_options=options) as found:
        for row in found.mappings():
            yield _shaped(row)


def some(connection: Connection, kind: str, ids: Sequence[int]) -> list[dict[str, Any]]:
    """The records of those ids that are there and not purged, by id."""
    statement = text(f"{_select(kind)} WHERE id = ANY(:ids) AND purged IS NOT TRUE ORDER BY id")
    return [_shaped(row) for row in connection.execute(statement, {"ids": list(ids)}).mappings()]


def versions(connection: Connection, kind: str, after: int, count: int) -> list[tuple[int, int, bool]]:
    """The next rows by id: (id, version, whether it is purged)."""
    statement = text(
        f"SELECT id, version, purged IS TRUE FROM {MIRRORS[kind].name}"  # noqa: S608 - our own table
        " WHERE id > :after ORDER BY id LIMIT :count"
    )
    return [
        (row[0], row[1], row[2]) for row in connection.execute(statement, {"after": after, "count": count})
    ]


def versions_of(connection: Connection, kind: str, ids: Sequence[int]) -> dict[int, int]:
    """The versions of those ids, purged ones included."""
    statement = text(f"SELECT id, version FROM {MIRRORS[kind].name} WHERE id = ANY(:ids)")  # noqa: S608 - the same
    return {row[0]: row[1] for row in connection.execute(statement, {"ids": list(ids)})}


def highest_version(connection: Connection) -> int:
    """The highest version committed anywhere, refused records included; 0 in an empty database."""
    tables = [*(mirror.name for mirror in MIRRORS.values()), CHANGE.name, REFUSED.name]
    highest = ", ".join(f"(SELECT max(version) FROM {name})" for name in tables)  # noqa: S608 - the same
    return int(connection.scalar(text(f"SELECT coalesce(greatest({highest}), 0)")))


def highest_below(connection: Connection, bounds: Sequence[int]) -> list[int]:
    """The highest version below each of those that was given to a change, in their order; 0 for none."""
    tables = [*(mirror.name for mirror in MIRRORS.values()), REFUSED.name, CHANGE.name]
    below = f"WHERE version < bound AND {_GIVEN}"
    highest = ", ".join(f"(SELECT max(version) FROM {name} {below})" for name in tables)  # noqa: S608 - our own
    statement = text(
        f"SELECT coalesce(greatest({highest}), 0)"  # noqa: S608 - the same
        " FROM unnest(CAST(:bounds AS bigint[])) WITH ORDINALITY AS below(bound, place) ORDER BY place"
    )
    return [int(version) for version in connection.scalars(statement, {"bounds": list(bounds)})]


def versions_above(connection: Connection, version: int, count: int) -> list[int]:
    """The lowest versions given to changes of records above that one, so many, and the highest."""
    tables = [*(mirror.name for mirror in MIRRORS.values()), REFUSED.name]
    those = f"WHERE version > :version AND {_GIVEN}"
    above = " UNION ALL ".join(f"SELECT version FROM {name} {those}" for name in tables)  # noqa: S608 - our own
    statement = text(
        f"WITH above AS ({above}), lowest AS (SELECT version FROM above ORDER BY version LIMIT :count)"  # noqa: S608
        " SELECT version FROM lowest UNION SELECT max(version) FROM above HAVING count(*) > 0"
        " ORDER BY version"
    )
    return [int(found) for found in connection.scalars(statement, {"version": version, "count": count})]


def highest_ids(connection: Connection) -> dict[str, int]:
    """The highest id of each kind, purged and refused ones included; 0 for none."""
    found = connection.execute(text(f"SELECT {', '.join(map(_highest_id, RECORDS))}")).one()
    return {kind: highest or 0 for kind, highest in zip(RECORDS, found, strict=True)}


def _highest_id(kind: str) -> str:
    among_refused = f"SELECT max(record_id) FROM {REFUSED.name} WHERE kind = '{kind}'"  # noqa: S608 - the same
    return f"greatest((SELECT max(id) FROM {MIRRORS[kind].name}), ({among_refused}))"  # noqa: S608 - the same


def counts(connection: Connection) -> dict[str, int]:
    """How many live records of each kind there are."""
    return {kind: int(connection.scalar(text(_count(kind)))) for kind in RECORDS}


def _count(kind: str) -> str:
    live = "purged IS NOT TRUE AND deleted_at IS NULL"
    return f"SELECT count(*) FROM {MIRRORS[kind].name} WHERE {live}"  # noqa: S608 - the same


@cache
def _upsert_statement(kind: str) -> TextClause:
    """Rows are locked by id, so that two flushers of the same records wait for, and never on, each other."""
    dialect = postgresql.dialect()  # type: ignore[no-untyped-call]
    stored = [column for column in MIRRORS[kind].columns if column.name != "words"]
    names = ", ".join(column.name for column in stored)
    typed = ", ".join(f"{column.name} {column.type.compile(dialect)}" for column in stored)
    taken, sent = names, f"json_to_recordset(CAST(:blobs AS json)) AS sent({typed})"
    if has_words(kind):
        taken, sent = f"{names}, {words.VECTOR}", words.beside(names, typed)
        names = f"{names}, words"
    updates = ", ".join(f"{name} = excluded.{name}" for name in names.split(", ") if name != "id")
    return text(
        f"INSERT INTO {MIRRORS[kind].name} AS held ({names})"  # noqa: S608 - our own names
        f" SELECT {taken} FROM {sent} ORDER BY id"
        f" ON CONFLICT (id) DO UPDATE SET {updates} WHERE held.version < excluded.version"
    )


@cache
def _select(kind: str) -> str:
    types = column_types(RECORDS[kind])
    shown = ", ".join(_shown(name, type_) for name, type_ in types.items())
    return f"SELECT {shown} FROM {MIRRORS[kind].name}"  # noqa: S608 - our own names


def _shown(name: str, type_: Any) -> str:
    if isinstance(type_, DateTime):
        moment = f"{name} AT TIME ZONE 'UTC'"
        return f"""to_char({moment}, 'YYYY-MM-DD"T"HH24\\:MI\\:SS.MS"Z"') AS {name}"""
    return f"to_char({name}, 'YYYY-MM-DD') AS {name}" if isinstance(type_, Date) else name


def _shaped(row: Any) -> dict[str, Any]:
    return {name: tuple(value) if type(value) is list else value for name, value in row.items()}
