"""Whether the data Redis keeps what it acknowledges: its settings, its log, who may take its place."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from redis.exceptions import ResponseError

from taskapi.domain.errors import Unavailable
from taskapi.store.client import Store, faults_named

WANTED = {
    "appendonly": "yes",
    "appendfsync": "always",
    "no-appendfsync-on-rewrite": "no",
    "maxmemory-policy": "noeviction",
}
EVICTION = "maxmemory-policy"
UNKNOWN = "unknown"
LOOPBACK = ("127.0.0.1", "::1", "localhost")
SENTINELS = "__sentinel__:hello"


@dataclass(frozen=True, slots=True)
class Flaw:
    """Something that is not as it should be, and what to `do` about it.

    `is_risk`: what was acknowledged may be lost because of it.
    """

    what: str
    is_now: str
    should_be: str
    do: str
    is_risk: bool = False

    def __str__(self) -> str:
        return f"{self.do} (it is {self.is_now})"

    def told(self) -> dict[str, str]:
        """As the owner sees it."""
        return {"what": self.what, "is": self.is_now, "should_be": self.should_be, "do": self.do}


def require_safe(store: Store) -> None:
    """Raises Unavailable, with what to set, if it may lose what it has acknowledged."""
    if risks := [flaw for flaw in flaws(store) if flaw.is_risk]:
        raise Unavailable(sentence(risks))


def sentence(risks: Sequence[Flaw]) -> str:
    """What is wrong with the data Redis, and what to do."""
    each = ", ".join(str(flaw) for flaw in risks)
    return f"Redis may lose what it has acknowledged: {each}, or set DURABILITY=postgres."


def flaws(store: Store) -> list[Flaw]:
    """All that is wrong with how it keeps its data, what it does not tell included: nothing proves it."""
    with faults_named():
        info: Any = store.redis.info("memory", "persistence", "replication", "cluster")
        settings = _told(info) | _settings(store, *WANTED)
        watchers = _watchers(store)
    return [*_of_settings(settings), *_of_log(info), *_of_standing(info, watchers)]


def folder(store: Store) -> Path | None:
    """Where it writes, if that is on this machine and can be seen."""
    if not _is_here(store):
        return None
    with faults_named():
        told = _settings(store, "dir", "appenddirname")
    path, log = told.get("dir", ""), told.get("appenddirname", "")
    return Path(path) if path and os.path.isdir(Path(path, log)) else None


def _settings(store: Store, *names: str) -> dict[str, str]:
    try:
        found: Any = store.redis.config_get(*names)
    except ResponseError:  # a managed Redis does not show its settings
        return {}
    return {_text(name): _text(value) for name, value in found.items()}


def _told(info: Mapping[str, Any]) -> dict[str, str]:
    """The two settings of which it tells also where it hides the others."""
    log = "yes" if info["aof_enabled"] else "no"
    return {"appendonly": log, EVICTION: str(info["maxmemory_policy"])}


def _watchers(store: Store) -> int:
    """How many Sentinels listen to it; they alone use that channel."""
    try:
        counts: Any = store.redis.pubsub_numsub(SENTINELS)
    except ResponseError:
        return 0
    return sum(int(count) for _, count in counts)


def _of_settings(settings: Mapping[str, str]) -> list[Flaw]:
    return [
        Flaw(name, settings.get(name, UNKNOWN), value, f"set {name} {value}", is_risk=True)
        for name, value in WANTED.items()
        if settings.get(name) != value
    ]


def _of_log(info: Mapping[str, Any]) -> list[Flaw]:
    """The append-only file itself: whether it was written, and made short again."""
    if not info["aof_enabled"]:
        return []
    mend = "mend what keeps Redis from {} its append-only file: its log tells more"
    states = (("aof_last_write_status", "writing", True), ("aof_last_bgrewrite_status", "rewriting", False))
    return [
        Flaw(name, str(info[name]), "ok", mend.format(doing), is_risk)
        for name, doing, is_risk in states
        if info[name] != "ok"
    ]


def _of_standing(info: Mapping[str, Any], watchers: int) -> list[Flaw]:
    """Another server may take its place, and would not have the last writes."""
    replicas = sum(
        1 for name, one in info.items() if name.startswith("slave") and _is_online(one)
    )  # one that copies for a backup never is
    found = []
    if info["role"] != "master":
        found.append(Flaw("role", "a replica", "the primary", "give taskapi the primary", is_risk=True))
    if info.get("cluster_enabled"):
        do = "give taskapi a Redis that is no cluster"
        found.append(Flaw("cluster", "a cluster", "a single primary", do, is_risk=True))
    if replicas or watchers:
        is_now = f"followed by {replicas} replicas and watched by {watchers} Sentinels"
        do = "let no other server take its place"
        found.append(Flaw("replication", is_now, "on its own", do, is_risk=True))
    return found


def _is_online(replica: Any) -> bool:
    return isinstance(replica, dict) and replica.get("state") == "online"


def _is_here(store: Store) -> bool:
    to = store.redis.connection_pool.connection_kwargs
    return "path" in to or to.get("host", "localhost") in LOOPBACK


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)
