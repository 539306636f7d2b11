"""Going back to a backup: a change like any other, in which all that differs gets a new version."""

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from taskapi.db import journal, locks, merging, meta, refused, scratch
from taskapi.db.engine import Connection, Engine, transaction, trial, unhurried
from taskapi.db.journal import GONE_BACK, UNDONE
from taskapi.db.merging import Merged
from taskapi.db.refused import Refused
from taskapi.db.schema import RECORDS
from taskapi.domain import failpoints
from taskapi.domain.errors import Conflict
from taskapi.domain.progress import Progress, part, unseen
from taskapi.outside.shelf import Shelf
from taskapi.store.client import Store
from taskapi.sync import freezing, publishing, turning
from taskapi.sync.backup import Backup, back_up, find, loaded
from taskapi.sync.catching_up import catch_up
from taskapi.sync.errors import Broken
from taskapi.sync.freezing import Frozen
from taskapi.sync.keeping import BEFORE_RESTORE
from taskapi.sync.restoring import CATCH_UP_SECONDS, prepare, room_told
from taskapi.sync.turning import POSTGRESQL, Target, Wish

LINES = (*freezing.LINES, "going_back.archived", "loading.put", *turning.LINES, *publishing.LINES)
"""Every line at which a test lets it die."""

_ANOTHERS = "This backup is of another installation, and here are records already."
_NEWER = (
    "This backup is of another installation, from after what was taken over from there, and here records were"
    " written since: both may have given the same ids."
)
_ANEW = (
    "Restore it into a new one: with another TASKAPI_HOME,"
    " or with an empty database at DATABASE_URL and at REDIS_URL."
)
_VERSION = re.compile(rb'"version":\d+\}$')


def plan_backup(store: Store, engine: Engine, shelf: Shelf, backup_id: str) -> dict[str, Any]:
    """What going back would do, as a report: {records: {changed | created | removed: {kinds: count}}, room}.

    Everything is tried in PostgreSQL, and taken back. Raises what `go_back` raises.
    """
    with _held(engine, shelf, backup_id) as backup:
        catch_up(store, engine, CATCH_UP_SECONDS)
        merged = _weighed(engine, shelf, backup)
    return {"action": "restore", "target": backup.id, "records": merged.told, "room": room_told(store)}


def _weighed(engine: Engine, shelf: Shelf, backup: Backup) -> Merged:
    with trial(engine) as connection:
        unhurried(connection)
        _is_anothers(connection, backup)
        with loaded(connection, shelf, backup.id):
            return merging.weigh(connection, scratch.SCHEMA, _refused(connection))


def go_back(
    store: Store,
    engine: Engine,
    shelf: Shelf,
    backup_id: str,
    progress: Progress = unseen,
    *,
    offline: bool = False,
) -> dict[str, Any]:
    """Makes the records what they were in that backup, while they are read; nobody writes meanwhile.

    The present is archived first; sessions end; ids and versions never go back, and the owner's own password
    stays. A backup of another installation takes the place of nothing but the owner, or is older than one
    that did. Returns a report. Raises NotFound, Broken, Conflict, Full, Unavailable: before PostgreSQL was
    asked to commit nothing has happened; after that the next admission ends it.
    """
    with _held(engine, shelf, backup_id) as backup:
        way = _Way(store, engine, shelf, backup, GONE_BACK, offline)
        return {"action": "restore"} | _went_back(way, progress)


def undo(
    store: Store, engine: Engine, shelf: Shelf, progress: Progress = unseen, *, offline: bool = False
) -> dict[str, Any]:
    """Goes back to what the last restore has replaced; undone again, it leads to where it began.

    Raises Conflict if no restore has replaced anything, and what `go_back` raises.
    """
    with transaction(engine) as connection:
        last = journal.last_restore(connection, archived=True)
    if last is None or last.archive is None:
        raise Conflict("There is no restore to take back: none has replaced anything.")
    with _held(engine, shelf, last.archive) as backup:
        way = _Way(store, engine, shelf, backup, UNDONE, offline)
        return {"action": "undo"} | _went_back(way, progress)


