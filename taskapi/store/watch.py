"""What the last check of the ground has left on Redis itself, and what it has found to be full."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from taskapi.store import keys
from taskapi.store.client import Store, faults_named, run_unverified


@dataclass(frozen=True, slots=True)
class Sample:
    """Where Redis stood at a moment, in Unix seconds: memory in bytes, the last id of each kind."""

    at: float
    epoch: int
    memory: int
    ids: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Kept:
    """What the last check has left: its report, the samples of the last hour, what is full."""

    report: Mapping[str, Any]
    samples: tuple[Sample, ...]
    full: frozenset[str]


def keep(store: Store, report: Mapping[str, Any], samples: Sequence[Sample], full: frozenset[str]) -> bool:
    """Keeps what a check has found; while anything is `full`, saves are refused but for what makes room.

    False, with nothing written, if this Redis is nobody's yet.
    """
    texts = (orjson.dumps(report), orjson.dumps(samples))
    return bool(run_unverified(store, "ground", *texts, ",".join(sorted(full))))


def kept(store: Store) -> Kept:
    """What the last check has left; nothing before the first."""
    with faults_named():
        pipe = store.redis.pipeline(transaction=False)
        pipe.hmget(keys.GROUND, "report", "samples")
        pipe.hget(keys.META, "full")
        (report, samples), full = pipe.execute()
    rows = orjson.loads(samples or b"[]")
    words = frozenset((full or b"").decode().split(",")) - {""}
    return Kept(orjson.loads(report or b"{}"), tuple(Sample(**row) for row in rows), words)
