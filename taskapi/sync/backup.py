"""Backups: made while everybody writes, put on a shelf, and good only once restored aside and compared.

A backup is one file, there whole or not at all: whoever dies on the way leaves none, and the next
goes on from nothing.
"""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any

import structlog

from taskapi.db import journal, locks, meta
from taskapi.db.engine import Connection, Engine, connection_of, transaction
from taskapi.db.errors import PostgresAway
from taskapi.domain import failpoints
from taskapi.domain.clock import timestamp
from taskapi.domain.progress import Progress, part, unseen
from taskapi.outside.shelf import Shelf
from taskapi.store.client import Store
from taskapi.sync import archive, keeping, loading, retaining
from taskapi.sync.archive import About, Archive, open_whole
from taskapi.sync.catching_up import catch_up
from taskapi.sync.errors import Broken
from taskapi.sync.keeping import Backup, backups, find
from taskapi.sync.lines import Line, Tallies
from taskapi.sync.loading import Loaded
from taskapi.sync.sources import from_postgres, from_redis
from taskapi.sync.sources.taken import POSTGRESQL, REDIS, Taken

__all__ = ["Backup", "back_up", "backups", "find", "loaded", "retain", "verify", "verify_pending"]

log = structlog.get_logger("taskapi.sync")

CATCH_UP_SECONDS = 30.0
LINES = (
    "backup.caught_up",
    *from_postgres.LINES,
    *from_redis.LINES,
    "backup.taken",
    "backup.written",
    "backup.kept",
    "backup.whole",
    "loading.put",
    "backup.loaded",
    "backup.compared",
    "backup.verified",
    "keeping.noted",
)
"""Every line at which a test lets a backup die."""


def back_up(
    store: Store,
    engine: Engine,
    shelf: Shelf,
    reason: str = "asked",
    progress: Progress = unseen,
    *,
    source: str | None = None,
    connection: Connection | None = None,
) -> Backup:
    """Keeps all that was acknowledged until now, as it was at one moment; verified if PostgreSQL is there.

    `source`: "postgresql", or "redis" alone; by itself it is PostgreSQL after a flush, with what Redis has
    newer, and Redis while PostgreSQL is away. `connection`: in no transaction, of somebody who keeps
    everybody else out and has carried everything. Raises Unavailable, Full, Broken if it is not good.
    """
    progress(0)
    wish = _Wish(store, engine, shelf, reason, connection)
    made = _made(wish, source, part(progress, 0, 0.5))
    try:
        return verify(engine, shelf, made, part(progress, 0.5, 1))
    except PostgresAway as away:
        log.warning("backup not verified", backup=made, reason=str(away))
        return find(shelf, made)


def verify(engine: Engine, shelf: Shelf, backup_id: str, progress: Progress = unseen) -> Backup:
    """Reads every byte of it, restores it aside and compares: from now on it is good.

    Raises Broken with what differs, and it is not good any more; NotFound, Unavailable.
    """
    with shelf.opened(keeping.file_of(backup_id)) as file:
        try:
            whole = _opened(file, backup_id, part(progress, 0, 0.1))
            failpoints.reach("backup.whole")
            with transaction(engine) as connection:
                found = loading.load(connection, whole, part(progress, 0.1, 0.7))
                failpoints.reach("backup.loaded")
                _compare(found, part(progress, 0.7, 1))
        except Broken as broken:
            log.error("backup is broken", backup=backup_id, reason=str(broken))  # noqa: TRY400 - it is no crash
            keeping.note_broken(shelf, backup_id, str(broken))
            raise
        failpoints.reach("backup.verified")
        keeping.note_good(shelf, whole)
    progress(1)
    return find(shelf, backup_id)


def verify_pending(engine: Engine, shelf: Shelf) -> list[Backup]:
    """Verifies those that nobody has verified yet; returns the good ones among them."""
    done = []
    for each in backups(shelf):
        if not each.is_good and each.flaw is None:
            try:
                done.append(verify(engine, shelf, each.id))
            except Broken:
                continue  # it was told, and written down
    return done


