"""An archive in the scratch tables of an open transaction: to be compared, or to go back to it."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import groupby

from taskapi.db import journal, refused, rows, scratch
from taskapi.db.engine import Connection
from taskapi.db.refused import Refused
from taskapi.db.schema import RECORDS
from taskapi.domain import failpoints
from taskapi.domain.clock import timestamp
from taskapi.domain.progress import Progress, part, unseen
from taskapi.store.dirty import Entry
from taskapi.store.kinds import KINDS
from taskapi.sync import carrying, lines
from taskapi.sync.archive import Archive, Manifest
from taskapi.sync.errors import Broken
from taskapi.sync.lines import APART, JOURNAL, Line, Tallies

ROWS, BYTES = 2000, 2_000_000
"""So much goes into one statement at most, but always one line."""


@dataclass(slots=True)
class Loaded:
    """The archive in `pg_temp`, in the tables that `db.scratch` names, and what it says of itself.

    What PostgreSQL refuses of its records lies in `pg_temp.refused`, as it does in the real tables;
    `moved` names (kind, id) what went there now.
    """

    connection: Connection
    manifest: Manifest
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
        for apart in _refused(connection):
            is_moved = (apart.kind, apart.record_id) in loaded.moved
            yield (apart.kind, apart.record) if is_moved else lines.of_refused(apart)


def require_same(manifest: Manifest, found: Tallies, sentence: str) -> None:
    """Raises Broken with that sentence, and how many of what differ."""
    counts, digests = found.counts, found.digests
    wrong = [name for name in counts if manifest.digests[name] != digests[name]]
    if wrong:
        told = ", ".join(f"{name}: {counts[name]} of {manifest.counts[name]}" for name in wrong)
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
    if section == JOURNAL:
        carrying.carry_entries(connection, [lines.entry(text) for text in texts])
    elif section == APART:
        refused.put(connection, [lines.refused(text) for text in texts])
    else:
        _put_records(loaded, section, texts)


def _put_records(loaded: Loaded, kind: str, texts: list[bytes]) -> None:
    marks = lines.marks(kind, texts)
    found = carrying.carry_records(loaded.connection, marks).refused
    moment = timestamp()
    apart = [Refused(kind, mark.id, mark.version, mark.blob, reason, moment) for mark, reason in found]
    refused.put(loaded.connection, apart)
    loaded.moved |= {(kind, mark.id) for mark, _ in found}


def _refused(connection: Connection) -> Iterator[Refused]:
    for kind in RECORDS:
        after = 0
        while found := refused.some(connection, kind, after, ROWS):
            yield from found
            after = found[-1].record_id
