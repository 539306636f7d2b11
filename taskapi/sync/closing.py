"""A clean stop: all carried, Redis closed, and its state written down: ids go on without a gap."""

import structlog

from taskapi.db import meta
from taskapi.db.engine import Engine, transaction, within
from taskapi.domain import failpoints
from taskapi.store import dirty, state
from taskapi.store.client import Store
from taskapi.sync import fence
from taskapi.sync.flush import Flushed, drain

log = structlog.get_logger("taskapi.sync")

PATIENCE = 10.0
GRACE = 2.0

LINES = ("closing.drained", "closing.closed", "closing.noted")


def close(store: Store, engine: Engine, seconds: float = PATIENCE) -> Flushed | None:
    """Carries what it can in that time, then refuses every write and notes the clean stop in PostgreSQL.

    What is left stays dirty and is carried after the next admission. None if Redis was not open.
    Raises what `drain` raises; the next start then finds an unclean stop, with nothing lost.
    """
    if not state.look(store).is_ready:
        return None
    with within(seconds + GRACE):
        flushed = drain(store, engine, seconds)
        failpoints.reach("closing.drained")
        epoch = state.look(store).epoch
        state.close(store)
        failpoints.reach("closing.closed")
        _note(store, engine, epoch)
        failpoints.reach("closing.noted")
    return flushed


def _note(store: Store, engine: Engine, epoch: int) -> None:
    """Unless another has opened Redis meanwhile: no admission can begin between this look and the note."""
    with transaction(engine) as connection:
        fence.enter(connection, state.look(store))
        closed = state.look(store)
        if closed.is_closed and closed.epoch == epoch:
            whole = {"whole": dirty.count(store) == 0}
            meta.note_closed(connection, epoch, closed.fingerprint() | whole)
        else:
            log.warning("opened again during the stop; no clean stop is noted", epoch=closed.epoch)
