"""What lies in Redis, record by record: for admission, comparison and checks."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from taskapi.domain.records import Record
from taskapi.store import codec, keys
from taskapi.store.client import Store, faults_named
from taskapi.store.kinds import KINDS, Kind


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
