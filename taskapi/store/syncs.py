"""What the flush did last, and what was ever found lost: kept beside the data, for the status."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import structlog

from taskapi.domain.clock import timestamp
from taskapi.domain.errors import Full, Unavailable
from taskapi.store import keys
from taskapi.store.client import Store, faults_named, run, run_unverified

REDIS, POSTGRESQL, JOURNAL = "redis", "postgresql", "journal"
UNKNOWN = "?"

log = structlog.get_logger("taskapi.sync")


@dataclass(frozen=True, slots=True)
class Loss:
    """A store came back without the versions above one, up to another; None: nobody knows yet how many.

    `healed`: the other store had all of it, so that nothing is lost. An empty range: some versions up to
    there were missing, and nothing tells which. `at` is when it was found. `seen`: somebody said to know of
    it, which PostgreSQL alone keeps.
    """

    store: str
    above: int
    up_to: int | None
    healed: bool = False
    at: str = field(default_factory=timestamp)
    seen: bool = False

    @property
    def is_open(self) -> bool:
        """Whether something is lost of which nobody said to know."""
        return not (self.healed or self.seen)

    @property
    def sentence(self) -> str:
        """For people."""
        what = {
            REDIS: "Acknowledged writes are lost",
            POSTGRESQL: "PostgreSQL came back without what Redis has",
            JOURNAL: "Lines of the journal are lost, the records are not",
        }[self.store]
        return f"{what}: {self._range}."

    @property
    def _range(self) -> str:
        if self.up_to is None:
            return f"versions after {self.above}, nobody knows yet how many"
        if self.up_to == self.above:
            return f"some version up to {self.above}"
        return f"versions {self.above + 1} to {self.up_to}"


@dataclass(frozen=True, slots=True)
class SyncHistory:
    """`last_sync` is None before the first. A loss: {store, above, up_to, healed, at}, the oldest first."""

    last_sync: str | None
    sync_count: int
    rows_synced: int
    losses: tuple[dict[str, Any], ...]


def note(store: Store, rows: int) -> None:
    """Notes a flush that went well."""
    run(store, "note", timestamp(), rows)


def record_losses(store: Store, losses: Sequence[Loss]) -> list[Loss]:
    """Writes losses down, open or not: once for each store and lowest version, with the widest range.

    Those that were news are logged as alerts, and returned.
    """
    news = recall_losses(store, losses)
    for loss in news:
        log.critical(loss.sentence, store=loss.store, above=loss.above, up_to=loss.up_to, healed=loss.healed)
    return news


def recall_losses(store: Store, losses: Sequence[Loss]) -> list[Loss]:
    """The same of what was found before: nobody is alerted."""
    if not losses:
        return []
    args = (value for loss in losses for value in _told(loss))
    return [losses[place] for place in run_unverified(store, "losses", *args)]


def heed(store: Store) -> None:
    """After an answer: if another epoch has begun, Redis is told what this process has acknowledged before.

    What it came back without is recorded, with an alert. Never fails: what Redis cannot hear now, it is
    told after the next answer.
    """
    if store.witness.must_tell:
        _testify(store)


def _testify(store: Store) -> None:
    known = store.witness.known()
    try:
        reply = run(store, "witness", timestamp(), *(value for pair in known.items() for value in pair))
    except (Unavailable, Full) as refusal:
        log.warning("what was acknowledged before cannot be compared yet", reason=str(refusal))
        reply = [b"unverified"]
    if reply[0] != b"ok":
        store.witness.doubt()
        return
    epoch, *rows = map(int, reply[1:])
    for left, highest in zip(rows[0::2], rows[1::2], strict=True):
        log.critical(Loss(REDIS, left, highest).sentence, store=REDIS, above=left, up_to=highest)
    store.witness.forget(known, epoch)


def losses_of(store: Store) -> list[Loss]:
    """What was ever found lost, the oldest finding first."""
    with faults_named():
        found: Any = store.redis.hgetall(keys.LOSSES)
    return _losses(found)


def history(store: Store) -> SyncHistory:
    """What was noted so far."""
    with faults_named():
        pipe = store.redis.pipeline(transaction=True)
        pipe.hgetall(keys.SYNC)
        pipe.hgetall(keys.LOSSES)
        found, lost = pipe.execute()
    last = found.get(b"last_sync")
    return SyncHistory(
        None if last is None else last.decode(),
        int(found.get(b"sync_count", 0)),
        int(found.get(b"rows_synced", 0)),
        tuple(asdict(loss) for loss in _losses(lost)),
    )


def _told(loss: Loss) -> tuple[Any, ...]:
    """A loss as the script takes it."""
    up_to = UNKNOWN if loss.up_to is None else loss.up_to
    return loss.store, loss.above, up_to, loss.at, int(loss.healed)


def _losses(found: dict[bytes, bytes]) -> list[Loss]:
    losses = [_loss(*slot.decode().split(), *text.decode().split()) for slot, text in found.items()]
    return sorted(losses, key=lambda loss: (loss.at, loss.above, loss.store))


def _loss(where: str, above: str, up_to: str, at: str, healed: str) -> Loss:
    return Loss(where, int(above), None if up_to == UNKNOWN else int(up_to), healed == "1", at)
