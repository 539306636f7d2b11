"""What Redis has of a record at one moment: its text, its tombstone, and whether it waits for PostgreSQL."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from taskapi.store import keys, walking
from taskapi.store.client import Store, faults_named
from taskapi.store.kinds import Kind


@dataclass(frozen=True, slots=True)
class Held:
    """`blob` lies under `prefix`, and is None if there is none; `mark` is the version that is dirty.

    `tombstone` is that of a record which was just purged, `is_apart` whether PostgreSQL has refused it.
    """

    kind: Kind
    id: int
    prefix: str
    blob: bytes | None
    tombstone: bytes | None
    mark: int | None
    is_apart: bool

    @property
    def record(self) -> Any:
        """The record, if there is one that can be read."""
        return None if self.blob is None else walking.readable(self.prefix, self.kind, self.id, self.blob)

    @property
    def version(self) -> int:
        """Its version; 0 without one that can be read."""
        record = self.record
        return 0 if record is None else int(record.version)

    @property
    def is_waiting(self) -> bool:
        """Whether the next flush carries it, or it lies in quarantine."""
        return self.mark is not None or self.is_apart


def held(store: Store, kind: Kind, ids: Sequence[int]) -> list[Held]:
    """All of them at one moment, in the same order."""
    if not ids:
        return []
    names = [keys.record(kind.name, number) for number in ids]
    with faults_named():
        pipe = store.redis.pipeline(transaction=True)
        for prefix in (keys.LIVE, keys.TRASH, keys.PURGED):
            pipe.mget([prefix + name for name in names])
        pipe.zmscore(keys.DIRTY, names)
        pipe.hmget(keys.QUARANTINE, names)
        columns: Any = pipe.execute()
    return [_one(kind, *row) for row in zip(ids, *columns, strict=True)]


def _one(kind: Kind, number: int, live: Any, trash: Any, tombstone: Any, mark: Any, apart: Any) -> Held:
    prefix, blob = (keys.LIVE, live) if live is not None else (keys.TRASH, trash)
    return Held(kind, number, prefix, blob, tombstone, None if mark is None else int(mark), apart is not None)
