"""Everything that makes both stores equal, in order: what a worker, a sweep and the command line do."""

import time
from typing import Any

from taskapi.db.engine import Engine, transaction, within
from taskapi.store import dirty, state, syncs
from taskapi.store.client import Store
from taskapi.sync import fence, losses
from taskapi.sync.admission import Verdict, admit
from taskapi.sync.errors import PostgresWentBack
from taskapi.sync.flush import BATCH_SECONDS, Flushed, drain


def catch_up(store: Store, engine: Engine, seconds: float) -> tuple[Verdict, Flushed]:
    """Admits Redis if it is not open, then flushes until it is clean or the time is over.

    Raises Foreign, EpochMoved, PostgresAway, Unavailable.
    """
    verdict = admit(store, engine)
    try:
        _require_whole(store, engine)
        return verdict, drain(store, engine, seconds)
    except PostgresWentBack:
        verdict = admit(store, engine, suspect=True)
        return verdict, drain(store, engine, seconds)


def _require_whole(store: Store, engine: Engine) -> None:
    """A drain with nothing to carry does not ask PostgreSQL; this does, and tells it what was found lost."""
    now, lost = state.look(store), syncs.losses_of(store)
    with within(BATCH_SECONDS), transaction(engine) as connection:
        fence.enter(connection, now)
        losses.write(connection, lost)


def sweep(store: Store, engine: Engine, seconds: float) -> Flushed:
    """The same, with everything in quarantine tried again; counts as a sync even if it found nothing."""
    admit(store, engine)
    dirty.rearm(store)
    _, flushed = catch_up(store, engine, seconds)
    if not (flushed.total or flushed.entries):
        syncs.note(store, 0)
    return flushed


def forced(store: Store, engine: Engine, seconds: float) -> dict[str, Any]:
    """A sweep, as a report: {action, synced: {kinds: rows}, refused, pending_changes, duration_ms}."""
    begun = time.monotonic()
    flushed = sweep(store, engine, seconds)
    return {
        "action": "force",
        "synced": {f"{kind}s": count for kind, count in flushed.rows.items()},
        "refused": flushed.refused,
        "pending_changes": dirty.count(store) > 0,
        "duration_ms": round((time.monotonic() - begun) * 1000, 1),
    }
