"""Admission: nobody reads or writes a Redis that has restarted until this has compared it with PostgreSQL.

The new epoch is committed to PostgreSQL first, then Redis is opened in it; a flush of an older epoch
is fenced off from then on. Killed at any line, the next admission brings both stores to the same end.
"""

from dataclasses import dataclass

import structlog

from taskapi.db import journal, locks, meta, sweeps
from taskapi.db.engine import Connection, Engine
from taskapi.domain import failpoints
from taskapi.domain.errors import Unavailable
from taskapi.store import leaving, safety, sessions, staging, state, syncs
from taskapi.store.client import Store
from taskapi.store.state import EPOCH_SPAN, State
from taskapi.store.syncs import Loss
from taskapi.sync import judging, losses, rebuilding, recalling, window
from taskapi.sync.judging import Facts, Finding

log = structlog.get_logger("taskapi.sync")

LINES = (
    "admission.locked",
    "admission.judged",
    "admission.begun",
    "rebuilding.wiped",
    "rebuilding.placed",
    "refusals.put_back",
    "window.refilled",
    "admission.resumed",
    "recalling.put_back",
    "admission.recalled",
    "rebuilding.marked",
    "admission.rebuilt",
    "admission.written",
    "admission.committed",
    "admission.opened",
)
"""Every line at which a test lets an admission die."""

_SENTENCES = {
    Finding.READY: "Redis was already admitted.",
    Finding.FIRST: "Both stores are new: a new installation begins.",
    Finding.CLEAN: "The last stop was clean: everything goes on where it was.",
    Finding.UNCLEAN: "The last stop was not clean; nothing is lost. Ids go on above a gap.",
    Finding.EMPTY: "Redis was empty: it was filled from PostgreSQL.",
    Finding.STALE: "Redis was older than PostgreSQL: it has what was newer there; all sessions have ended.",
    Finding.WENT_BACK: "PostgreSQL was older than Redis: what it lacks is dirty again.",
}


@dataclass(frozen=True, slots=True)
class Verdict:
    """What an admission found and did: records placed in Redis, marked dirty, buried in PostgreSQL."""

    finding: Finding
    epoch: int
    placed: int = 0
    marked: int = 0
    buried: int = 0
    losses: tuple[Loss, ...] = ()

    @property
    def sentence(self) -> str:
        """For people."""
        return " ".join([self._done, *(loss.sentence for loss in self.losses)])

    @property
    def _done(self) -> str:
        done = {"placed in Redis": self.placed, "marked dirty": self.marked, "purged": self.buried}
        counts = [
            f"{count} {'record' if count == 1 else 'records'} {what}" for what, count in done.items() if count
        ]
        return f"{_SENTENCES[self.finding]} Epoch {self.epoch}{''.join(f', {each}' for each in counts)}."


@dataclass(frozen=True, slots=True)
class _Rebuilt:
    placed: int = 0
    marked: int = 0
    gone: dict[str, list[int]] | None = None


def admit(store: Store, engine: Engine, *, suspect: bool = False) -> Verdict:
    """Opens Redis, if it is not open, after making sure that nothing is lost or hidden.

    `suspect`: PostgreSQL was found to have gone back, so look even though Redis is open. Raises
    Foreign if the stores do not belong together, PostgresAway, Unavailable; this also where only a safe
    Redis may be opened, and this one may lose what it has acknowledged.
    """
    found = state.look(store)
    if found.is_ready and not suspect:
        _clear_up(store, found)
        return Verdict(Finding.READY, found.epoch)
    if store.safe_only:
        safety.require_safe(store)
    with locks.held_alone(engine, "an admission", patient=not found.is_restoring) as connection:
        failpoints.reach("admission.locked")
        return admit_alone(store, connection)


