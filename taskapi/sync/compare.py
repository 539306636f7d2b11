"""An exact comparison of both stores: every record by version and content, and the journal."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from taskapi.db import journal, rows
from taskapi.db.engine import Engine, transaction
from taskapi.db.schema import RECORDS
from taskapi.domain.progress import Progress, part, unseen
from taskapi.domain.records import Record
from taskapi.store import dirty, state
from taskapi.store.client import Store
from taskapi.store.dirty import Entry
from taskapi.store.kinds import KINDS, Kind
from taskapi.store.walking import Lying, rest, walk
from taskapi.sync import pairs
from taskapi.sync.lines import Tally, of_record
from taskapi.sync.pairs import Pair, Verdict
from taskapi.sync.soundness import Soundness

CHUNK = 500
_BLOCK = 1024


@dataclass(slots=True)
class Comparison:
    """Names (`kind:id`) that differ between the stores, and the versions of journal entries that do.

    `same` is how many records are equal, by kind. `waiting` are differences that the next flush
    carries, or that lie in quarantine; of `unreadable` ones Redis has no text of a record. `redis` and
    `postgres` have, by kind, how many records there are that are not purged, and a digest of them all.
    """

    same: dict[str, int] = field(default_factory=lambda: dict.fromkeys(RECORDS, 0))
    only_redis: list[str] = field(default_factory=list)
    only_postgres: list[str] = field(default_factory=list)
    differing: list[str] = field(default_factory=list)
    unreadable: list[str] = field(default_factory=list)
    waiting: list[str] = field(default_factory=list)
    journal: list[int] = field(default_factory=list)
    entries: int = 0
    soundness: Soundness = field(default_factory=Soundness)
    redis: dict[str, Tally] = field(default_factory=lambda: {kind: Tally() for kind in RECORDS})
    postgres: dict[str, Tally] = field(default_factory=lambda: {kind: Tally() for kind in RECORDS})

    @property
    def drifted(self) -> list[str]:
        """The names of all records that differ and are not waiting."""
        return [*self.only_redis, *self.only_postgres, *self.differing, *self.unreadable]

    @property
    def is_equal(self) -> bool:
        """Whether nothing differs but what is waiting."""
        return not (self.drifted or self.journal)

    @property
    def is_sound(self) -> bool:
        """Whether every parent exists and every unique value has one holder."""
        return not (self.soundness.orphans or self.soundness.clashes)

    @property
    def digests(self) -> dict[str, dict[str, str]]:
        """By kind the digests of both stores: equal when the records are, and nothing waits."""
        both = {"redis": self.redis, "postgresql": self.postgres}
        return {kind: {store: of[kind].digest for store, of in both.items()} for kind in RECORDS}


def compare(store: Store, engine: Engine, *, progress: Progress = unseen, pause: float = 0.0) -> Comparison:
    """Compares all of it, beside readers and writers; rests for `pause` seconds again and again.

    What is written meanwhile may show as waiting. Raises PostgresAway, Unavailable.
    """
    work = _Work(store, engine)
    for found in walk(store, CHUNK, progress=part(progress, 0.0, 0.6), pause=pause):
        for kind, lying in _by_kind(found.records):
            work.compare_lying(kind, lying)
    for kind, numbers in _live_rows(engine, part(progress, 0.6, 0.9)):
        work.compare_ids(kind, numbers)
        rest(pause)
    work.compare_journal(pause)
    work.found.soundness.confirm(store)
    progress(1.0)
    return work.found


@dataclass(slots=True)
class _Work:
    """One comparison; each record is looked at once, whichever store it is found in first."""

    store: Store
    engine: Engine
    found: Comparison = field(default_factory=Comparison)
    seen: dict[str, "Seen"] = field(default_factory=lambda: {kind: Seen() for kind in RECORDS})

    def compare_lying(self, kind: Kind, lying: Sequence[Lying]) -> None:
        """Those that Redis has just shown; what is not plainly equal is looked at again."""
        records = {one.id: one.record for one in lying if self.seen[kind.name].add(one.id)}
        self.found.soundness.check(self.store, kind, {n: each for n, each in records.items() if each})
        with transaction(self.engine) as connection:
            there = {row["id"]: kind.record(**row) for row in rows.some(connection, kind.name, list(records))}
        doubtful = []
        for number, record in records.items():
            if record and number in there and pairs.same(kind, record, there[number]):
                self._count(kind, record, there[number])
            else:
                doubtful.append(number)
        self._look_again(kind, doubtful)

    def compare_ids(self, kind: Kind, numbers: Iterable[int]) -> None:
        """Those that PostgreSQL has, if Redis has not shown them."""
        self._look_again(kind, [number for number in numbers if self.seen[kind.name].add(number)])

    def compare_journal(self, pause: float) -> None:
        """Only what was carried: the rest is still on its way."""
        after, carried = 0, state.look(self.store).carried
        while entries := [e for e in dirty.journal(self.store, after, CHUNK) if e.version <= carried]:
            there = lines_of(self.engine, entries)
            wrong = [entry.version for entry in entries if not is_told(entry, there.get(entry.version))]
            self.found.journal += wrong
            self.found.entries += len(entries)
            after = entries[-1].version
            rest(pause)

    def _look_again(self, kind: Kind, numbers: Sequence[int]) -> None:
        for pair in pairs.look(self.store, self.engine, kind, numbers) if numbers else ():
            self._file(pair)

    def _file(self, pair: Pair) -> None:
        lists = {
            Verdict.WAITING: self.found.waiting,
            Verdict.ONLY_REDIS: self.found.only_redis,
            Verdict.ONLY_POSTGRES: self.found.only_postgres,
            Verdict.DIFFERING: self.found.differing,
            Verdict.UNREADABLE: self.found.unreadable,
        }
        if pair.verdict in lists:
            lists[pair.verdict].append(pair.name)
        self._count(pair.kind, pair.redis.record, pair.row, is_same=pair.verdict is Verdict.EQUAL)

    def _count(self, kind: Kind, redis: Record | None, row: Record | None, *, is_same: bool = True) -> None:
        self.found.same[kind.name] += is_same
        for tally, record in ((self.found.redis, redis), (self.found.postgres, row)):
            if record is not None:
                tally[kind.name].add(of_record(kind, record)[1])


class Seen:
    """Which ids were seen: a bit each."""

    def __init__(self) -> None:
        self._blocks: dict[int, int] = {}

    def add(self, number: int) -> bool:
        """True the first time."""
        block, bit = divmod(number, _BLOCK)
        was = self._blocks.get(block, 0)
        self._blocks[block] = was | 1 << bit
        return self._blocks[block] != was


def lines_of(engine: Engine, entries: Sequence[Entry]) -> dict[int, dict[str, Any]]:
    """What PostgreSQL has of these journal entries."""
    with transaction(engine) as connection:
        return journal.some(connection, [entry.version for entry in entries])


def is_told(entry: Entry, row: dict[str, Any] | None) -> bool:
    """Whether PostgreSQL tells the same; an entry that it took as text only is taken as it is."""
    if row is None or row["action"] == "unreadable":
        return row is not None
    names = ("kind", "record_id", "action", "actor", "at", "request_id", "operation")
    return row["fields"] == orjson.loads(entry.fields) and all(
        row[name] == getattr(entry, name) for name in names
    )


def _by_kind(found: Sequence[Lying]) -> Iterator[tuple[Kind, list[Lying]]]:
    for kind in KINDS.values():
        if of_kind := [lying for lying in found if lying.kind is kind]:
            yield kind, of_kind


def _live_rows(engine: Engine, progress: Progress) -> Iterator[tuple[Kind, list[int]]]:
    """The ids of all rows that are no tombstones, some at a time; no transaction stays open meanwhile."""
    with transaction(engine) as connection:
        highest = rows.highest_ids(connection)
    for place, name in enumerate(RECORDS):
        after, seen = 0, part(progress, place / len(RECORDS), (place + 1) / len(RECORDS))
        while chunk := _next_rows(engine, name, after):
            yield KINDS[name], [number for number, _, is_purged in chunk if not is_purged]
            after = chunk[-1][0]
            seen(after / max(1, highest[name]))


def _next_rows(engine: Engine, name: str, after: int) -> list[tuple[int, int, bool]]:
    with transaction(engine) as connection:
        return rows.versions(connection, name, after, CHUNK)