def retain(engine: Engine, shelf: Shelf, keep: int, *, dry_run: bool = False) -> list[str]:
    """`retaining.retain`, but what was last restored stays, and what `undo` goes back to; returns the ids.

    While somebody goes back to a backup none goes, nor while PostgreSQL is away: nobody knows then which is
    needed. Raises Unavailable.
    """
    try:
        with locks.backups_unused(engine) as unused:
            if not (unused or dry_run):
                log.info("no backup was deleted", reason="one of them is being restored")
                return []
            needed, own = _needed(engine)
            return retaining.retain(shelf, keep, own, needed, dry_run=dry_run)
    except PostgresAway as away:
        log.warning("no backup was deleted", reason=str(away))
        return []


def _needed(engine: Engine) -> tuple[set[str], str]:
    """The backups that must stay, and the installation whose they are."""
    with transaction(engine) as connection:
        last = (journal.last_restore(connection), journal.last_restore(connection, archived=True))
        found = meta.installation(connection)
    restores = [each for each in last if each]
    needed = {each.target for each in restores} | {each.archive or "" for each in restores}
    return needed, found.incarnation if found else ""


@contextmanager
def loaded(
    connection: Connection, shelf: Shelf, backup_id: str, progress: Progress = unseen
) -> Iterator[Loaded]:
    """The backup in scratch tables of the open transaction, after every byte of it was looked at.

    Raises Broken, NotFound, PostgresAway, Unavailable.
    """
    with shelf.opened(keeping.file_of(backup_id)) as file:
        whole = _opened(file, backup_id, part(progress, 0, 0.2))
        found = loading.load(connection, whole, part(progress, 0.2, 1))
    yield found


@dataclass(frozen=True, slots=True)
class _Wish:
    store: Store
    engine: Engine
    shelf: Shelf
    reason: str
    connection: Connection | None


def _made(wish: _Wish, source: str | None, progress: Progress) -> str:
    """Makes the file and puts it on the shelf; returns the backup's id."""
    try:
        return _kept(wish, source or POSTGRESQL, progress)
    except PostgresAway as away:
        if source:
            raise
        log.warning("backup from Redis alone", reason=str(away))
        return _kept(wish, REDIS, progress)


def _kept(wish: _Wish, source: str, progress: Progress) -> str:
    if source == POSTGRESQL and wish.connection is None:
        catch_up(wish.store, wish.engine, CATCH_UP_SECONDS)
        failpoints.reach("backup.caught_up")
    backup_id = keeping.new_id()
    with wish.shelf.draft() as draft:
        with _taken(wish, source, part(progress, 0, 0.5)) as taken:
            failpoints.reach("backup.taken")
            state: Any = (
                taken.source,
                taken.incarnation,
                taken.epoch,
                taken.version,
                taken.ids,
                taken.history_above,
            )
            about = About(backup_id, timestamp(), wish.reason, *state)
            archive.write(draft, about, _watched(taken, part(progress, 0.5 if source == REDIS else 0, 1)))
        failpoints.reach("backup.written")
        wish.shelf.put(keeping.file_of(backup_id), draft)
    failpoints.reach("backup.kept")
    return backup_id


@contextmanager
def _taken(wish: _Wish, source: str, progress: Progress) -> Iterator[Taken]:
    if source == REDIS:
        with from_redis.taken(wish.store, progress) as taken:
            yield taken
    else:
        held = nullcontext(wish.connection) if wish.connection else connection_of(wish.engine)
        with held as connection, from_postgres.taken(wish.store, connection) as taken:
            yield taken


def _watched(taken: Taken, progress: Progress) -> Iterator[Line]:
    for number, line in enumerate(taken.lines):
        if number % 1000 == 0:
            progress(number / max(1, taken.total))
        yield line


def _opened(file: Any, backup_id: str, progress: Progress) -> Archive:
    whole = open_whole(file, progress)
    if whole.manifest.about.id != backup_id:
        raise Broken(f"It is the backup {whole.manifest.about.id} under another's name.")
    return whole


def _compare(found: Loaded, progress: Progress) -> None:
    tallies, total = Tallies(), max(1, sum(found.manifest.counts.values()))
    for number, line in enumerate(loading.contents(found)):
        tallies.add(line)
        if number % 1000 == 0:
            progress(number / total)
    failpoints.reach("backup.compared")
    loading.require_same(found.current, tallies, "It did not come back from a database as it went in")