@dataclass(frozen=True, slots=True)
class _Way:
    store: Store
    engine: Engine
    shelf: Shelf
    backup: Backup
    action: str
    offline: bool


@contextmanager
def _held(engine: Engine, shelf: Shelf, backup_id: str) -> Iterator[Backup]:
    """That backup, which nobody deletes until the block ends. Raises NotFound, Broken."""
    with locks.backups_used(engine):
        backup = find(shelf, backup_id)
        if backup.flaw:
            raise Broken(f"The backup {backup.id} is broken: {backup.flaw}")
        yield backup


def _went_back(way: _Way, progress: Progress) -> dict[str, Any]:
    begun = time.monotonic()
    prepare(way.store, offline=way.offline)
    catch_up(way.store, way.engine, CATCH_UP_SECONDS)
    progress(0.1)
    with freezing.frozen(way.store, way.engine, offline=way.offline) as held:
        waiting = freezing.waiting(held)
        with transaction(held.connection) as connection:
            freezing.carry(held, waiting)
            is_anothers, forced = _is_anothers(connection, way.backup), _refused(connection)
        kept = _archived(way, held, part(progress, 0.1, 0.4))
        load = partial(_loaded, way, is_anothers, part(progress, 0.4, 0.7))
        with freezing.needed(held, way.shelf, kept):
            turned = turning.turn(held, Wish(way.action, way.backup.id, kept, forced), load)
        fates = publishing.BEGINNING if is_anothers else publishing.GOING_BACK
        ended = publishing.end(held, turned, fates, part(progress, 0.7, 1), offline=way.offline)
    return {
        "epoch": ended.epoch,
        "target": way.backup.id,
        "archive": kept,
        "records": turned.merged.told | {"placed": ended.placed},
        "offline": ended.offline,
        "duration_ms": round((time.monotonic() - begun) * 1000, 1),
    }


def _archived(way: _Way, held: Frozen, progress: Progress) -> str:
    """The present as a backup; its id."""
    connection = held.connection
    present = back_up(
        way.store, way.engine, way.shelf, BEFORE_RESTORE, progress, source=POSTGRESQL, connection=connection
    )
    failpoints.reach("going_back.archived")
    return present.id


def _is_anothers(connection: Connection, backup: Backup) -> bool:
    """Whether it takes another installation over; raises Conflict if this one has gone its own way already.

    What was taken over before is this one's own history, up to where it was then.
    """
    found = meta.installation(connection)
    if found and found.incarnation == backup.incarnation:
        return False
    known = journal.taken_over(connection, backup.incarnation)
    if known and backup.version <= known.version:
        return False
    if not (merging.is_untouched(connection, known.since) if known else merging.is_fresh(connection)):
        raise Conflict(f"{_NEWER if known else _ANOTHERS} {_ANEW}")
    return True


def _loaded(way: _Way, is_anothers: bool, progress: Progress, connection: Connection) -> Target:
    backup = way.backup
    with loaded(connection, way.shelf, backup.id, progress):
        merging.take_journal(connection, scratch.SCHEMA, instead=is_anothers)
        with scratch.inside(connection):
            apart = [row for kind in RECORDS for row in refused.every(connection, kind)]
    anothers = (backup.incarnation, backup.version) if is_anothers else None
    return Target(scratch.SCHEMA, backup.epoch, backup.ids, anothers, partial(_put, apart))


def _put(apart: list[Refused], connection: Connection, last: int) -> int:
    """What PostgreSQL had refused then is refused still, each as a new version; returns the last of them."""
    renewed = [
        replace(row, version=version, record=_VERSION.sub(b'"version":%d}' % version, row.record))
        for version, row in enumerate(apart, last + 1)
    ]
    refused.put(connection, renewed)
    return last + len(renewed)


def _refused(connection: Connection) -> dict[str, list[int]]:
    """What Redis has newer than the mirrors will ever have: it must get a version above that."""
    return {kind: [row.record_id for row in refused.every(connection, kind)] for kind in RECORDS}
