"""The end of a restore: Redis is built from PostgreSQL beside what is read, and put in its place at once."""

from dataclasses import dataclass

import structlog

from taskapi.db import sweeps
from taskapi.domain import failpoints
from taskapi.domain.errors import Conflict, Full
from taskapi.domain.progress import Progress, unseen
from taskapi.store import leaving, staging
from taskapi.store.client import Store
from taskapi.store.keys import Fate
from taskapi.store.staging import Opening
from taskapi.sync import rebuilding, window
from taskapi.sync.admission import admit_alone
from taskapi.sync.freezing import Frozen
from taskapi.sync.turning import Turned

log = structlog.get_logger("taskapi.sync")

LINES = (
    "rebuilding.placed",
    "refusals.put_back",
    "publishing.built",
    "window.refilled",
    "publishing.taken",
    "publishing.swapped",
    "publishing.dropped",
)

STAYING = frozenset({Fate.TAKEN, Fate.JOURNAL, Fate.SESSION, Fate.SWEEP})
"""What is taken along where nothing goes back."""

GOING_BACK = frozenset({Fate.TAKEN, Fate.JOURNAL})
BEGINNING = frozenset({Fate.TAKEN})
"""The journal of another installation takes the place of what little there was: from PostgreSQL."""


@dataclass(frozen=True, slots=True)
class Ended:
    """The epoch in which Redis is open again, how many records it has got, whether it was closed for it."""

    epoch: int
    placed: int
    offline: bool


def end(
    held: Frozen, turned: Turned, fates: frozenset[Fate], progress: Progress = unseen, *, offline: bool
) -> Ended:
    """Opens Redis in the new state: beside what is read, or `offline` in place, and so if room runs out.

    Raises Unavailable if it was overtaken or a store is away: the next admission ends it then.
    """
    if not offline:
        try:
            return Ended(turned.epoch, publish(held, turned, fates, progress), offline=False)
        except (Full, Conflict) as refusal:
            log.warning("cannot build beside; Redis is filled in place", reason=str(refusal))
            staging.drop(held.store, held.token)
    verdict = admit_alone(held.store, held.connection)
    return Ended(verdict.epoch, verdict.placed, offline=True)


def publish(held: Frozen, turned: Turned, fates: frozenset[Fate], progress: Progress = unseen) -> int:
    """Opens Redis in the new epoch; returns how many records it has.

    Raises Unavailable if it was overtaken, Full without room, Conflict if others use the database beside: the
    next admission ends it then.
    """
    store = held.store
    with staging.beside(store) as place:
        placed = rebuilding.fill(place, held.connection)
        failpoints.reach("publishing.built")
        progress(0.8)
        staging.take_along(store, held.token, fates)
        window.refill(place, held.connection, below=turned.entry.version)
        failpoints.reach("publishing.taken")
        begun = {} if Fate.SWEEP in fates else _begun(held, turned, place)
    staging.require_alone(store)
    staging.swap(store, held.token, _opening(turned, begun))
    failpoints.reach("publishing.swapped")
    staging.drop(store, held.token)
    failpoints.reach("publishing.dropped")
    return placed


def _begun(held: Frozen, turned: Turned, place: Store) -> dict[str, str]:
    """What sweeps have to do, by the records; where nothing goes back, with what is known of them."""
    coming_back = sweeps.coming_back(held.connection)
    held.connection.commit()
    return leaving.left_behind(place, coming_back, {} if turned.is_back else leaving.accounts(held.store))


def _opening(turned: Turned, begun: dict[str, str]) -> Opening:
    last = turned.entry.version
    return Opening(turned.epoch, last, last, last, turned.commit, turned.entry, turned.ids, begun)
