"""The log of each day: which tasks were made, due and done on it."""

from sqlalchemy import text

from taskapi.db.engine import Engine, transaction
from taskapi.domain import failpoints

LINES = ("daily_log.begun", "daily_log.written")
"""Every line at which a test lets the writing of a day die."""

_MISSING = text(
    "SELECT to_char(past, 'YYYY-MM-DD') FROM generate_series("
    "(SELECT min(created_at) FROM tasks)::date, CAST(:last AS date), interval '1 day') AS past"
    " WHERE NOT EXISTS (SELECT FROM task_log_day AS done WHERE done.day = past::date)"
    " ORDER BY past LIMIT :most"
)
_BEGIN = text(
    "INSERT INTO task_log_day (day, entries, written_at) VALUES (CAST(:day AS date), 0, now())"
    " ON CONFLICT DO NOTHING"
)
_WRITE = text(
    "WITH told AS ("
    "SELECT id, 'created' AS event, user_id, group_id, title, deleted_at, purged FROM tasks"
    " WHERE created_at >= CAST(:day AS date) AND created_at < CAST(:day AS date) + 1"
    " UNION ALL SELECT id, 'due', user_id, group_id, title, deleted_at, purged FROM tasks"
    " WHERE deadline = CAST(:day AS date)"
    " UNION ALL SELECT id, 'completed', user_id, group_id, title, deleted_at, purged FROM tasks"
    " WHERE completed_at >= CAST(:day AS date) AND completed_at < CAST(:day AS date) + 1)"
    " INSERT INTO task_log (day, task_id, event, user_id, group_id, title)"
    " SELECT CAST(:day AS date), id, event, user_id, group_id, title FROM told"
    " WHERE deleted_at IS NULL AND purged IS NOT TRUE ON CONFLICT DO NOTHING"
)
_END = text("UPDATE task_log_day SET entries = :entries WHERE day = CAST(:day AS date)")


def missing_days(engine: Engine, last: str, most: int) -> list[str]:
    """The first `most` days from that of the first task to the `last` that are not written, in order."""
    with transaction(engine) as connection:
        return list(connection.execute(_MISSING, {"last": last, "most": most}).scalars())


def write_day(engine: Engine, day: str) -> int | None:
    """Writes a day, as the live tasks are in PostgreSQL now, and returns how many entries it has.

    None if it was written before; of two who begin at once the later waits for the other. All of it is
    there, or nothing. Raises PostgresAway.
    """
    with transaction(engine) as connection:
        if connection.execute(_BEGIN, {"day": day}).rowcount == 0:
            return None
        failpoints.reach("daily_log.begun")
        entries = connection.execute(_WRITE, {"day": day}).rowcount
        connection.execute(_END, {"day": day, "entries": entries})
        failpoints.reach("daily_log.written")
    return int(entries)
