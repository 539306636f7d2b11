"""Who is alive, on the broker Redis: workers by name, and the beat."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from taskapi.store.client import broker_faults_named
from taskapi.store.jobs import Jobs

SEEN = "taskapi:seen"
BEAT = "beat"
FRESH_SECONDS = 30


@dataclass(frozen=True, slots=True)
class Alive:
    """Who was seen in the last half minute."""

    workers: tuple[str, ...]
    beat: bool

    @property
    def is_running(self) -> bool:
        """Whether dirty records are carried without anybody asking."""
        return self.beat and bool(self.workers)


def note(broker: Jobs, *names: str) -> None:
    """These are alive now."""
    now = time.time()
    with broker_faults_named():
        pipe = broker.redis.pipeline(transaction=True)
        pipe.zadd(SEEN, dict.fromkeys(names, now))
        pipe.zremrangebyscore(SEEN, "-inf", now - FRESH_SECONDS)
        pipe.execute()


def alive(broker: Jobs) -> Alive:
    """Who is alive."""
    with broker_faults_named():
        found: Any = broker.redis.zrangebyscore(SEEN, time.time() - FRESH_SECONDS, "+inf")
    names = {name.decode() for name in found}
    return Alive(tuple(sorted(names - {BEAT})), BEAT in names)
