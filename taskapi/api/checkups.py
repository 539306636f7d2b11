"""How the parts of the system are: looked at side by side, each for a short while, and not more than once a
second by one process, however often somebody asks."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as TooLate
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from taskapi.domain.clock import timestamp
from taskapi.domain.deadlines import within
from taskapi.domain.errors import Unavailable
from taskapi.store.heartbeats import Alive

HEALTHY, DEGRADED, UNHEALTHY = "healthy", "degraded", "unhealthy"
PATIENCE_SECONDS = 0.9
FRESH_SECONDS = 1.0
ATTEMPT_SECONDS = 0.8


@dataclass(frozen=True, slots=True)
class Looked:
    """What one check has found; `milliseconds` is None if it did not answer."""

    milliseconds: float | None
    found: Any = None

    @property
    def told(self) -> dict[str, Any]:
        """For everybody, so without a word on where it is or why it is away."""
        return {
            "status": UNHEALTHY if self.milliseconds is None else HEALTHY,
            "latency_ms": self.milliseconds,
        }


@dataclass(slots=True)
class Checkups:
    """The checks of one app: `redis` and `database` raise Unavailable, `broker` too, or says who is alive."""

    redis: Callable[[], object]
    database: Callable[[], object]
    broker: Callable[[], Alive]
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _known: Mapping[str, Any] | None = None
    _stale_at: float = 0.0

    def report(self) -> Mapping[str, Any]:
        """{status, checks, timestamp}, at most a second old. Whoever asks meanwhile gets the same."""
        with self._lock:
            if self._known is None or time.monotonic() >= self._stale_at:
                self._known = self._looked()
                self._stale_at = time.monotonic() + FRESH_SECONDS
            return self._known

    def _looked(self) -> dict[str, Any]:
        checks = {"redis": self.redis, "database": self.database, "broker": self.broker}
        until = time.monotonic() + PATIENCE_SECONDS
        begun = {name: _looker(os.getpid()).submit(_look, check) for name, check in checks.items()}
        done = {name: _awaited(future, until) for name, future in begun.items()}
        told = {name: looked.told for name, looked in done.items()} | {
            "workers": _workers(done["broker"].found)
        }
        return {"status": _overall(told), "checks": told, "timestamp": timestamp()}


def _look(check: Callable[[], object]) -> Looked:
    begun = time.monotonic()
    try:
        with within(ATTEMPT_SECONDS):
            found = check()
    except Unavailable:
        return Looked(None)
    return Looked(round((time.monotonic() - begun) * 1000, 2), found)


def _awaited(future: Future[Looked], until: float) -> Looked:
    try:
        return future.result(max(0.0, until - time.monotonic()))
    except TooLate:
        return Looked(None)


def _workers(alive: Alive | None) -> dict[str, Any]:
    if alive is None:
        return {"status": UNHEALTHY, "workers": None, "beat": None}
    status = HEALTHY if alive.is_running else UNHEALTHY
    return {"status": status, "workers": len(alive.workers), "beat": alive.beat}


def _overall(checks: Mapping[str, Mapping[str, Any]]) -> str:
    """Redis alone is what a request cannot do without."""
    if checks["redis"]["status"] == UNHEALTHY:
        return UNHEALTHY
    return HEALTHY if all(check["status"] == HEALTHY for check in checks.values()) else DEGRADED


@cache
def _looker(_: int) -> ThreadPoolExecutor:
    """That of this process: a fork inherits the threads of its parent by name only."""
    return ThreadPoolExecutor(3, thread_name_prefix="checkup")
