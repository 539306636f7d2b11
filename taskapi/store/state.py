"""What this Redis is: its identity, epoch, versions and ids; closed until admission opens it."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from taskapi.domain.clock import milliseconds
from taskapi.domain.records import Record
from taskapi.store import codec, keys, plans
from taskapi.store.client import Store, faults_named, run, run_id, run_unverified
from taskapi.store.errors import refusal
from taskapi.store.kinds import KINDS, Kind
from taskapi.store.plans import Change

READY = "ready"
CLOSED = "closed"
EPOCH_SPAN = 2**32
PLACED_BYTES = 2_000_000
_TEXT = 5  # where the text stands in what place.lua is told of a record


@dataclass(frozen=True, slots=True)
class State:
    """Redis as it is found. `meta` is empty on a new server.

    `run` is the id of the server process, `known_run` the one that was admitted; `ids` has the
    last id given and the ceiling of each kind.
    """

    run: str
    meta: Mapping[str, str]
    ids: Mapping[str, tuple[int, int]]
    is_bare: bool

    @property
    def is_ready(self) -> bool:
        """Whether this very server process was admitted."""
        return self.meta.get("state") == READY and self.known_run == self.run

    @property
    def is_closed(self) -> bool:
        """Whether it was closed, and is not open again."""
        return self.meta.get("state") == CLOSED

    @property
    def known_run(self) -> str:
        """The server process that was admitted last."""
        return self.meta.get("run", "")

    @property
    def incarnation(self) -> str:
        """The installation that the data belong to."""
        return self.meta.get("incarnation", "")

    @property
    def epoch(self) -> int:
        """The epoch of the last admission; 0 before the first."""
        return int(self.meta.get("epoch", 0))

    @property
    def version(self) -> int:
        """The last version given."""
        return int(self.meta.get("version", 0))

    @property
    def settled(self) -> int:
        """The highest version that PostgreSQL is known to have."""
        return int(self.meta.get("settled", 0))

    @property
    def carried(self) -> int:
        """The version of the last journal entry that PostgreSQL is known to have."""
        return int(self.meta.get("carried", 0))

    @property
    def commits(self) -> int:
        """The last commit that PostgreSQL is known to have had."""
        return int(self.meta.get("commits", 0))

    def fingerprint(self) -> dict[str, Any]:
        """What a clean stop writes down, to be found again at the next start."""
        return {
            "run": self.known_run,
            "version": self.version,
            "ids": {name: last for name, (last, _) in self.ids.items()},
        }


def look(store: Store) -> State:
    """Redis as it is now."""
    with faults_named():
        pipe: Any = store.redis.pipeline(transaction=True)
        pipe.execute_command("INFO", "server")
        pipe.hgetall(keys.META)
        pipe.hgetall(keys.IDS)
        pipe.dbsize()
        info, meta, ids, size = pipe.execute()
    text = {name.decode(): value.decode() for name, value in meta.items()}
    numbers = {name.decode(): int(value) for name, value in ids.items()}
    leases = {
        kind.name: (numbers.get(kind.name, 0), numbers.get(f"{kind.name}:ceiling", 0)) for kind in leased()
    }
    return State(_run_of(info), text, leases, size == 0)


def leased() -> list[Kind]:
    """The kinds that have ids of their own."""
    return [kind for kind in KINDS.values() if kind.lease]


def close(store: Store) -> None:
    """Refuses every read and write from now on, until the next admission."""
    with faults_named():
        store.redis.hset(keys.META, "state", CLOSED)


def begin(store: Store, run: str, incarnation: str, *, again: bool = False) -> bool:
    """Closes Redis for an admission, and names whose it is if nobody has yet.

    False, with nothing changed, if it has restarted meanwhile or was admitted by another; `again`
    closes one that was admitted.
    """
    return bool(run_unverified(store, "begin", run, incarnation, int(again)))


def open_for(
    store: Store,
    run: str,
    incarnation: str,
    epoch: int,
    settled: int,
    ids: Mapping[str, tuple[int, int]],
    *,
    carried: int = 0,
    commits: int = 0,
) -> bool:
    """Opens Redis in that epoch.

    `settled` is the highest version that PostgreSQL has, `carried` that of its last journal entry,
    `commits` its last commit; `ids` has the last id given and the ceiling of each kind. False, with
    nothing changed, if Redis has restarted meanwhile or another admission was faster.
    """
    rows = (value for kind, (last, ceiling) in ids.items() for value in (kind, last, ceiling))
    start = epoch * EPOCH_SPAN
    known = (start, settled, carried, commits)
    return bool(run_unverified(store, "open", run, epoch, incarnation, *known, *rows))


def leases(store: Store) -> dict[str, tuple[int, int]]:
    """The last id given and the ceiling of each kind that has ids of its own."""
    with faults_named():
        return _leases(store.redis.hgetall(keys.IDS))


def reserve(store: Store, kind: Kind) -> int:
    """The next id of a kind, for a record that others must name in the save that makes it.

    It is never given again, even if that save is refused. Raises Full without a leased one.
    """
    reply = run(store, "reserve", kind.name)
    if isinstance(reply, list):
        raise refusal(reply)
    return int(reply)


def raise_ceilings(store: Store, epoch: int, commit: int, ceilings: Mapping[str, int]) -> bool:
    """Lets ids of each kind be given up to its ceiling, which PostgreSQL has with that commit.

    False, with nothing changed, if the epoch has changed or an admission is under way.
    """
    flat = (value for pair in ceilings.items() for value in pair)
    return bool(run(store, "ceilings", epoch, commit, *flat))


def place(store: Store, rows: Sequence[tuple[Record | None, Record | None, bool]]) -> int:
    """Puts records while Redis is closed: (as Redis has it, as it shall be, dirty); returns how many.

    None as it shall be takes the record away: PostgreSQL knows that it was purged. A record that
    is not as Redis had it any more stays; nothing is placed if Redis is open.
    """
    placed = 0
    for part in _portions(_placing(*row) for row in rows):
        placed += run_unverified(store, "place", len(part), *(value for row in part for value in row))
    return placed


def _portions(rows: Iterator[list[Any]]) -> Iterator[list[list[Any]]]:
    """The same rows in parts of `PLACED_BYTES` of text each, so that no script takes long."""
    part: list[list[Any]] = []
    size = 0
    for row in rows:
        part.append(row)
        size += len(row[_TEXT])
        if size >= PLACED_BYTES:
            yield part
            part, size = [], 0
    if part:
        yield part


def _placing(was: Record | None, now: Record | None, dirty: bool) -> list[Any]:
    change = Change(was, now, "placed")
    subject = change.subject
    text = codec.blob(plans.middle_of(change), subject.id, subject.version)
    before = ("new", 0) if was is None else (plans.prefix_of(was), was.version)
    row = (change.kind.name, subject.id, *before, plans.prefix_of(now), text, subject.version, int(dirty))
    return [*row, milliseconds(subject.deleted_at), *plans.index_args(change)]


def present(store: Store, kind: Kind, ids: Sequence[int]) -> list[Record | None]:
    """The records of those ids as Redis has them, live or in the trash, in the same order."""
    if not ids:
        return []
    names = [
        [prefix + keys.record(kind.name, number) for number in ids] for prefix in (keys.LIVE, keys.TRASH)
    ]
    with faults_named():
        blobs: list[Any] = store.redis.mget(names[0] + names[1])
    found = [live or trash for live, trash in zip(blobs[: len(ids)], blobs[len(ids) :], strict=True)]
    return [None if blob is None else codec.decode(kind, blob) for blob in found]


def versions(store: Store, kind: Kind, ids: Sequence[int]) -> list[int]:
    """The versions of those ids, live, in the trash or just purged, in the same order; 0 for none."""
    if not ids:
        return []
    names = [keys.record(kind.name, number) for number in ids]
    with faults_named():
        blobs = store.redis.mget([p + name for p in (keys.LIVE, keys.TRASH, keys.PURGED) for name in names])
    columns = zip(*(blobs[start : start + len(ids)] for start in range(0, len(blobs), len(ids))), strict=True)
    return [max(0 if blob is None else codec.version_of(blob) for blob in column) for column in columns]


def missing(store: Store, names: Sequence[str]) -> set[str]:
    """Which of these live records (`kind:id`) are not there."""
    if not names:
        return set()
    with faults_named():
        blobs = store.redis.mget(names)
    return {name for name, blob in zip(names, blobs, strict=True) if blob is None}


def stored_blobs(store: Store, size: int = 1000) -> Iterator[tuple[Kind, list[bytes]]]:
    """Every record in Redis as it is stored, live or in the trash, some at a time, in no order.

    A slow walk for admission and checks; a record that changes meanwhile may come twice.
    """
    for kind in KINDS.values():
        for prefix in (keys.LIVE, keys.TRASH):
            start = 0
            while True:
                with faults_named():
                    start, names = store.redis.scan(start, match=f"{prefix}{kind.name}:*", count=size)
                    blobs: list[Any] = store.redis.mget(names) if names else []
                yield kind, [blob for blob in blobs if blob is not None]
                if start == 0:
                    break


def stored_records(store: Store) -> Iterator[Record]:
    """The same walk, record by record."""
    for kind, blobs in stored_blobs(store):
        for blob in blobs:
            yield codec.decode(kind, blob)


def mark_dirty(store: Store, versions: Mapping[str, int]) -> None:
    """Marks records (`kind:id`) as not in PostgreSQL; a mark for a newer version stays."""
    if not versions:
        return
    since = dict.fromkeys(versions, int(time.time() * 1000))
    with faults_named():
        pipe = store.redis.pipeline(transaction=True)
        pipe.zadd(keys.DIRTY, dict(versions), gt=True)
        pipe.zadd(keys.DIRTY_SINCE, since, nx=True)
        pipe.execute()


def _leases(ids: Any) -> dict[str, tuple[int, int]]:
    numbers = {name.decode(): int(value) for name, value in ids.items()}
    return {
        kind.name: (numbers.get(kind.name, 0), numbers.get(f"{kind.name}:ceiling", 0)) for kind in leased()
    }


def _run_of(info: Any) -> str:
    if isinstance(info, dict):
        return str(info["run_id"])
    return run_id(info).decode()
