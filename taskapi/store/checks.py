"""What a Redis says about itself: whether it keeps what it acknowledges, and how much room it has."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from redis.exceptions import ResponseError

from taskapi.store import keys
from taskapi.store.client import Store, faults_named

WANTED = {"appendonly": "yes", "appendfsync": "always", "maxmemory-policy": "noeviction"}


@dataclass(frozen=True, slots=True)
class Room:
    """Memory in bytes; `limit` is None without one."""

    used: int
    limit: int | None


def ping(store: Store) -> None:
    """Raises Unavailable unless it answers."""
    with faults_named():
        store.redis.ping()


def unsafe_settings(store: Store) -> dict[str, str]:
    """Settings with which it may lose what it acknowledged, as they are; "unknown" where it does not say."""
    with faults_named():
        try:
            found: Any = store.redis.config_get(*WANTED)
        except ResponseError:  # a managed Redis does not show its settings
            found = {}
    told = {_text(name): _text(value) for name, value in found.items()}
    return {name: told.get(name, "unknown") for name, value in WANTED.items() if told.get(name) != value}


def room(store: Store) -> Room:
    """How much memory it uses and may use."""
    with faults_named():
        info: Any = store.redis.info("memory")
    return Room(int(info["used_memory"]), int(info.get("maxmemory", 0)) or None)


def record_counts(store: Store) -> dict[str, int]:
    """How many live records of each kind that people count there are."""
    with faults_named():
        pipe = store.redis.pipeline(transaction=False)
        pipe.zcard(keys.USERS)
        pipe.zcard(keys.GROUPS)
        pipe.hvals(keys.spread("users"))
        users, groups, tasks = pipe.execute()
    return {"users": users, "groups": groups, "tasks": sum(int(count) for count in tasks)}


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)
