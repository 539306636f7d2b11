"""What an admission finds: both stores' account of themselves, and what follows from it."""

import uuid
from dataclasses import dataclass, field, replace
from enum import StrEnum

from taskapi.db import journal, meta, rows
from taskapi.db.engine import Connection
from taskapi.db.journal import Restored
from taskapi.db.meta import Installation
from taskapi.domain.records import OWNER_ID
from taskapi.store import state
from taskapi.store.client import Store
from taskapi.store.kinds import USER
from taskapi.store.state import EPOCH_SPAN, EPOCHS_KEPT, State
from taskapi.sync.errors import Foreign


class Finding(StrEnum):
    """What became of the two stores since they last served together."""

    READY = "ready"
    FIRST = "first"
    CLEAN = "clean"
    UNCLEAN = "unclean"
    EMPTY = "empty"
    STALE = "stale"
    WENT_BACK = "went back"


MOST_GAPS = 50
"""So many records ahead of the others are told apart from what is lost around them."""


@dataclass(frozen=True, slots=True)
class Facts:
    """Both stores as they are found, under the lock that keeps everybody else out.

    `highest` is the highest version in PostgreSQL, `last_entry` that of its journal, `highest_ids`
    has the highest id of each kind there. `recovered` says of each epoch that Redis does not know to
    have been opened, the one that may come included, which version below it is the highest of both.
    `last_change` is the last journal entry that tells of a record, `restored` the last restore.
    `ahead` are versions of records in PostgreSQL that are above all that either store has without a gap:
    the lowest, and the highest. `redis_was_ahead` says that PostgreSQL has what Redis has once had.
    """

    redis: State
    postgres: Installation | None
    highest: int
    last_entry: int
    leases: dict[str, int]
    highest_ids: dict[str, int]
    recovered: dict[int, int]
    last_change: int = 0
    restored: Restored | None = None
    newborn: str = field(default_factory=lambda: str(uuid.uuid4()))
    ahead: tuple[int, ...] = ()
    redis_was_ahead: bool = False

    @property
    def incarnation(self) -> str:
        """The installation that both belong to, a new one if neither belongs to any."""
        known = self.postgres.incarnation if self.postgres else self.redis.incarnation
        return known or self.newborn

    @property
    def epoch(self) -> int:
        """The highest epoch that either store was ever in."""
        by_version = max(self.highest, self.redis.version) // EPOCH_SPAN
        return max(self.redis.epoch, self.postgres.epoch if self.postgres else 0, by_version)

    @property
    def whole(self) -> int:
        """The highest version up to which one of the stores has all there was."""
        return max(self.last_entry, self.redis.version)

    @property
    def was_closed(self) -> bool:
        """Whether PostgreSQL had everything when Redis was closed, and nothing was written since."""
        closed = self.postgres.closed if self.postgres else None
        return closed is not None and bool(closed.get("whole", closed["version"] <= self.highest))

    @property
    def goes_on(self) -> bool:
        """Whether Redis is as the clean stop has left it."""
        closed = self.postgres.closed if self.postgres else None
        return closed is not None and closed | self.redis.fingerprint() == closed

    @property
    def redis_is_older(self) -> bool:
        """Whether PostgreSQL has something that Redis has never known, or does not know any more."""
        epoch = self.postgres.epoch if self.postgres else 0
        return epoch > self.redis.epoch or self.highest > self.redis.version

    @property
    def unfinished(self) -> Restored | None:
        """The restore that has frozen this very Redis, and was committed, but not carried out here.

        PostgreSQL has all of this Redis then: it was carried before.
        """
        last, redis = self.restored, self.redis
        is_its = last and last.operation == redis.restorer and last.version > redis.version
        return last if is_its else None

    def ids_kept(self) -> dict[str, tuple[int, int]]:
        """Ids that go on without a gap."""
        return {
            kind: (max(last, _named(kind)), self._held(kind)) for kind, (last, _) in self.redis.ids.items()
        }

    def ids_jumped(self) -> dict[str, tuple[int, int]]:
        """Ids that go on above everything that may have been given."""
        sizes = {kind.name: kind.lease for kind in state.leased()}
        return {kind: (self._held(kind), self._held(kind) + size) for kind, size in sizes.items()}

    def _held(self, kind: str) -> int:
        return max(*self.redis.ids[kind], self.leases.get(kind, 0), self.highest_ids[kind], _named(kind))


def _named(kind: str) -> int:
    """The last id that is never given but named: user 1 is the owner, whoever registers first."""
    return OWNER_ID if kind == USER.name else 0


def look(store: Store, connection: Connection) -> Facts:
    """Both stores now."""
    facts = Facts(
        state.look(store),
        meta.installation(connection),
        rows.highest_version(connection),
        journal.last_version(connection),
        meta.leases(connection),
        rows.highest_ids(connection),
        {},
        journal.last_change(connection),
        journal.last_restore(connection),
    )
    ahead = rows.versions_above(connection, facts.whole, MOST_GAPS)
    was_ahead = facts.unfinished is None and (bool(ahead) or facts.last_change > facts.redis.version)
    recovered = _recovered(connection, facts)
    connection.commit()
    return replace(facts, recovered=recovered, ahead=tuple(ahead), redis_was_ahead=was_ahead)


def _recovered(connection: Connection, facts: Facts) -> dict[int, int]:
    """Read from what there is: Redis may have lost the account that it kept."""
    coming = facts.epoch + 1
    missing = range(max(facts.redis.epoch + 1, coming + 1 - EPOCHS_KEPT), coming + 1)
    bounds = [epoch * EPOCH_SPAN for epoch in missing]
    in_redis = facts.redis.version
    return {
        epoch: max(version, in_redis if in_redis < bound else 0)
        for epoch, bound, version in zip(missing, bounds, rows.highest_below(connection, bounds), strict=True)
    }


def judge(facts: Facts) -> Finding:
    """What to do; raises Foreign if the two do not belong together."""
    require_kin(facts)
    if facts.redis.epoch == 0:
        return Finding.EMPTY if facts.postgres else Finding.FIRST
    if facts.postgres is None or _went_back(facts, facts.postgres):
        return Finding.WENT_BACK
    if facts.redis_is_older:
        return Finding.STALE
    return Finding.CLEAN if facts.goes_on else Finding.UNCLEAN


def require_kin(facts: Facts) -> None:
    """Raises Foreign, with what to do, if one of the stores is somebody else's."""
    if not facts.redis.incarnation and not facts.redis.is_bare:
        raise Foreign(
            "Redis holds keys of another program: give taskapi an empty Redis (or database) of its own."
        )
    if facts.postgres is None and facts.highest:
        raise Foreign(
            "PostgreSQL has records but does not say whose (its table meta is empty): restore it whole."
        )
    if facts.redis.incarnation and facts.postgres and facts.redis.incarnation != facts.postgres.incarnation:
        raise Foreign(
            f"Redis belongs to installation {facts.redis.incarnation}, PostgreSQL to"
            f" {facts.postgres.incarnation}: set REDIS_URL and DATABASE_URL to stores of the same one."
        )


def _went_back(facts: Facts, postgres: Installation) -> bool:
    redis = facts.redis
    lacks = facts.highest < redis.settled or facts.last_entry < redis.carried
    return lacks or postgres.epoch < redis.epoch or postgres.commits < redis.commits
