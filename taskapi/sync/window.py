"""The last lines of the journal, which Redis keeps: put back from PostgreSQL where it has lost them."""

from itertools import islice

from taskapi.db import journal
from taskapi.db.engine import Connection
from taskapi.domain import failpoints
from taskapi.store import dirty
from taskapi.store.client import Store
from taskapi.store.dirty import Entry

CHUNK = 500
_ABOVE_ALL = 2**62


def refill(store: Store, connection: Connection, below: int = _ABOVE_ALL) -> int:
    """Adds what PostgreSQL has behind the last line of a Redis that is not open; returns how many lines.

    As many as the window has at most, and none from the version `below` on.
    """
    told, last = 0, dirty.last_entry(store)
    lines = (Entry(**row) for row in journal.last(connection, last, below, dirty.JOURNAL_WINDOW))
    while chunk := list(islice(lines, CHUNK)):
        told += dirty.relate(store, chunk)
    connection.commit()
    failpoints.reach("window.refilled")
    return told
