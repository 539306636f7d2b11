"""A walk over everything that lies in Redis, some keys at a time, beside readers and writers."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from taskapi.domain.progress import Progress, unseen
from taskapi.domain.records import Record
from taskapi.store import codec, keys, shape
from taskapi.store.client import Store, faults_named
from taskapi.store.kinds import KINDS, Kind

SLICE = 500

_RECORD = re.compile(rf"({keys.TRASH}|{keys.PURGED}|)({'|'.join(KINDS)}):([1-9][0-9]*)".encode())
_LISTS = re.compile(rb"tasks:.*|files:.*|members:.*|users|groups|trashed", re.DOTALL)
_HASHES = re.compile(rb"(counts|spread|trash-spread|unique):.*", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Lying:
    """A record where it lies: under `prefix`. `record` is None if the text there cannot be that one."""

    prefix: str
    kind: Kind
    id: int
    blob: bytes
    record: Any

    @property
    def name(self) -> str:
        """kind:id."""
        return keys.record(self.kind.name, self.id)


@dataclass(slots=True)
class Slice:
    """Some keys: records with their texts, and the names of tombstones, lists and hashes of counters."""

    records: list[Lying] = field(default_factory=list)
    tombstones: list[str] = field(default_factory=list)
    derived: list[str] = field(default_factory=list)


def walk(
    store: Store, count: int = SLICE, *, progress: Progress = unseen, pause: float = 0.0
) -> Iterator[Slice]:
    """All that is there from beginning to end of the walk, in no order; a key may come twice.

    Rests for `pause` seconds after each slice, so that others have their turn.
    """
    with faults_named():
        total, done, start = max(1, store.redis.dbsize()), 0, 0
    while True:
        with faults_named():
            page: Any = store.redis.scan(start, count=count)
        start, names = page
        yield _sorted(store, names)
        done += len(names)
        progress(done / total)
        if start == 0:
            return
        rest(pause)


def rest(seconds: float) -> None:
    """Leaves the servers to others for so long."""
    if seconds:
        time.sleep(seconds)


def read(store: Store, names: Sequence[str]) -> dict[str, Record | None]:
    """The records of those names (`kind:id`), live or in the trash; None where none can be read."""
    found: dict[str, Record | None] = dict.fromkeys(names)
    places = [prefix + name for prefix in (keys.TRASH, keys.LIVE) for name in found]
    for lying in _lying(store, [place.encode() for place in places]):
        found[lying.name] = lying.record or found[lying.name]
    return found


def readable(prefix: str, kind: Kind, number: int, blob: bytes) -> Any:
    """The record in that text, or None if it cannot lie there: broken, another's, or in the wrong place."""
    try:
        record = codec.decode(kind, blob)
        is_whole = codec.version_of(blob) == record.version and shape.flaw(kind, record) is None
    except (ValueError, TypeError, AttributeError):  # no JSON, no such fields, no object
        return None
    is_there = (record.deleted_at is None) == (prefix == keys.LIVE)
    return record if is_whole and is_there and record.id == number else None


def is_list(key: str) -> bool:
    """Whether that key shall hold a sorted set; else it is a hash."""
    return _LISTS.fullmatch(key.encode(errors="surrogateescape")) is not None


def _sorted(store: Store, names: Sequence[bytes]) -> Slice:
    found = Slice()
    wanted: list[bytes] = []
    for name in names:
        if match := _RECORD.fullmatch(name):
            if match[1].decode() == keys.PURGED:
                found.tombstones.append(name.decode().removeprefix(keys.PURGED))
            else:
                wanted.append(name)
        elif _LISTS.fullmatch(name) or _HASHES.fullmatch(name):
            found.derived.append(name.decode(errors="surrogateescape"))
    found.records = _lying(store, wanted)
    return found


def _lying(store: Store, names: Sequence[bytes]) -> list[Lying]:
    if not names:
        return []
    with faults_named():
        blobs: list[Any] = store.redis.mget(names)
    return [_one(name, blob) for name, blob in zip(names, blobs, strict=True) if blob is not None]


def _one(name: bytes, blob: bytes) -> Lying:
    prefix, kind_name, number = (part.decode() for part in _RECORD.fullmatch(name).groups())  # type: ignore[union-attr]
    kind = KINDS[kind_name]
    return Lying(prefix, kind, int(number), blob, readable(prefix, kind, int(number), blob))
