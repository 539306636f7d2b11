"""Bytes of uploads that nothing names any more, and that nothing which can come back will name."""

import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from taskapi.db import journal, refused, rows
from taskapi.db.engine import Connection, Engine, transaction
from taskapi.domain import failpoints
from taskapi.domain.clock import milliseconds
from taskapi.domain.errors import NotFound, Unavailable
from taskapi.outside.items import Item
from taskapi.outside.shelf import Shelf
from taskapi.store import codec, state
from taskapi.store.client import Store
from taskapi.store.held import held
from taskapi.store.kinds import FILE
from taskapi.sync import fence
from taskapi.sync.archive import open_whole
from taskapi.sync.errors import Broken
from taskapi.sync.keeping import Backup, backups, file_of
from taskapi.sync.lines import SECTIONS

DAY_SECONDS = 86_400
AT_ONCE = 200
LINES = ("uploads.judged", "uploads.deleted")
"""Every line at which a test lets it die."""

_NAME = re.compile(r"([1-9][0-9]{0,15})-[0-9a-f]{64}")
_NOT_FURTHER = SECTIONS[SECTIONS.index(FILE.name) + 1 :]


def collect_orphans(
    store: Store,
    engine: Engine,
    uploads: Shelf,
    kept: Shelf,
    older_than_seconds: float = DAY_SECONDS,
    *,
    dry_run: bool = False,
) -> int:
    """Deletes bytes that have lain on the shelf for so long and that nobody needs; returns how many files'.

    Those stay that a record names, live, with its task in the trash, or set apart; those that were purged
    more lately, or after a backup was made that is on the shelf of the `kept` ones; those of an upload that
    died, while a backup names them all the same; and whatever else lies there. Killed anywhere, the next
    goes on. Raises Unavailable unless Redis is open and PostgreSQL has all that it ever committed.
    """
    before = time.time() - older_than_seconds
    old = {int(found[1]): item for item in uploads.items() if (found := _old(item, before))}
    archives = _Archives(kept)
    gone = 0
    for ids in _parts(sorted(old)):
        doomed = _doomed(store, engine, archives, {number: old[number] for number in ids}, before)
        failpoints.reach("uploads.judged")
        gone += len(doomed)
        for item in doomed if not dry_run else ():
            uploads.delete(item.name)
            failpoints.reach("uploads.deleted")
    return gone


def _old(item: Item, before: float) -> re.Match[str] | None:
    return _NAME.fullmatch(item.name) if item.kept_at < before else None


def _parts(ids: Sequence[int]) -> Iterator[Sequence[int]]:
    return (ids[start : start + AT_ONCE] for start in range(0, len(ids), AT_ONCE))


@dataclass
class _Archives:
    """The backups on a shelf, listed once and when first asked for."""

    shelf: Shelf
    _listed: list[Backup] | None = field(default=None)

    def every(self) -> list[Backup]:
        if self._listed is None:
            self._listed = backups(self.shelf)
        return self._listed

    def precede(self, version: int, incarnation: str) -> bool:
        """Whether one is older than that version; of another installation's, nobody knows."""
        return any(each.incarnation != incarnation or each.version < version for each in self.every())

    def named(self, ids: Sequence[int]) -> set[int]:
        """Which of these files one of them names, read to the last; all, if one cannot be read."""
        return {number for each in self.every() for number in self._named_in(each, set(ids))}

    def _named_in(self, backup: Backup, ids: set[int]) -> set[int]:
        found = set()
        try:
            with self.shelf.opened(file_of(backup.id)) as file:
                for section, text in open_whole(file).lines():
                    if section in _NOT_FURTHER:
                        break
                    if section == FILE.name and codec.id_of(text) in ids:
                        found.add(codec.id_of(text))
        except NotFound:
            return set()  # it was deleted meanwhile
        except Broken:
            return ids
        return found


def _doomed(
    store: Store, engine: Engine, archives: _Archives, items: dict[int, Item], before: float
) -> list[Item]:
    """Those of the items that nobody needs.

    Redis is asked before PostgreSQL: a record that is carried in between is in both.
    """
    known = state.look(store)
    in_redis = held(store, FILE, list(items))
    last_id = state.leases(store)[FILE.name][0]
    if not known.is_ready or state.look(store).run != known.run:
        raise Unavailable("Redis is not open: nobody knows which uploads are needed.")
    named = {each.id for each in in_redis if each.blob is not None or each.tombstone is not None}
    unnamed = [number for number in items if number not in named]
    with transaction(engine) as connection:
        fence.enter(connection, known)
        unnamed = _unnamed(connection, unnamed)
        purged = rows.versions_of(connection, FILE.name, unnamed)
        long_gone = [number for number, version in purged.items() if _was_before(connection, version, before)]
        began = _moment(connection, 0)
    gone = [number for number in long_gone if not archives.precede(purged[number], known.incarnation)]
    never = [
        number
        for number in unnamed
        if number not in purged and number <= last_id and began is not None and items[number].kept_at > began
    ]
    lost = set(never) - archives.named(never) if never else set()
    return [items[number] for number in sorted({*gone, *lost})]


def _unnamed(connection: Connection, ids: Sequence[int]) -> list[int]:
    there = {row["id"] for row in rows.some(connection, FILE.name, ids)}
    apart = {row.record_id for row in refused.every(connection, FILE.name)}
    return [number for number in ids if number not in there | apart]


def _was_before(connection: Connection, version: int, moment: float) -> bool:
    """Whether that version was given before; of the last one without a line in the journal nobody knows."""
    found = _moment(connection, version)
    return found is not None and found < moment


def _moment(connection: Connection, version: int) -> float | None:
    """When the first change from that version on was made, in seconds."""
    found = journal.moment_from(connection, version)
    return None if found is None else milliseconds(found) / 1000
