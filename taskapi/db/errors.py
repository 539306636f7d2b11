"""Faults of PostgreSQL in our words: away, without tables, or refusing the rows themselves."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from taskapi.domain.errors import Unavailable

# Classes of SQLSTATE that blame the rows: cardinality, data, integrity, check option, limit, trigger.
_ROW_FAULTS = frozenset({"21", "22", "23", "44", "54", "P0"})
_NO_TABLES = frozenset({"42P01", "42703"})
SOMEBODY = "Somebody else is at it, such as an admission or a restore. Try again when it is done."
_CANCELLED, _HELD = "57014", "55P03"


class PostgresAway(Unavailable):
    """PostgreSQL cannot be used now; nothing is lost, try again later."""


class NotMigrated(PostgresAway):
    """PostgreSQL is there, but lacks tables or columns."""


class TookTooLong(PostgresAway):
    """PostgreSQL is there, and gave this one statement up when its time was over."""


class Held(PostgresAway):
    """Somebody else holds the lock that this needs."""


class RowsRefused(Exception):
    """PostgreSQL will never take these rows as they are; `str()` is its reason."""


@contextmanager
def faults_named() -> Iterator[None]:
    """Raises PostgresAway, NotMigrated or RowsRefused in place of the driver's errors."""
    try:
        yield
    except DBAPIError as fault:
        # Its text tells the statement with its values, and the whole row that was refused.
        raise _named(fault) from None
    except PoolTimeout as fault:
        raise PostgresAway("All connections to PostgreSQL are in use.") from fault


def _named(fault: DBAPIError) -> Exception:
    state = getattr(fault.orig, "pgcode", None) or ""
    reason = str(fault.orig).strip().split("\n")[0]
    if state[:2] in _ROW_FAULTS:
        return RowsRefused(reason)
    if state in _NO_TABLES:
        return NotMigrated(f"PostgreSQL is not migrated ({reason}): run `flask db upgrade`.")
    if state == _CANCELLED:
        return TookTooLong(f"PostgreSQL took too long: {reason}")
    if state == _HELD:
        return Held(SOMEBODY)
    return PostgresAway(f"PostgreSQL is away: {reason}")
