"""The advisory locks: the sync's, which a flush shares and an admission holds alone, and those of others."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError

from taskapi.db.errors import Held, faults_named
from taskapi.domain.clock import timestamp

_KEY = int.from_bytes(b"taskapi")
IDLE_SECONDS = 8.0
MOMENT_MS = 1000
ALONE_IDLE = "30min"
USED_IDLE = "6h"
_HEARD = "SET tcp_keepalives_idle = 10; SET tcp_keepalives_interval = 5; SET tcp_keepalives_count = 3"
"""So PostgreSQL notices within half a minute that the machine of whoever holds the lock is gone."""

_NAME = "taskapi: "
_HOLDER = text(
    "SELECT application_name FROM pg_stat_activity JOIN pg_locks USING (pid)"
    " WHERE locktype = 'advisory' AND classid = :high AND objid = :low AND objsubid = 1"
    " AND granted AND mode = 'ExclusiveLock'"
)
_COMPARE_KEY = int.from_bytes(b"compare")
_BACKUPS_KEY = int.from_bytes(b"backups")
_UNLOCK = text("SELECT pg_advisory_unlock_all()")


def hold_shared(connection: Connection) -> None:
    """Keeps admissions out until this transaction ends; raises Held after the lock time-out.

    PostgreSQL ends it too, when it has heard nothing for `IDLE_SECONDS`: a worker that stands still, or
    whom nobody can hear any more, keeps no other waiting for its rows.
    """
    idle = f"SET LOCAL idle_in_transaction_session_timeout = {int(IDLE_SECONDS * 1000)}"
    connection.execute(text(f"{idle}; SELECT pg_advisory_xact_lock_shared(:key)"), {"key": _KEY})


@contextmanager
def held_alone(engine: Engine, work: str = "", *, patient: bool = True) -> Iterator[Connection]:
    """A connection of its own that keeps every flush and other admission out until the block ends.

    The lock belongs to the session, over its transactions: whoever loses the connection loses the
    lock with it, and so does whoever stands still for `ALONE_IDLE`. Raises Held after the lock time-out, and
    unless `patient`, after the moment that it takes for somebody's death to be noticed; it names the `work`
    for which another holds it.
    """
    with faults_named(), engine.connect() as connection:
        connection.detach()
        connection.execute(text(f"SET idle_session_timeout = '{ALONE_IDLE}'; {_HEARD}"))
        if not patient:
            connection.execute(text(f"SET LOCAL lock_timeout = {MOMENT_MS}"))
        _lock(connection)
        name = f"{_NAME}{work} since {timestamp()}" if work else _NAME
        connection.execute(text("SELECT set_config('application_name', :name, false)"), {"name": name})
        connection.commit()
        yield connection


def _lock(connection: Connection) -> None:
    try:
        with faults_named():
            connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": _KEY})
    except Held as held:
        connection.rollback()
        name = connection.scalar(_HOLDER, {"high": _KEY >> 32, "low": _KEY & 0xFFFFFFFF}) or ""
        work, _, since = name.removeprefix(_NAME).partition(" since ")
        if not since:
            raise
        told = f"{work[0].upper()}{work[1:]} is under way since {since}. Try again when it is done."
        raise Held(told) from held


@contextmanager
def compare_turn(engine: Engine) -> Iterator[bool]:
    """Whether nobody else compares and repairs until the block ends; whoever dies ends their turn."""
    with faults_named(), engine.connect() as connection:
        connection.detach()
        is_mine = bool(connection.scalar(text("SELECT pg_try_advisory_lock(:key)"), {"key": _COMPARE_KEY}))
        connection.commit()
        yield is_mine
        # At once: the server may take a moment to see that a connection is gone.
        connection.execute(_UNLOCK)


@contextmanager
def backups_used(engine: Engine) -> Iterator[None]:
    """Has no backup deleted until the block ends; whoever dies needs none any more.

    Any number may do so at once. Raises Held after the lock time-out, PostgresAway.
    """
    with faults_named(), engine.connect() as connection:
        connection.detach()
        connection.execute(text(f"SET idle_session_timeout = '{USED_IDLE}'; {_HEARD}"))
        connection.execute(text("SELECT pg_advisory_lock_shared(:key)"), {"key": _BACKUPS_KEY})
        connection.commit()
        yield
        with suppress(DBAPIError):  # lost meanwhile, as it is after a restart of PostgreSQL
            connection.execute(_UNLOCK)


@contextmanager
def backups_unused(engine: Engine) -> Iterator[bool]:
    """Whether backups may be deleted until the block ends: nobody goes back to one, or deletes, meanwhile."""
    with faults_named(), engine.connect() as connection:
        connection.detach()
        is_mine = bool(connection.scalar(text("SELECT pg_try_advisory_lock(:key)"), {"key": _BACKUPS_KEY}))
        connection.commit()
        yield is_mine
        with suppress(DBAPIError):
            connection.execute(_UNLOCK)
