"""A snapshot of PostgreSQL with the whole journal, and over it what Redis has newer: both of one moment."""

from collections.abc import Iterator
from contextlib import contextmanager

from taskapi.db import journal, meta, refused, rows, snapshot
from taskapi.db.engine import Connection
from taskapi.db.schema import RECORDS
from taskapi.domain import failpoints
from taskapi.store import harvest, state, unsynced
from taskapi.store.client import Store
from taskapi.store.dirty import Entry
from taskapi.store.harvest import Harvest
from taskapi.store.kinds import KINDS
from taskapi.sync import fence, lines
from taskapi.sync.lines import APART, JOURNAL, Line
from taskapi.sync.sources import following
from taskapi.sync.sources.spool import Spool, spooled
from taskapi.sync.sources.taken import POSTGRESQL, Taken

CHUNK = 500
LINES = ("from_postgres.begun", "following.stepped", "from_postgres.gathered")


@contextmanager
def taken(store: Store, connection: Connection) -> Iterator[Taken]:
    """Everything acknowledged until now. The connection is in no transaction before, nor after.

    Raises PostgresAway, Unavailable, Full, and what a flush does whose PostgreSQL is not whole.
    """
    with spooled() as spool:
        try:
            end = following.again(lambda: _gathered(store, connection, spool))
            failpoints.reach("from_postgres.gathered")
            total = spool.total + snapshot.total(connection)
            state = (POSTGRESQL, end.incarnation, end.epoch, end.version, _ids(connection, end))
            yield Taken(*state, total, _lines(connection, spool))
        finally:
            connection.rollback()


def _gathered(store: Store, connection: Connection, spool: Spool) -> Harvest:
    """What was dirty before the snapshot, and what has changed since, is not taken from there."""
    connection.rollback()
    spool.clear()
    known = state.look(store)
    start = following.look(store)
    names = list(unsynced.versions(store))
    snapshot.begin(connection)
    fence.require_whole(connection, known)
    failpoints.reach("from_postgres.begun")
    for place in range(0, len(names), CHUNK):
        spool.put(harvest.found(store, names[place : place + CHUNK]))
    return following.follow(store, spool, start, journal.last_version(connection)).to_the_end()


def _ids(connection: Connection, end: Harvest) -> dict[str, int]:
    leased, highest = meta.leases(connection), rows.highest_ids(connection)
    return {kind: max(ceiling, leased.get(kind, 0), highest[kind]) for kind, ceiling in end.ceilings.items()}


def _lines(connection: Connection, spool: Spool) -> Iterator[Line]:
    for name, kind in KINDS.items():
        newer = spool.ids(name)
        found = (row for row in rows.stream(connection, name) if row["id"] not in newer)
        yield from (lines.of_record(kind, kind.record(**row)) for row in found)
        yield from spool.lines(name)
    yield from (lines.of_entry(Entry(**row)) for row in journal.stream(connection))
    yield from spool.lines(JOURNAL)
    for name in RECORDS:
        newer = spool.ids(name)
        apart = (row for row in refused.every(connection, name) if row.record_id not in newer)
        yield from (lines.of_refused(row) for row in apart)
    yield from spool.lines(APART)
