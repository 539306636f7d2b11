"""What PostgreSQL does not have yet: looked at, and cleared only where nothing has moved."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass
from typing import Any

import orjson

from taskapi.domain.clock import timestamp
from taskapi.store import keys
from taskapi.store.client import Store, faults_named, run, run_unverified
from taskapi.store.errors import refusal

JOURNAL_WINDOW = 10_000
BATCH_BYTES = 2_000_000
"""Of records, and as many of the journal: so much is looked at without keeping others waiting."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A dirty record as it lay in Redis when it was looked at; `blob` is empty if it lay nowhere."""

    kind: str
    id: int
    version: int
    blob: bytes

    @property
    def name(self) -> str:
        """`kind:id`, the member of the dirty set."""
        return keys.record(self.kind, self.id)


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the journal. `fields` is JSON: {name: [before, after]}."""

    version: int
    kind: str
    record_id: int
    action: str
    actor: int
    at: str
    request_id: str
    operation: str
    fields: str


@dataclass(frozen=True, slots=True)
class Batch:
    """The oldest dirty records and the journal's next entries, with the epoch they belong to.

    `settled` is the highest version known to be in PostgreSQL, `carried` that of the last journal
    entry known to be there, `commits` the last commit, `total` how many records are dirty.
    """

    epoch: int
    settled: int
    carried: int
    commits: int
    total: int
    marks: tuple[Mark, ...]
    entries: tuple[Entry, ...]

    @property
    def highest(self) -> int:
        """The highest version in it."""
        versions = [mark.version for mark in self.marks] + [entry.version for entry in self.entries]
        return max(versions, default=0)

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to carry."""
        return not self.marks and not self.entries


def peek(store: Store, records: int = 1000, entries: int = 2000) -> Batch:
    """Looks at the journal's next lines with their records, and at what else is dirty. Takes nothing away.

    So many at most, and `BATCH_BYTES` of each kind of line, but always one.

    Raises Unavailable while Redis is unverified.
    """
    reply = run(store, "peek", records, entries, BATCH_BYTES)
    if reply[0] == b"unverified":
        raise refusal(reply)
    *known, found, journal = reply
    triples = zip(found[0::3], found[1::3], found[2::3], strict=True)
    marks = tuple(_mark(name, version, blob) for name, version, blob in triples)
    lines = tuple(entry_of(*line) for line in journal)
    epoch, settled, carried, commits, total = map(int, known)
    return Batch(epoch, settled, carried, commits, total, marks, lines)


def settle(store: Store, batch: Batch, written: Sequence[Mark], carried: int = 0, commit: int = 0) -> int:
    """Clears the marks of what was committed; a record that has changed meanwhile stays dirty.

    `carried` is the version of the last journal entry that was committed with it, `commit` the number
    of that commit. Returns how many marks were cleared; -1 if the epoch has changed, which leaves all
    as it was.
    """
    pairs = (value for mark in written for value in (mark.name, mark.version))
    reply: list[int] = run(store, "settle", batch.epoch, JOURNAL_WINDOW, carried, commit, *pairs)
    return reply[0]


def journal(store: Store, after: int = 0, count: int = 1000) -> list[Entry]:
    """The journal's next entries above that version, as far as Redis still has them."""
    with faults_named():
        lines: Any = store.redis.xrange(keys.JOURNAL, min=f"({after}-0", count=count)
    return [entry_of(name, [part for pair in fields.items() for part in pair]) for name, fields in lines]


def last_entry(store: Store) -> int:
    """The version of the journal's last entry; 0 without any."""
    with faults_named():
        last: Any = store.redis.xrevrange(keys.JOURNAL, count=1)
    return _version_of(last[0][0]) if last else 0


def relate(store: Store, entries: Iterable[Entry]) -> int:
    """Adds entries of PostgreSQL, in order, to the journal of a Redis that is not open; returns how many.

    None that is not behind the last one there.
    """
    return int(run_unverified(store, "relate", *(value for each in entries for value in astuple(each))))


def quarantine(store: Store, marks: Iterable[Mark], reason: str) -> int:
    """Sets records apart that PostgreSQL refuses. They are served on; a new write makes them dirty again."""
    moment = timestamp()
    rows = (
        value
        for mark in marks
        for value in (mark.name, mark.version, account_of(mark.version, reason, moment))
    )
    done: int = run(store, "quarantine", "set", *rows)
    return done


def account_of(version: int, reason: str, at: str) -> bytes:
    """What quarantine says of a record."""
    return orjson.dumps({"version": version, "reason": reason, "at": at})


def rearm(store: Store, names: Sequence[str] = ()) -> int:
    """Marks quarantined records dirty again: those of `kind:id` that are, or all; returns how many."""
    done: int = run(store, "quarantine", "rearm", *names)
    return done


@dataclass(frozen=True, slots=True)
class Backlog:
    """How much is waiting. `lag` is the age of the oldest mark in seconds, 0.0 when clean."""

    dirty: dict[str, int]
    lag: float
    quarantined: dict[str, dict[str, Any]]

    @property
    def total(self) -> int:
        """Dirty records of all kinds."""
        return sum(self.dirty.values())


def count(store: Store) -> int:
    """How many records are dirty."""
    with faults_named():
        return int(store.redis.zcard(keys.DIRTY))


def is_committed(store: Store, written: Sequence[str]) -> bool:
    """Whether PostgreSQL has all of these: kind:id@version, or kind:id for whatever version is there.

    Not if one is dirty, or in quarantine, nor if another server has taken over that may never have had it.
    """
    return bool(run(store, "committed", *written))


def backlog(store: Store) -> Backlog:
    """What waits, kind by kind."""
    with faults_named():
        pipe = store.redis.pipeline(transaction=False)
        pipe.zrange(keys.DIRTY_SINCE, 0, 0, withscores=True)
        pipe.hgetall(keys.QUARANTINE)
        oldest, apart = pipe.execute()
        # In slices: there may be millions while PostgreSQL is away, and nobody shall wait for this.
        names: Any = store.redis.zscan_iter(keys.DIRTY, count=1000)
        kinds = Counter(name.partition(b":")[0].decode() for name, _ in names)
    lag = max(0.0, time.time() - oldest[0][1] / 1000) if oldest else 0.0
    quarantined = {name.decode(): orjson.loads(account) for name, account in apart.items()}
    return Backlog(dict(sorted(kinds.items())), lag, quarantined)


def _mark(name: bytes, version: bytes, blob: bytes) -> Mark:
    kind, _, record_id = name.decode().partition(":")
    return Mark(kind, int(record_id), int(version), blob)


def _version_of(journal_id: bytes) -> int:
    return int(journal_id.partition(b"-")[0])


def entry_of(journal_id: bytes, flat: list[bytes]) -> Entry:
    """A line of the journal as a script tells it: its id, then fields and values by turns."""
    value = {flat[index].decode(): flat[index + 1].decode() for index in range(0, len(flat), 2)}
    return Entry(
        version=_version_of(journal_id),
        kind=value["kind"],
        record_id=int(value["id"]),
        action=value["action"],
        actor=int(value["actor"]),
        at=value["at"],
        request_id=value["request"],
        operation=value["op"],
        fields=value["fields"],
    )