def admit_alone(store: Store, connection: Connection) -> Verdict:
    """The same for whoever holds the lock, over its connection."""
    facts = judging.look(store, connection)
    finding = judging.judge(facts)
    failpoints.reach("admission.judged")
    if facts.redis.is_ready and finding is not Finding.WENT_BACK:
        return Verdict(Finding.READY, facts.redis.epoch)
    verdict = _admitted(store, connection, facts, finding)
    _clear_up(store, facts.redis)
    say = log.info if finding in (Finding.FIRST, Finding.CLEAN) else log.warning
    say = log.critical if verdict.losses else say
    say("admitted", finding=str(finding), epoch=verdict.epoch, told=verdict.sentence)
    return verdict


def _clear_up(store: Store, found: State) -> None:
    """What a restore that has died has left beside is dropped by whoever comes next."""
    if found.restorer:
        staging.drop(store, found.restorer)


def _admitted(store: Store, connection: Connection, facts: Facts, finding: Finding) -> Verdict:
    incarnation = facts.incarnation
    _require(state.begin(store, facts.redis.run, incarnation, again=facts.redis.is_ready))
    failpoints.reach("admission.begun")
    rebuilt = _rebuild(store, connection, facts, finding)
    losses.bring_back(store, connection)
    found = losses.found(store, facts, finding)
    syncs.record_losses(store, found)
    failpoints.reach("admission.rebuilt")
    epoch = facts.epoch + (finding is not Finding.CLEAN)
    ids = facts.ids_kept() if finding is Finding.CLEAN else facts.ids_jumped()
    losses.write(connection, found)
    buried, commit = _commit(connection, facts, epoch, ids, rebuilt.gone or {})
    failpoints.reach("admission.committed")
    settled = epoch * EPOCH_SPAN if buried else facts.highest
    opened = state.open_for(
        store,
        facts.redis.run,
        incarnation,
        epoch,
        settled,
        ids,
        carried=facts.last_entry,
        commits=commit,
        recovered={each: version for each, version in facts.recovered.items() if each <= epoch},
    )
    failpoints.reach("admission.opened")
    _require(opened)
    return Verdict(finding, epoch, rebuilt.placed, rebuilt.marked, buried, tuple(found))


def _require(same: bool) -> None:
    if not same:
        raise Unavailable("Redis has restarted during its admission. Try again in a moment.")


def _rebuild(store: Store, connection: Connection, facts: Facts, finding: Finding) -> _Rebuilt:
    if finding in (Finding.EMPTY, Finding.STALE):
        placed = _filled(store, connection, facts)
        marked = 0 if finding is Finding.EMPTY else rebuilding.mark(store, connection)
        return _Rebuilt(placed, marked)
    if finding is Finding.WENT_BACK:
        known = facts.redis.version
        placed = _filled(store, connection, facts, known) if facts.redis_is_older else 0
        gone = rebuilding.gone_from_redis(store, connection, known)
        return _Rebuilt(placed, rebuilding.mark(store, connection), gone)
    return _Rebuilt()


def _filled(store: Store, connection: Connection, facts: Facts, known: int = 0) -> int:
    restored = facts.unfinished
    if restored:
        staging.wipe(store, restored.operation)
        failpoints.reach("rebuilding.wiped")
    placed = rebuilding.fill(store, connection, known)
    leaving.resume(store, sweeps.coming_back(connection))
    connection.commit()
    window.refill(store, connection)
    failpoints.reach("admission.resumed")
    recalling.recall(store, connection)
    failpoints.reach("admission.recalled")
    if restored is None or restored.action != journal.REBUILT:
        # An older Redis has sessions again that were ended meanwhile, by a change of password too.
        sessions.end_all(store)
    return placed


def _commit(
    connection: Connection,
    facts: Facts,
    epoch: int,
    ids: dict[str, tuple[int, int]],
    gone: dict[str, list[int]],
) -> tuple[int, int]:
    """The epoch, the leases and the end of the clean stop's record, in one transaction.

    Returns how many records were buried, and the number of the commit.
    """
    commit = meta.admit(connection, facts.incarnation, epoch, facts.redis.commits)
    for kind, (_, ceiling) in sorted(ids.items()):
        meta.lease(connection, kind, ceiling)
    buried = rebuilding.bury(connection, gone, epoch * EPOCH_SPAN)
    failpoints.reach("admission.written")
    connection.commit()
    return buried, commit
