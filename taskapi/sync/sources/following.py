"""Changes in Redis, followed by the journal until there is nothing more: then the spool is of that moment."""

from collections.abc import Callable
from dataclasses import dataclass

from taskapi.domain import failpoints
from taskapi.store.client import Store
from taskapi.store.harvest import Harvest, harvest
from taskapi.sync.errors import Overtaken
from taskapi.sync.sources.spool import Spool

ATTEMPTS = 5


@dataclass(slots=True)
class Following:
    """Begun at `start`; the journal was read up to `after`. Its entries up to `known` are not wanted."""

    store: Store
    spool: Spool
    start: Harvest
    after: int
    known: int

    def step(self) -> Harvest:
        """Puts the next changes into the spool. Raises Overtaken if some of them cannot be known any more."""
        now = harvest(self.store, self.after, self.start.version)
        if now.epoch != self.start.epoch or now.first > self.after + 1:
            raise Overtaken("Redis has moved on faster than it could be read. Try again in a moment.")
        self.spool.put_entries(entry for entry in now.entries if entry.version > self.known)
        self.spool.put(now.records)
        if now.entries:
            self.after = now.entries[-1].version
        failpoints.reach("following.stepped")
        return now

    def to_the_end(self) -> Harvest:
        """All changes until now."""
        while not (now := self.step()).is_end:
            pass
        return now


def look(store: Store) -> Harvest:
    """Redis as it is before anything of it is read."""
    return harvest(store, 0, entries=0)


def follow(store: Store, spool: Spool, start: Harvest, known: int = 0) -> Following:
    """From the first entry of the journal above `known`, or from the start, if that was before."""
    after = max(min(known, start.version), start.first - 1) if start.first else start.version
    return Following(store, spool, start, after, known)


def again(attempt: Callable[[], Harvest]) -> Harvest:
    """What it returns, tried some times more while it was overtaken."""
    for _ in range(ATTEMPTS - 1):
        try:
            return attempt()
        except Overtaken:
            continue
    return attempt()
