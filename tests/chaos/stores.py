"""What there is in the end: as the API shows it, and as it stands in PostgreSQL's tables."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import psycopg2
from psycopg2.extras import RealDictCursor

from tests.chaos.client import Client
from tests.chaos.model import LIVE, PURGED, TRASH, Name

Record = dict[str, Any]
KINDS = ("user", "group", "task")


@dataclass(frozen=True)
class Entry:
    """One entry of the journal."""

    version: int
    kind: str
    record_id: int
    action: str
    operation: str


@dataclass(frozen=True)
class Seen:
    """One look at everything. `shown` and `trash` are the API's; `rows` PostgreSQL's, each with its state."""

    shown: dict[Name, Record]
    trash: dict[Name, Record]
    stats: Record
    status: Record
    rows: dict[Name, tuple[str, Record]] = field(default_factory=dict)
    journal: list[Entry] = field(default_factory=list)


def look(owner: Client, database_url: str) -> Seen:
    """Both stores now, while nobody writes."""
    shown = {(kind, record["id"]): record for kind in KINDS for record in pages(owner, f"/{kind}s")}
    trash = {("task", record["id"]): record for record in pages(owner, "/tasks/trash")}
    stats, status = owner.read("/tasks/stats").data, owner.read("/admin/status").data
    connection = psycopg2.connect(database_url.replace("+psycopg2", ""), cursor_factory=RealDictCursor)
    try:
        with connection.cursor() as cursor:
            rows = {(kind, number): row for kind in KINDS for number, row in _rows(cursor, kind)}
            return Seen(shown, trash, stats, status, rows, _journal(cursor))
    finally:
        connection.close()


def pages(owner: Client, path: str) -> Iterator[Record]:
    """Every record of a list, page by page."""
    cursor: str | None = ""
    while cursor is not None:
        page = owner.read(f"{path}?per_page=200{cursor and '&cursor='}{cursor}").data
        yield from next(value for value in page.values() if isinstance(value, list))
        cursor = page["next_cursor"]


def _rows(cursor: Any, kind: str) -> Iterator[tuple[int, tuple[str, Record]]]:
    cursor.execute(f'SELECT * FROM "{kind}s"')
    for row in cursor.fetchall():
        state = PURGED if row["purged"] else TRASH if row["deleted_at"] else LIVE
        yield row["id"], (state, _as_shown(row))


def _as_shown(row: Record) -> Record:
    """Dates as the API writes them; the times of change are not compared here."""
    return dict(row) | {"deadline": row["deadline"].isoformat() if row.get("deadline") else None}


def _journal(cursor: Any) -> list[Entry]:
    cursor.execute("SELECT version, kind, record_id, action, operation FROM change ORDER BY version")
    return [Entry(**row) for row in cursor.fetchall()]
