"""Writing a batch into an open transaction: what is refused is found by halving, the rest is written."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import orjson

from taskapi.db import journal, refused, rows
from taskapi.db.engine import Connection
from taskapi.db.errors import RowsRefused
from taskapi.db.refused import Refused
from taskapi.db.schema import RECORDS
from taskapi.domain import failpoints
from taskapi.domain.clock import timestamp
from taskapi.store.dirty import Entry, Mark
from taskapi.sync.errors import JournalRefused

NOWHERE = "Redis has a mark for it, but no record."
UNKNOWN = "This release does not know its kind: update the workers."


@dataclass(slots=True)
class Carried:
    """What was written: how many newer rows of each kind, and which marks were refused, with the reason.

    `entries` is how many lines of the journal, `commit` the number of the commit that brought it all.
    """

    rows: dict[str, int] = field(default_factory=dict)
    refused: list[tuple[Mark, str]] = field(default_factory=list)
    entries: int = 0
    commit: int = 0

    def kept(self, marks: Sequence[Mark]) -> list[Mark]:
        """Those marks that were not refused."""
        names = {mark.name for mark, _ in self.refused}
        return [mark for mark in marks if mark.name not in names]


def carry_records(connection: Connection, marks: Sequence[Mark]) -> Carried:
    """Writes the marked records kind by kind, in the order in which everybody locks them.

    What no mirror takes is written beside them, byte for byte.
    """
    carried = Carried(refused=[(mark, NOWHERE) for mark in marks if not mark.blob])
    carried.refused += [(mark, UNKNOWN) for mark in marks if mark.blob and mark.kind not in RECORDS]
    for kind in RECORDS:
        of_kind = sorted(
            (mark for mark in marks if mark.kind == kind and mark.blob), key=lambda mark: mark.id
        )
        if of_kind:
            carried.rows[kind] = _carry(connection, kind, of_kind, carried)
    _keep(connection, carried)
    return carried


def _keep(connection: Connection, carried: Carried) -> None:
    """What was refused is kept as it is, until a newer version of the record is carried."""
    at = timestamp()
    apart = ((mark, reason) for mark, reason in carried.refused if mark.blob)
    refused.put(
        connection,
        [Refused(mark.kind, mark.id, mark.version, mark.blob, reason, at) for mark, reason in apart],
    )
    failpoints.reach("carrying.kept")
    refused.clear(connection)


def _carry(connection: Connection, kind: str, marks: Sequence[Mark], carried: Carried) -> int:
    try:
        return rows.upsert(connection, kind, [mark.blob for mark in marks])
    except RowsRefused as refusal:
        if len(marks) == 1:
            carried.refused.append((marks[0], str(refusal)))
            return 0
    middle = len(marks) // 2
    halves = (marks[:middle], marks[middle:])
    return sum(_carry(connection, kind, half, carried) for half in halves)


def carry_entries(connection: Connection, entries: Sequence[Entry]) -> int:
    """Writes journal entries; one that is refused goes in wrapped up as text, so that none is missing.

    Raises JournalRefused if that is refused too.
    """
    if not entries:
        return 0
    try:
        return journal.insert(connection, entries)
    except RowsRefused:
        if len(entries) == 1:
            return _carry_wrapped(connection, entries[0])
    middle = len(entries) // 2
    return carry_entries(connection, entries[:middle]) + carry_entries(connection, entries[middle:])


def _carry_wrapped(connection: Connection, entry: Entry) -> int:
    try:
        return journal.insert(connection, [_wrapped(entry)])
    except RowsRefused as refusal:
        raise JournalRefused(str(refusal)) from None


def _wrapped(entry: Entry) -> Entry:
    """The same entry with all its content as one text, in which no escape has a meaning."""
    text = orjson.dumps(orjson.dumps(entry).decode())
    fields = b'{"unreadable":[null,%b]}' % text
    return replace(
        entry,
        action="unreadable",
        actor=0,
        at=timestamp(),
        request_id="-",
        operation=entry.operation if entry.operation.isprintable() else "-",
        fields=fields.decode(),
    )
