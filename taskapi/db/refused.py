"""Records that PostgreSQL does not take as they are, kept byte for byte beside the mirrors until it does."""

from collections.abc import Iterator, Sequence
from dataclasses import astuple, dataclass

from sqlalchemy import Connection, text

from taskapi.db.schema import MIRRORS

_HELD = " UNION ALL ".join(
    f"SELECT '{kind}' AS kind, id AS record_id, version FROM {mirror.name}"  # noqa: S608 - our own tables
    for kind, mirror in MIRRORS.items()
)
_IN_MIRROR = (
    f"EXISTS (SELECT FROM ({_HELD}) AS held WHERE held.kind = refused.kind"
    " AND held.record_id = refused.record_id AND held.version >= refused.version)"
)
_PUT = text(
    "INSERT INTO refused (kind, record_id, version, record, reason, at)"
    " SELECT * FROM unnest(CAST(:kinds AS text[]), CAST(:ids AS bigint[]), CAST(:versions AS bigint[]),"
    " CAST(:records AS bytea[]), CAST(:reasons AS text[]), CAST(:moments AS timestamptz[]))"
    " AS sent(kind, record_id, version, record, reason, at) ORDER BY kind, record_id"
    " ON CONFLICT (kind, record_id) DO UPDATE SET version = excluded.version, record = excluded.record,"
    " reason = excluded.reason, at = excluded.at WHERE refused.version <= excluded.version"
)
_CLEAR = text(f"DELETE FROM refused WHERE {_IN_MIRROR}")  # noqa: S608 - the same
_MOMENT = """to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24\\:MI\\:SS.MS"Z"')"""
_SOME = text(
    f"SELECT record_id, version, record, reason, {_MOMENT} AS at FROM refused"  # noqa: S608 - the same
    f" WHERE kind = :kind AND record_id > :after AND NOT {_IN_MIRROR} ORDER BY record_id LIMIT :count"
)

_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Refused:
    """A version of a record that PostgreSQL refused: its bytes as Redis stored them, why, and when last."""

    kind: str
    record_id: int
    version: int
    record: bytes
    reason: str
    at: str


def put(connection: Connection, rows: Sequence[Refused]) -> None:
    """Keeps refused records, any bytes; a newer version of one that is kept already stays."""
    if rows:
        names = ("kinds", "ids", "versions", "records", "reasons", "moments")
        columns = zip(*(astuple(row) for row in rows), strict=True)
        connection.execute(_PUT, dict(zip(names, map(list, columns), strict=True)))


def clear(connection: Connection) -> int:
    """Lets go of what the mirrors have in that version or a newer one; returns how many."""
    return connection.execute(_CLEAR).rowcount


def some(connection: Connection, kind: str, after: int, count: int) -> list[Refused]:
    """The next records of a kind by id that are newer here than in their mirror, or not there at all."""
    found = connection.execute(_SOME, {"kind": kind, "after": after, "count": count})
    return [Refused(kind, row.record_id, row.version, bytes(row.record), row.reason, row.at) for row in found]


def every(connection: Connection, kind: str) -> Iterator[Refused]:
    """All of them."""
    after = 0
    while found := some(connection, kind, after, _AT_ONCE):
        yield from found
        after = found[-1].record_id
