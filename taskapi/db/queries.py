"""What is only read: counts for the statistics, the history of a record, and tasks found by words."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Engine, TextClause, text

from taskapi.db import rows, words
from taskapi.db.engine import transaction, within
from taskapi.domain.filters import Scope

SEARCH_SECONDS = 0.8
COUNT_SECONDS = 5.0
RECORD_SECONDS = 2.0
_HISTORY = text(
    "SELECT version, kind, record_id, action, actor,"
    """ to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24\\:MI\\:SS.MS"Z"') AS at, request_id, fields"""
    " FROM change WHERE kind = :kind AND record_id = :record_id AND version < :before"
    " ORDER BY version DESC LIMIT :count"
)
_SEEN = (
    " AND deleted_at IS NULL AND purged IS NOT TRUE"
    " AND (:everything OR user_id = :user OR group_id = ANY(:groups) OR (user_id, group_id) IN"
    " (SELECT * FROM unnest(CAST(:users_paired AS bigint[]), CAST(:groups_paired AS bigint[]))))"
    " ORDER BY id LIMIT :limit"
)
_SEARCH = text(f"SELECT id FROM tasks WHERE words @@ CAST(:query AS tsquery){_SEEN}")  # noqa: S608 - a constant
_ON_DAY = text(
    "SELECT id FROM tasks WHERE ("  # noqa: S608 - a constant
    "created_at >= CAST(:day AS date) AND created_at < CAST(:day AS date) + 1"
    " OR deadline = CAST(:day AS date)"
    f" OR completed_at >= CAST(:day AS date) AND completed_at < CAST(:day AS date) + 1){_SEEN}"
)
_SEARCH_WAITS = text(f"SET LOCAL statement_timeout = {int(SEARCH_SECONDS * 1000)}")
NO_LIMIT = 2**53


def record_counts(engine: Engine) -> dict[str, int]:
    """How many live records of each kind PostgreSQL has; raises PostgresAway, also for taking too long."""
    with within(COUNT_SECONDS), transaction(engine) as connection:
        return rows.counts(connection)


def record(engine: Engine, kind: str, record_id: int) -> dict[str, Any] | None:
    """One record in the shape of its dataclass; None if PostgreSQL has none, or only that it was purged."""
    with within(RECORD_SECONDS), transaction(engine) as connection:
        return next(iter(rows.some(connection, kind, [record_id])), None)


def history(
    engine: Engine, kind: str, record_id: int, *, before: int = NO_LIMIT, count: int = 50
) -> list[dict[str, Any]]:
    """The changes of one record below that version, the newest first; `fields`: {name: [before, after]}."""
    values = {"kind": kind, "record_id": record_id, "before": before, "count": count}
    with transaction(engine) as connection:
        return [dict(row) for row in connection.execute(_HISTORY, values).mappings()]


def search_tasks(engine: Engine, wanted: Sequence[str], scope: Scope, limit: int) -> list[int]:
    """The ids of the first `limit` live tasks in a scope in which each of the words begins a word.

    The words are as `domain.words` cut them. Raises PostgresAway, also for taking too long.
    """
    return _first_of_scope(engine, _SEARCH, scope, limit, query=words.query(wanted))


def tasks_on_day(engine: Engine, day: str, scope: Scope, limit: int) -> list[int]:
    """The ids of the first `limit` live tasks in a scope that were made, are due or were done on that date.

    Raises PostgresAway, also for taking too long.
    """
    return _first_of_scope(engine, _ON_DAY, scope, limit, day=day)


def _first_of_scope(engine: Engine, look: TextClause, scope: Scope, limit: int, **asked: str) -> list[int]:
    values = {
        "everything": scope.everything,
        "user": scope.user,
        "groups": list(scope.groups),
        "users_paired": [user for user, _ in scope.pairs],
        "groups_paired": [group for _, group in scope.pairs],
        "limit": limit,
    }
    with transaction(engine) as connection:
        connection.execute(_SEARCH_WAITS)
        return list(connection.execute(look, values | asked).scalars())
