"""The advisory locks: the sync's, which a flush shares and an admission holds alone, and the compare's."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine, text

from taskapi.db.errors import Held, faults_named

_KEY = int.from_bytes(b"taskapi")
_COMPARE_KEY = int.from_bytes(b"compare")


def hold_shared(connection: Connection) -> None:
    """Keeps admissions out until this transaction ends; raises PostgresAway after the lock time-out."""
    connection.execute(text("SELECT pg_advisory_xact_lock_shared(:key)"), {"key": _KEY})


@contextmanager
def held_alone(engine: Engine, *, patient: bool = True) -> Iterator[Connection]:
    """A connection of its own that keeps every flush and other admission out until the block ends.

    The lock belongs to the session, over its transactions: whoever loses the connection loses the
    lock with it. Raises PostgresAway after the lock time-out; unless `patient`, Held at once.
    """
    with faults_named(), engine.connect() as connection:
        connection.detach()
        if patient:
            connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": _KEY})
        elif not connection.scalar(text("SELECT pg_try_advisory_lock(:key)"), {"key": _KEY}):
            raise Held("Another admission or a restore is under way.")
        connection.commit()
        yield connection


@contextmanager
def compare_turn(engine: Engine) -> Iterator[bool]:
    """Whether nobody else compares and repairs until the block ends; whoever dies ends their turn."""
    with faults_named(), engine.connect() as connection:
        connection.detach()
        is_mine = connection.scalar(text("SELECT pg_try_advisory_lock(:key)"), {"key": _COMPARE_KEY})
        connection.commit()
        yield bool(is_mine)
