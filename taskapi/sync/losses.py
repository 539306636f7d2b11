"""What is known to be missing after an admission, as ranges of versions.

A flush carries the journal without a gap, and no record ahead of it unless that is changed all the time. So
what PostgreSQL has of a Redis that is gone is everything up to the last line of its journal, and those few.
"""

from collections.abc import Sequence
from typing import Any

from taskapi.db import losses
from taskapi.db.engine import Connection, Engine, transaction
from taskapi.store import dirty, state, syncs
from taskapi.store.client import Store
from taskapi.store.state import EPOCH_SPAN
from taskapi.store.syncs import JOURNAL, POSTGRESQL, REDIS, Loss
from taskapi.sync.judging import Facts, Finding

MOST = 100


def found(store: Store, facts: Facts, finding: Finding) -> list[Loss]:
    """What one of the stores came back without, as far as both tell."""
    if finding is Finding.EMPTY:
        return _lost_by_redis(facts) if facts.highest and not facts.was_closed else []
    if finding is Finding.STALE:
        return _lost_by_redis(facts) if facts.redis_was_ahead and not facts.was_closed else []
    if finding is Finding.WENT_BACK:
        redis = _lost_by_redis(facts) if facts.redis_was_ahead else []
        return [_lost_by_postgresql(facts), *_lost_journal(store, facts), *redis]
    return []


def write(connection: Connection, found: Sequence[Loss]) -> None:
    """Writes them down in PostgreSQL, so that they outlive a Redis that is lost again."""
    losses.put(connection, found)


def every(store: Store, engine: Engine) -> list[Loss]:
    """Whatever either store knows to be lost, the oldest finding first. Raises PostgresAway, Unavailable."""
    with transaction(engine) as connection:
        kept = {_named(loss): loss for loss in _kept(connection)}
    told = [kept.get(_named(loss), loss) for loss in syncs.losses_of(store)]
    places = {(loss.store, loss.above) for loss in told}
    alone = [loss for loss in kept.values() if (loss.store, loss.above) not in places]
    return sorted([*told, *alone], key=lambda loss: (loss.at, loss.above, loss.store))


def see(store: Store, engine: Engine, seen: Sequence[Loss]) -> None:
    """Notes that somebody knows of these, which stay on record."""
    with transaction(engine) as connection:
        losses.put(connection, seen)
        losses.see(connection, seen)


def _kept(connection: Connection) -> list[Loss]:
    return [Loss(**row) for row in losses.newest(connection, MOST)]


def _named(loss: Loss) -> tuple[Any, ...]:
    return loss.store, loss.above, loss.up_to, loss.healed


def bring_back(store: Store, connection: Connection) -> None:
    """Tells Redis what was found lost before it was lost itself."""
    known = _kept(connection)
    connection.commit()
    syncs.recall_losses(store, known)


def _lost_by_redis(facts: Facts) -> list[Loss]:
    """All after what PostgreSQL and Redis have without a gap, but for the records that are ahead of it."""
    gaps, after = [], facts.whole
    for version in facts.ahead:
        if version > after + 1:
            gaps.append(Loss(REDIS, after, version - 1))
        after = version
    return [*gaps, Loss(REDIS, after, None)]


def _lost_by_postgresql(facts: Facts) -> Loss:
    settled = facts.redis.settled
    return Loss(POSTGRESQL, min(facts.highest, facts.last_entry, settled), settled, healed=True)


def _lost_journal(store: Store, facts: Facts) -> list[Loss]:
    entries = dirty.journal(store, facts.last_entry, 1)
    last = _before(store, entries[0].version) if entries else facts.redis.version
    return [Loss(JOURNAL, facts.last_entry, last)] if last > facts.last_entry else []


def _before(store: Store, version: int) -> int:
    """The version given before that one: the first of an epoch follows what was left of those before."""
    epoch, number = divmod(version, EPOCH_SPAN)
    return state.recovered(store).get(epoch, version - 1) if number == 1 else version - 1
