"""What was purged: the last that the journal tells of a record, and a tombstone in the place of its row."""

from sqlalchemy import Connection, text

from taskapi.db.schema import MIRRORS

_LAST = text(
    "SELECT version, action FROM change WHERE kind = :kind AND record_id = :id ORDER BY version DESC LIMIT 1"
)


def last_told(connection: Connection, kind: str, record_id: int) -> tuple[int, str]:
    """The version and action of the last journal entry of a record; (0, "") without any."""
    row = connection.execute(_LAST, {"kind": kind, "id": record_id}).first()
    return (0, "") if row is None else (row.version, row.action)


def bury(connection: Connection, kind: str, record_id: int, version: int) -> bool:
    """Leaves a tombstone of that version, if what is there is not newer; True if it was done."""
    names = [
        column.name for column in MIRRORS[kind].columns if column.name not in ("id", "version", "purged")
    ]
    cleared = ", ".join(f"{name} = NULL" for name in names)
    statement = text(
        f"UPDATE {MIRRORS[kind].name} SET version = :version, purged = true, {cleared}"  # noqa: S608 - our own names
        " WHERE id = :id AND version <= :version"
    )
    return connection.execute(statement, {"id": record_id, "version": version}).rowcount == 1
