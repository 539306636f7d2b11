"""What the last comparison with repair came to, kept beside the data for the status."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from taskapi.store import keys
from taskapi.store.client import Store, faults_named

_FIELD = "last_compare"


def note(store: Store, summary: Mapping[str, Any]) -> None:
    """Notes it; it takes the place of the one before."""
    with faults_named():
        store.redis.hset(keys.SYNC, _FIELD, orjson.dumps(dict(summary)))


def last(store: Store) -> dict[str, Any] | None:
    """{at, equal, sound, exact, repaired, left}, the last two as numbers; None before the first."""
    with faults_named():
        found: Any = store.redis.hget(keys.SYNC, _FIELD)
    return None if found is None else dict(orjson.loads(found))
