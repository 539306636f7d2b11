"""All tables as they are at one moment, while others go on writing."""

from sqlalchemy import Connection, text

from taskapi.db.errors import faults_named
from taskapi.db.schema import CHANGE, MIRRORS

_BEGIN = text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")


def begin(connection: Connection) -> None:
    """Begins a transaction that reads only, and sees what was committed before its next statement."""
    with faults_named():
        connection.execute(_BEGIN)


def total(connection: Connection) -> int:
    """How many rows there are, of records and of the journal."""
    counts = " + ".join(
        f"(SELECT count(*) FROM {table.name})"  # noqa: S608 - our own tables
        for table in (*MIRRORS.values(), CHANGE)
    )
    with faults_named():
        return int(connection.scalar(text(f"SELECT {counts}")))
