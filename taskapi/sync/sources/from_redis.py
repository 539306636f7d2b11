"""All of Redis, for when PostgreSQL is away: with the journal as far as Redis still has it."""

from collections.abc import Iterator
from contextlib import contextmanager

from taskapi.domain import failpoints
from taskapi.domain.progress import Progress
from taskapi.store import walking
from taskapi.store.client import Store
from taskapi.store.harvest import Found, Harvest
from taskapi.store.state import EPOCH_SPAN
from taskapi.sync.lines import SECTIONS, Line
from taskapi.sync.sources import following
from taskapi.sync.sources.spool import Spool, spooled
from taskapi.sync.sources.taken import REDIS, Taken

LINES = ("following.stepped", "from_redis.gathered")


@contextmanager
def taken(store: Store, progress: Progress) -> Iterator[Taken]:
    """Every record as it is at the end of the walk, whoever writes meanwhile. Raises Unavailable, Full."""
    with spooled() as spool:
        end = following.again(lambda: _gathered(store, spool, progress))
        failpoints.reach("from_redis.gathered")
        state = (REDIS, end.incarnation, end.epoch, end.version, end.ceilings)
        yield Taken(*state, spool.total, _lines(spool), _missing(end))


def _gathered(store: Store, spool: Spool, progress: Progress) -> Harvest:
    spool.clear()
    followed = following.follow(store, spool, following.look(store))
    for part in walking.walk(store, progress=progress):
        spool.put(Found(lying.kind, lying.id, lying.blob, lying.record) for lying in part.records)
        followed.step()
    return followed.to_the_end()


def _missing(end: Harvest) -> int:
    """Up to which version lines are missing; 0 if the first that was ever written is there."""
    before = end.first - 1 if end.first else end.version
    return 0 if before == EPOCH_SPAN else before


def _lines(spool: Spool) -> Iterator[Line]:
    for section in SECTIONS:
        yield from spool.lines(section)
