"""A place of its own for the records of an archive: tables that only one transaction sees.

They are temporary ones, in the schema `pg_temp`: PostgreSQL drops them when the transaction ends,
however it ends, so that nobody who dies leaves one behind; and they need no right to make a schema.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Table, text

from taskapi.db.errors import faults_named
from taskapi.db.schema import CHANGE, MIRRORS, REFUSED

SCHEMA = "pg_temp"
"""How statements name the tables: `pg_temp.users` beside `users`."""

TABLES: tuple[Table, ...] = (*MIRRORS.values(), CHANGE, REFUSED)
"""The tables there are, under the names of the real ones, with no index but the primary key."""

_PATH = text("SELECT current_setting('search_path')")
_SET_PATH = text("SELECT set_config('search_path', :path, true)")


def make(connection: Connection) -> None:
    """Makes the tables, empty, in the open transaction. Plain names go on meaning the real ones."""
    with faults_named():
        path = connection.scalar(_PATH)
        connection.execute(_SET_PATH, {"path": f"{path}, {SCHEMA}"})
        for table in TABLES:
            keys = ", ".join(column.name for column in table.primary_key)
            like = f"{table.name} (LIKE {table.name}, PRIMARY KEY ({keys}))"
            connection.execute(text(f"CREATE TEMPORARY TABLE {like} ON COMMIT DROP"))


@contextmanager
def inside(connection: Connection) -> Iterator[None]:
    """Within the block plain names mean the tables here, whatever reads or writes them."""
    path = connection.scalar(_PATH)
    connection.execute(_SET_PATH, {"path": f"{SCHEMA}, {path}"})
    yield
    connection.execute(_SET_PATH, {"path": path})


def analyze(connection: Connection) -> None:
    """Tells PostgreSQL how much is in them, which it does not find out by itself."""
    with faults_named():
        for table in TABLES:
            connection.execute(text(f"ANALYZE {SCHEMA}.{table.name}"))
