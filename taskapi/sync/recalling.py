"""The writes of the last day that their clients named, brought back into a Redis that has lost them.

A client that repeats one gets its answer, and not a second record. What PostgreSQL's journal names was
carried out: no line comes there without its record.
"""

from collections.abc import Iterable, Iterator
from itertools import groupby, islice
from operator import itemgetter
from typing import Any

from taskapi.db import journal
from taskapi.db.engine import Connection
from taskapi.domain import clock, failpoints
from taskapi.store import operations
from taskapi.store.client import Store
from taskapi.store.operations import Done

CHUNK = 500


def recall(store: Store, connection: Connection) -> int:
    """Puts back, while Redis is closed, the answers that it lacks; returns how many."""
    recalled = 0
    done = _done(journal.named(connection, clock.ago(days=1)))
    while chunk := list(islice(done, CHUNK)):
        recalled += operations.put_back(store, chunk)
        failpoints.reach("recalling.put_back")
    connection.commit()
    return recalled


def _done(entries: Iterable[dict[str, Any]]) -> Iterator[Done]:
    """All changes of one write stand together."""
    for operation, lines in groupby(entries, itemgetter("operation")):
        both = list(lines)
        written = tuple((line["kind"], line["record_id"], line["version"]) for line in both)
        yield Done(operation, both[0]["at"], written)
