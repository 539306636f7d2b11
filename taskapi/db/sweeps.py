"""Sweeps that were cut off, as the records tell it."""

from sqlalchemy import Connection, text

from taskapi.db.errors import faults_named

_COMING_BACK = text(
    "SELECT DISTINCT tasks.deleted_with FROM tasks JOIN users ON tasks.deleted_with = 'user:' || users.id"
    " WHERE tasks.deleted_at IS NOT NULL AND tasks.purged IS NOT TRUE"
    " AND users.deleted_at IS NULL AND users.purged IS NOT TRUE"
)


def coming_back(connection: Connection) -> list[str]:
    """The names (`user:3`) of users who are there again, while tasks that went with them are not yet."""
    with faults_named():
        return list(connection.scalars(_COMING_BACK))
