"""What a Redis says about itself: whether it answers, how much room it has, how many records it holds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from taskapi.store import keys
from taskapi.store.client import Store, faults_named


@dataclass(frozen=True, slots=True)
class Room:
    """Memory in bytes, counted as Redis does before it refuses; `limit` is None if it does not tell one.

    `rewrite` is what the next rewrite of the append-only file may take on the disk besides what is there.
    """

    used: int
    limit: int | None
    rewrite: int = 0


def ping(store: Store) -> None:
    """Raises Unavailable unless it answers."""
    with faults_named():
        store.redis.ping()


def room(store: Store) -> Room:
    """How much memory it uses and may use: up to maxmemory, and never more than the machine has."""
    with faults_named():
        info: Any = store.redis.info("memory", "persistence")
    used = int(info["used_memory"]) - int(info.get("mem_not_counted_for_evict", 0))
    limits = [int(info.get(name, 0)) for name in ("maxmemory", "total_system_memory")]
    rewrite = min(used, int(info.get("aof_current_size", 0)))
    return Room(used, min((limit for limit in limits if limit), default=None), rewrite)


def record_counts(store: Store) -> dict[str, int]:
    """How many live records of each kind that people count there are."""
    with faults_named():
        pipe = store.redis.pipeline(transaction=False)
        pipe.zcard(keys.USERS)
        pipe.zcard(keys.GROUPS)
        pipe.hvals(keys.spread("users"))
        users, groups, tasks = pipe.execute()
    return {"users": users, "groups": groups, "tasks": sum(int(count) for count in tasks)}
