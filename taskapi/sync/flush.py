"""The flush: what is dirty goes to PostgreSQL, and is clean only where nothing has moved meanwhile.

Any number of workers may do this at once, and any of them may die at any line: what was not settled
is carried again, and a row that is there already stays.
"""

import time
from collections import Counter
from dataclasses import dataclass, field

import structlog

from taskapi.db import meta
from taskapi.db.engine import Engine, transaction
from taskapi.domain import failpoints
from taskapi.domain.deadlines import within
from taskapi.store import dirty, syncs
from taskapi.store.client import Store
from taskapi.store.dirty import Batch
from taskapi.store.syncs import POSTGRESQL, Loss
from taskapi.sync import fence, leases
from taskapi.sync.carrying import Carried, carry_entries, carry_records
from taskapi.sync.errors import EpochMoved, PostgresWentBack

log = structlog.get_logger("taskapi.sync")

BATCH_SECONDS = 15.0
"""Many times what a batch takes; a connection that leads nowhere is left then."""

LINES = (
    "flush.peeked",
    "flush.topped_up",
    "flush.begun",
    "flush.entered",
    "carrying.kept",
    "flush.upserted",
    "flush.journaled",
    "flush.committed",
    "flush.set_apart",
    "flush.settled",
)
"""Every line at which a test lets a flush die."""


@dataclass(frozen=True, slots=True)
class Flushed:
    """What a flush did: rows newer than PostgreSQL's by kind, journal entries, records still dirty.

    `refused` is how many went to quarantine; `is_clean` says that nothing was left to look at.
    """

    rows: dict[str, int] = field(default_factory=dict)
    entries: int = 0
    left: int = 0
    refused: int = 0
    is_clean: bool = True

    @property
    def total(self) -> int:
        """Rows of all kinds."""
        return sum(self.rows.values())

    def then(self, later: "Flushed") -> "Flushed":
        """Both together."""
        rows = dict(Counter(self.rows) + Counter(later.rows))
        both = (self.entries + later.entries, later.left, self.refused + later.refused)
        return Flushed(rows, *both, later.is_clean)


def flush_batch(store: Store, engine: Engine) -> Flushed:
    """Carries the oldest dirty records and the next journal entries, once.

    Raises PostgresAway or Unavailable (try later), EpochMoved, PostgresWentBack. Whatever it raises,
    what was dirty is dirty still.
    """
    batch = dirty.peek(store)
    failpoints.reach("flush.peeked")
    leases.top_up(store, engine, batch)
    failpoints.reach("flush.topped_up")
    if batch.is_empty:
        return Flushed()
    carried = _write(engine, batch)
    failpoints.reach("flush.committed")
    return _settled(store, batch, carried)


def drain(store: Store, engine: Engine, seconds: float) -> Flushed:
    """Flushes until nothing is left or the time is over, and notes it. Raises what `flush_batch` raises."""
    end = time.monotonic() + seconds
    done = _flush_watched(store, engine)
    while not done.is_clean and time.monotonic() < end:
        done = done.then(_flush_watched(store, engine))
    if done.total or done.entries:
        syncs.note(store, done.total)
    return done


def _flush_watched(store: Store, engine: Engine) -> Flushed:
    try:
        with within(BATCH_SECONDS):
            return flush_batch(store, engine)
    except PostgresWentBack as alert:
        log.critical("PostgreSQL went back", has=alert.highest, had=alert.settled, cleared=0)
        syncs.record_losses(store, [Loss(POSTGRESQL, alert.highest, alert.settled, healed=True)])
        raise


def _write(engine: Engine, batch: Batch) -> Carried:
    with transaction(engine) as connection:
        failpoints.reach("flush.begun")
        fence.enter(connection, batch)
        failpoints.reach("flush.entered")
        carried = carry_records(connection, batch.marks)
        failpoints.reach("flush.upserted")
        carried.entries = carry_entries(connection, batch.entries)
        carried.commit = meta.count_commit(connection, batch.highest)
        failpoints.reach("flush.journaled")
    return carried


def _settled(store: Store, batch: Batch, carried: Carried) -> Flushed:
    for mark, reason in carried.refused:
        log.error("refused by PostgreSQL", record=mark.name, version=mark.version, reason=reason)
        dirty.quarantine(store, [mark], reason)
    failpoints.reach("flush.set_apart")
    last = batch.entries[-1].version if batch.entries else 0
    cleared = dirty.settle(store, batch, carried.kept(batch.marks), last, carried.commit)
    failpoints.reach("flush.settled")
    if cleared < 0:
        raise EpochMoved("Redis was admitted to another epoch during the flush.")
    refused = len(carried.refused)
    left = batch.total - cleared - refused
    return Flushed(carried.rows, carried.entries, left, refused, is_clean=False)
