"""An archive in the scratch tables of an open transaction: to be compared, or to go back to it."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import groupby

from taskapi.db import journal, refused, rows, scratch
from taskapi.db.engine import Connection
from taskapi.db.refused import Refused
from taskapi.db.schema import RECORDS
from taskapi.domain import failpoints
from taskapi.domain.progress import Progress, part, unseen
from taskapi.store.dirty import Entry, Mark
from taskapi.store.kinds import KINDS
from taskapi.sync import carrying, lines
from taskapi.sync.archive import Archive, Manifest
from taskapi.sync.errors import Broken
from taskapi.sync.lines import APART, JOURNAL, NOTHING, Line, Tallies

ROWS, BYTES = 2000, 2_000_000
"""So much goes into one statement at most, but always one line."""


@dataclass(slots=True)
class Loaded:
    """The archive in `pg_temp`, in the tables that `db.scratch` names, and what it says of itself.

    `current` counts its lines as this version of the program writes them. What PostgreSQL refuses of
    its records lies in `pg_temp.refused`, as it does among the real tables; `moved` names (kind, id)
    what went there now.
    """

    connection: Connection
    manifest: Manifest
    current: Tallies = field(default_factory=Tallies)
    moved: set[tuple[str, int]] = field(default_factory=set)


def load(connection: Connection, archive: Archive, progress: Progress = unseen) -> Loaded:
    """Makes the scratch tables and fills them. They are gone with the transaction, however it ends.

    Raises Broken if the archive has other lines than it says, or PostgresAway.
    """
    scratch.make(connection)
    loaded, tallies = Loaded(connection, archive.manifest), Tallies()
    with scratch.inside(connection):
        for section, texts in _batches(archive.lines(part(progress, 0, 0.95)), tallies):
            _put(loaded, section, texts)
            failpoints.reach("loading.put")
    require_same(archive.manifest, tallies, "It does not have the lines that it was made of")
    scratch.analyze(connection)
    progress(1)
    return loaded


def contents(loaded: Loaded) -> Iterator[Line]:
    """The lines again, read back from the scratch tables."""
    connection = loaded.connection
    with scratch.inside(connection):
        for name in RECORDS:
            kind = KINDS[name]
            yield from (lines.of_record(kind, kind.record(**row)) for row in rows.stream(connection, name))
        yield from (lines.of_entry(Entry(**row)) for row in journal.stream(connection))
        for apart in (row for name in RECORDS for row in refused.every(connection, name)):
            is_moved = (apart.kind, apart.record_id) in loaded.moved
            yield (apart.kind, apart.record) if is_moved else lines.of_refused(apart)


def require_same(wanted: Manifest | Tallies, found: Tallies, sentence: str) -> None:
    """Raises Broken with that sentence, and how many of what differ."""
    counts, digests = found.counts, found.digests
    wrong = [name for name in counts if wanted.digests.get(name, NOTHING) != digests[name]]
    if wrong:
        told = ", ".join(f"{name}: {counts[name]} of {wanted.counts.get(name)}" for name in wrong)
        raise Broken(f"{sentence} ({told}).")


def _batches(found: Iterable[Line], tallies: Tallies) -> Iterator[tuple[str, list[bytes]]]:
    for section, of_section in groupby(found, key=lambda line: line[0]):
        batch: list[bytes] = []
        size = 0
        for line in of_section:
            tallies.add(line)
            batch.append(line[1])
            size += len(line[1])
            if len(batch) >= ROWS or size >= BYTES:
                yield section, batch
                batch, size = [], 0
        if batch:
            yield section, batch


def _put(loaded: Loaded, section: str, texts: list[bytes]) -> None:
    connection = loaded.connection
    try:
        found = _read(section, texts)
    except (ValueError, TypeError, KeyError, AttributeError) as fault:
        raise Broken(f"It has a {section} that this version of taskapi cannot read.") from fault
    for line in found.lines:
        loaded.current.add(line)
    carrying.carry_entries(connection, found.entries)
    refused.put(connection, found.apart)
    carried = carrying.carry_records(connection, found.marks)
    loaded.moved |= {(mark.kind, mark.id) for mark, _ in carried.refused}


@dataclass(slots=True)
class _Read:
    """What some lines say, and the same lines as they would be written today."""

    lines: list[Line]
    marks: list[Mark] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)
    apart: list[Refused] = field(default_factory=list)


def _read(section: str, texts: list[bytes]) -> _Read:
    if section == JOURNAL:
        entries = [lines.entry(text) for text in texts]
        return _Read([lines.of_entry(entry) for entry in entries], entries=entries)
    if section == APART:
        apart = [lines.refused(text) for text in texts]
        return _Read([lines.of_refused(each) for each in apart], apart=apart)
    marks = lines.marks(section, texts)
    return _Read([(section, mark.blob) for mark in marks], marks)
