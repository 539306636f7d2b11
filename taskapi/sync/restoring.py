"""Redis anew from PostgreSQL: online, with all that is not there yet kept, or with some of it discarded."""

import time
from collections.abc import Collection
from dataclasses import dataclass
from functools import partial
from typing import Any

from taskapi.db.engine import Connection, Engine
from taskapi.db.journal import REBUILT
from taskapi.domain.errors import Conflict
from taskapi.domain.progress import Progress, part, unseen
from taskapi.domain.records import OWNER_ID
from taskapi.outside.shelf import Shelf
from taskapi.store import keys, staging, unsynced
from taskapi.store.client import Store
from taskapi.store.keys import Fate
from taskapi.store.kinds import CREDENTIAL, USER
from taskapi.sync import discarding, freezing, publishing, rebuilding, turning
from taskapi.sync.admission import admit
from taskapi.sync.backup import back_up
from taskapi.sync.catching_up import catch_up
from taskapi.sync.compare import compare
from taskapi.sync.freezing import Frozen
from taskapi.sync.keeping import BEFORE_RESTORE
from taskapi.sync.turning import POSTGRESQL, Target, Turned, Wish

CATCH_UP_SECONDS = 60.0
MOST_SHOWN = 20

LINES = (*freezing.LINES, "rebuilding.compared", *turning.LINES, *publishing.LINES)
"""Every line at which a test lets a restore die."""


@dataclass(frozen=True, slots=True)
class Discard:
    """Gives up what PostgreSQL does not have yet up to version `up_to`, which must be `confirm` records."""

    confirm: int
    up_to: int


def plan(store: Store, engine: Engine) -> dict[str, Any]:
    """What a rebuild would do, as a report; nothing is changed.

    {unsynced: {count, up_to, records}, differing, missing, room: {used, limit, suffices}}
    """
    waiting, found = unsynced.versions(store), compare(store, engine)
    first = sorted(waiting.items(), key=lambda pair: pair[1])[:MOST_SHOWN]
    records = [{"record": name, "version": version} for name, version in first]
    up_to = max(waiting.values(), default=0)
    return {
        "action": "restore",
        "unsynced": {"count": len(waiting), "up_to": up_to, "records": records},
        "differing": len(found.differing) + len(found.unreadable),
        "missing": len(found.only_postgres),
        "room": room_told(store),
    }


def rebuild(
    store: Store,
    engine: Engine,
    shelf: Shelf,
    progress: Progress = unseen,
    *,
    offline: bool = False,
    discard: Discard | None = None,
) -> dict[str, Any]:
    """Fills Redis anew from PostgreSQL, while it is read; nobody writes meanwhile. Returns a report.

    What PostgreSQL has not yet is carried there first, but for what is discarded; before anything that Redis
    shows is lost, all of it is archived. `offline`: in place, and nothing is answered meanwhile. Raises
    Conflict, Full, Unavailable: before PostgreSQL was asked to commit nothing has happened; after that the
    next admission ends it.
    """
    begun = time.monotonic()
    prepare(store, offline=offline)
    if discard:
        admit(store, engine)
    else:
        catch_up(store, engine, CATCH_UP_SECONDS)
    progress(0.1)
    with freezing.frozen(store, engine, offline=offline) as held:
        archive, turned, carried = _turned(held, engine, shelf, discard, part(progress, 0.1, 0.5))
        fates = publishing.STAYING - ({Fate.SWEEP} if discard else set())
        ended = publishing.end(held, turned, fates, part(progress, 0.5, 1), offline=offline)
    return {
        "action": "restore",
        "epoch": ended.epoch,
        "archive": archive,
        "records": turned.merged.told | {"carried": carried, "placed": ended.placed},
        "offline": ended.offline,
        "duration_ms": round((time.monotonic() - begun) * 1000, 1),
    }


def _turned(
    held: Frozen, engine: Engine, shelf: Shelf, discard: Discard | None, progress: Progress
) -> tuple[str | None, Turned, int]:
    """The archive of what Redis shows if any of that is lost, what was committed, how much was carried."""
    unwanted = _unwanted(held, discard)
    waiting = freezing.waiting(held)
    forced = _together(unwanted, rebuilding.differing(held.store, held.connection, waiting))
    archive = None
    if forced:
        archive = back_up(held.store, engine, shelf, BEFORE_RESTORE, progress, source="redis").id
    carried: list[int] = []

    def load(_: Connection) -> Target:
        carried.append(freezing.carry(held, waiting, unwanted))
        return Target(finish=partial(discarding.require_sound, unwanted))

    with freezing.needed(held, shelf, archive):
        turned = turning.turn(held, Wish(REBUILT, POSTGRESQL, archive, forced), load)
    return archive, turned, sum(carried)


def prepare(store: Store, *, offline: bool) -> None:
    """Raises Full, Conflict or Unavailable if a restore cannot be done here, before anything is done."""
    staging.require_known(store)
    if not offline:
        staging.require_room(store)
        staging.require_place(store)


def room_told(store: Store) -> dict[str, Any]:
    """{used, limit, suffices}, in bytes."""
    room = staging.room(store)
    return {"used": room.used, "limit": room.limit, "suffices": room.suffices}


def _unwanted(held: Frozen, discard: Discard | None) -> frozenset[str]:
    """The `kind:id` that are discarded. Raises Conflict if they are not as many as was confirmed.

    The owner and their password are none of them.
    """
    if discard is None:
        return frozenset()
    found = {name for name, version in unsynced.versions(held.store).items() if version <= discard.up_to}
    if len(found) != discard.confirm:
        raise Conflict(
            f"{len(found)} records up to version {discard.up_to} are not in PostgreSQL,"
            f" not {discard.confirm}. Look at them, and confirm={len(found)}."
        )
    return frozenset(found - {keys.record(kind.name, OWNER_ID) for kind in (USER, CREDENTIAL)})


def _together(names: Collection[str], numbers: dict[str, list[int]]) -> dict[str, list[int]]:
    found = {kind: set(ids) for kind, ids in numbers.items()}
    for name in names:
        kind, _, number = name.partition(":")
        found.setdefault(kind, set()).add(int(number))
    return {kind: sorted(ids) for kind, ids in found.items()}
