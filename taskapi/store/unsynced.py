"""What PostgreSQL does not have as it is, name by name: what is dirty, and what it has refused."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from taskapi.store import keys, quarantine
from taskapi.store.client import Store, faults_named
from taskapi.store.dirty import Mark

SLICE = 1000


def versions(store: Store) -> dict[str, int]:
    """Every `kind:id` that waits for PostgreSQL, with its version."""
    refused = quarantine.names(store)
    found: dict[str, int] = {}
    for start in range(0, len(refused), SLICE):
        found |= {each.name: each.version for each in quarantine.some(store, refused[start : start + SLICE])}
    with faults_named():
        marks: Any = store.redis.zscan_iter(keys.DIRTY, count=SLICE)
        return found | {name.decode(): int(version) for name, version in marks}


def marks(store: Store, names: Sequence[str], known: Mapping[str, int]) -> list[Mark]:
    """These records as they lie in Redis, each in the version that is known of it."""
    places = [prefix + name for name in names for prefix in (keys.LIVE, keys.TRASH, keys.PURGED)]
    with faults_named():
        blobs: Any = store.redis.mget(places) if places else []
    texts = [next(filter(None, blobs[start : start + 3]), b"") for start in range(0, len(blobs), 3)]
    return [_mark(name, known[name], text) for name, text in zip(names, texts, strict=True)]


def _mark(name: str, version: int, blob: bytes) -> Mark:
    kind, _, number = name.partition(":")
    return Mark(kind, int(number), version, blob)
