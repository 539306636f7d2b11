"""A place on the disk for what was read of Redis, until it is known to be of one moment.

It is a database without a name: whoever dies leaves nothing behind.
"""

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from taskapi.domain.errors import Full
from taskapi.store.dirty import Entry
from taskapi.store.harvest import Found
from taskapi.sync import lines
from taskapi.sync.lines import JOURNAL, Line

_TABLES = (
    "CREATE TABLE held (kind TEXT, id INTEGER, section TEXT, text BLOB, PRIMARY KEY (kind, id))",
    "CREATE TABLE entry (version INTEGER PRIMARY KEY, text BLOB)",
)


@dataclass(frozen=True, slots=True)
class Spool:
    """Records as lines, the last that was put of each, and journal entries."""

    database: sqlite3.Connection

    def clear(self) -> None:
        """Forgets all."""
        self.database.execute("DELETE FROM held")
        self.database.execute("DELETE FROM entry")

    def put(self, found: Iterable[Found]) -> None:
        """Records as they are now; one that lies nowhere is known to be gone."""
        rows = ((each.kind.name, each.id, *_line_of(each)) for each in found)
        self.database.executemany("REPLACE INTO held VALUES (?, ?, ?, ?)", rows)

    def put_entries(self, entries: Iterable[Entry]) -> None:
        """Lines of the journal."""
        rows = ((entry.version, lines.of_entry(entry)[1]) for entry in entries)
        self.database.executemany("REPLACE INTO entry VALUES (?, ?)", rows)

    def ids(self, kind: str) -> set[int]:
        """The records of a kind of which anything is known, also that they are gone."""
        return {row[0] for row in self.database.execute("SELECT id FROM held WHERE kind = ?", (kind,))}

    def lines(self, section: str) -> Iterator[Line]:
        """What was put, in order; of records only those that are there."""
        query = "SELECT text FROM held WHERE section = ? ORDER BY kind, id"
        if section == JOURNAL:
            query = "SELECT text FROM entry WHERE ? = 'change' ORDER BY version"
        for (text,) in self.database.execute(query, (section,)):
            yield section, text

    @property
    def total(self) -> int:
        """How many lines there are."""
        count = "SELECT (SELECT count(*) FROM held WHERE section IS NOT NULL) + (SELECT count(*) FROM entry)"
        return int(self.database.execute(count).fetchone()[0])


@contextmanager
def spooled() -> Iterator[Spool]:
    """An empty spool, gone after the block. Raises Full if the disk for temporary files has no room."""
    database = sqlite3.connect("", isolation_level=None)
    try:
        for statement in ("PRAGMA journal_mode = OFF", "PRAGMA synchronous = OFF", *_TABLES, "BEGIN"):
            database.execute(statement)
        yield Spool(database)
    except sqlite3.OperationalError as fault:
        raise Full(f"There is no room for temporary files: {fault}.") from fault
    finally:
        database.close()


def _line_of(found: Found) -> tuple[str, bytes] | tuple[None, None]:
    return lines.of_found(found) if found.blob else (None, None)
