"""What lies in the trash, the oldest first."""

from __future__ import annotations

from typing import Any

from taskapi.domain.clock import milliseconds
from taskapi.store import keys
from taskapi.store.client import Store, faults_named


def names(store: Store, before: str, offset: int, count: int) -> list[str]:
    """Records (`kind:id`) that went into the trash before that timestamp, after the first `offset`."""
    with faults_named():
        found: list[Any] = store.redis.zrange(
            keys.TRASHED, "-inf", f"({milliseconds(before)}", byscore=True, offset=offset, num=count
        )
    return [name.decode() for name in found]


def count(store: Store, before: str) -> int:
    """How many there are of them."""
    with faults_named():
        return int(store.redis.zcount(keys.TRASHED, "-inf", f"({milliseconds(before)}"))
