"""What PostgreSQL refused and kept beside its mirrors, brought back into a Redis that has lost it."""

from collections.abc import Iterator

import structlog

from taskapi.db import refused
from taskapi.db.engine import Connection
from taskapi.db.refused import Refused
from taskapi.db.schema import RECORDS
from taskapi.domain import failpoints
from taskapi.domain.records import Record
from taskapi.store import codec, contents, placing, quarantine
from taskapi.store.client import Store
from taskapi.store.kinds import KINDS, Kind
from taskapi.store.quarantine import Refusal

log = structlog.get_logger("taskapi.sync")

CHUNK = 500


def put_back(store: Store, connection: Connection, known: int = 0) -> int:
    """Puts into Redis, while it is closed, each refused record that is newer than both stores have it.

    It is in quarantine there, and dirty: PostgreSQL is asked again. Returns how many records were
    placed. What Redis lacks though it has known all up to the version `known` was purged, and stays
    away. What cannot be read stays in PostgreSQL alone.
    """
    placed = 0
    for kind, rows in _chunks(connection):
        held = contents.versions(store, kind, [row.record_id for row in rows])
        pairs = [
            (row, here) for row, here in zip(rows, held, strict=True) if row.version >= (here or known + 1)
        ]
        readable = [(row, here) for row, here in pairs if _is_readable(kind, row)]
        placed += _place(store, kind, [row for row, here in readable if row.version > here])
        quarantine.put_back(store, [_refusal(row) for row, _ in readable])
        failpoints.reach("refusals.put_back")
    return placed


def gone(store: Store, connection: Connection, known: int) -> dict[str, list[int]]:
    """Ids of refused records that were purged since; Redis has known all up to that version."""
    found: dict[str, list[int]] = {}
    for kind, rows in _chunks(connection):
        held = contents.versions(store, kind, [row.record_id for row in rows])
        found.setdefault(kind.name, []).extend(
            row.record_id for row, here in zip(rows, held, strict=True) if not here and row.version <= known
        )
    return found


def _chunks(connection: Connection) -> Iterator[tuple[Kind, list[Refused]]]:
    for name in RECORDS:
        after = 0
        while rows := refused.some(connection, name, after, CHUNK):
            connection.commit()
            yield KINDS[name], rows
            after = rows[-1].record_id


def _place(store: Store, kind: Kind, rows: list[Refused]) -> int:
    """One that was purged is taken away; its tombstone is quarantine's."""
    was = contents.present(store, kind, [row.record_id for row in rows])
    both = [(there, _record(kind, row), False) for there, row in zip(was, rows, strict=True)]
    return placing.place(store, [pair for pair in both if pair[0] or pair[1]])


def _record(kind: Kind, row: Refused) -> Record | None:
    found: Record | None = None if quarantine.is_tombstone(row.record) else codec.decode(kind, row.record)
    return found


def _is_readable(kind: Kind, row: Refused) -> bool:
    try:
        record = _record(kind, row)
    except (AttributeError, TypeError, ValueError) as fault:
        name = f"{row.kind}:{row.record_id}"
        log.error("cannot be read, and stays in PostgreSQL alone", record=name, reason=str(fault))  # noqa: TRY400 - no fault of ours
        return False
    return record is None or (record.id, record.version) == (row.record_id, row.version)


def _refusal(row: Refused) -> Refusal:
    return Refusal(row.kind, row.record_id, row.version, row.reason, row.at, row.record)
