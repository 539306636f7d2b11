"""Sweeps that were cut off, as the records tell it."""

from sqlalchemy import Connection, text

from taskapi.db.errors import faults_named

_COMING_BACK = text(
    " UNION ".join(
        "SELECT tasks.deleted_with"  # noqa: S608 - our own names
        f" FROM tasks JOIN {kind}s AS parents ON tasks.deleted_with = '{kind}:' || parents.id"
        " WHERE tasks.deleted_at IS NOT NULL AND tasks.purged IS NOT TRUE"
        " AND parents.deleted_at IS NULL AND parents.purged IS NOT TRUE"
        for kind in ("user", "group")
    )
)


def coming_back(connection: Connection) -> list[str]:
    """The names (`user:3`, `group:1`) of what is there again, while tasks that went with it are not yet."""
    with faults_named():
        return list(connection.scalars(_COMING_BACK))
