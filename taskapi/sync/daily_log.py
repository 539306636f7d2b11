"""The log of each day, written once the day is over and PostgreSQL has all of it."""

from datetime import timedelta

from taskapi.db import daily_log
from taskapi.db.engine import Engine
from taskapi.domain import clock
from taskapi.domain.errors import Unavailable
from taskapi.domain.records import Task
from taskapi.store import dirty, keys, overlay, state, walking
from taskapi.store.client import Store
from taskapi.store.errors import UNVERIFIED

DAYS_AT_ONCE = 60
MOST_WAITING = 5000
GRACE = timedelta(minutes=5)
"""A task of the last moment of a day is saved in the first of the next."""


def write_missing(store: Store, engine: Engine, most: int = DAYS_AT_ONCE) -> dict[str, int]:
    """Writes the first `most` UTC days that are over and not written, since the first task.

    Returns how many entries each day has that was written now. It ends at a day of which PostgreSQL lacks
    something that it will take; what it has refused is not waited for. Can be done by any number at once,
    and again after a death. Raises Unavailable while a store is away or a restore goes on.
    """
    waiting = _days_waiting(store)
    last = (clock.now() - GRACE).date() - timedelta(days=1)
    written: dict[str, int] = {}
    if waiting is None:
        return written
    for day in daily_log.missing_days(engine, last.isoformat(), most):
        if day in waiting:
            break
        entries = daily_log.write_day(engine, day)
        if entries is not None:
            written[day] = entries
    return written


def _days_waiting(store: Store) -> frozenset[str] | None:
    """The days of the tasks that are on their way to PostgreSQL; None if those are too many."""
    if not state.look(store).is_ready:
        raise Unavailable(UNVERIFIED)
    apart = dirty.backlog(store).quarantined
    ids = overlay.tasks_waiting(store, MOST_WAITING)
    if ids is None:
        return None
    names = [name for name in (keys.record("task", number) for number in ids) if name not in apart]
    tasks = walking.read(store, names).values()
    return frozenset(day for task in tasks if isinstance(task, Task) for day in task.days)
