"""What is only read: counts for the statistics, and the history of a record."""

from typing import Any

from sqlalchemy import Engine, text

from taskapi.db import rows
from taskapi.db.engine import transaction

_HISTORY = text(
    "SELECT version, kind, record_id, action, actor,"
    """ to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24\\:MI\\:SS.MS"Z"') AS at, request_id, fields"""
    " FROM change WHERE kind = :kind AND record_id = :record_id AND version < :before"
    " ORDER BY version DESC LIMIT :count"
)
NO_LIMIT = 2**53


def record_counts(engine: Engine) -> dict[str, int]:
    """How many live records of each kind PostgreSQL has; raises PostgresAway."""
    with transaction(engine) as connection:
        return rows.counts(connection)


def history(
    engine: Engine, kind: str, record_id: int, *, before: int = NO_LIMIT, count: int = 50
) -> list[dict[str, Any]]:
    """The changes of one record below that version, the newest first; `fields`: {name: [before, after]}."""
    values = {"kind": kind, "record_id": record_id, "before": before, "count": count}
    with transaction(engine) as connection:
        return [dict(row) for row in connection.execute(_HISTORY, values).mappings()]
