"""The database beside, where a restore builds while this one is read; and what it leaves behind."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from secrets import token_hex
from typing import Any

import redis

from taskapi.domain.errors import Conflict, Full, Unavailable
from taskapi.store import keys
from taskapi.store.client import Store, faults_named, run_unverified
from taskapi.store.dirty import Entry
from taskapi.store.errors import OVERTAKEN
from taskapi.store.keys import Fate
from taskapi.store.lines import Lines

AT_ONCE = 500
_FREE, _OTHERS, _NONE = 1, -1, -2


@dataclass(frozen=True, slots=True)
class Opening:
    """What Redis knows when it is opened anew by a restore.

    `version` is the last one given; `settled`, `carried` and `commits` are PostgreSQL's highest
    version, last journal entry and last commit. `entry` is the restore's own line of the journal,
    `ids` has the last id given and the ceiling of each kind, `leaving` what sweeps have to do.
    """

    epoch: int
    version: int
    settled: int
    carried: int
    commits: int
    entry: Entry
    ids: Mapping[str, tuple[int, int]]
    leaving: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Room:
    """Memory in bytes: what is used now, and the most that may be."""

    used: int
    limit: int

    @property
    def suffices(self) -> bool:
        """Whether all that there is fits in twice."""
        return 2 * self.used <= self.limit


def room(store: Store) -> Room:
    """The room for a restore that builds beside: the limit is the server's own, or its machine's memory."""
    with faults_named():
        info: Any = store.redis.info("memory")
    return Room(int(info["used_memory"]), int(info["maxmemory"]) or int(info["total_system_memory"]))


def require_room(store: Store) -> None:
    """Raises Full, with the figures, unless all that there is fits in twice."""
    found = room(store)
    if not found.suffices:
        raise Full(
            f"Redis uses {found.used} bytes and may use {found.limit}: no room to build what it holds a"
            " second time. Give it more, or restore offline (`offline=true`,"
            " `--offline`): then nothing is answered meanwhile."
        )


def require_place(store: Store) -> None:
    """Raises Conflict, with what to do, if the database beside is somebody else's, or there is none."""
    _told(store, run_unverified(store, "stage", *_numbers(store), ""))


def require_known(store: Store) -> None:
    """Raises Conflict if a key is here that is not taskapi's: a restore would lose it."""
    for names in _scanned(store):
        unknown = next((name for name in names if _fate(name) is None), None)
        if unknown is not None:
            raise Conflict(f"Redis holds a key that is not taskapi's: {unknown!r}. Move it elsewhere first.")


def claim(store: Store, token: str) -> None:
    """Makes the database beside the empty place of that restore.

    Raises Conflict as `require_place` does, Unavailable if the restore was overtaken.
    """
    found = run_unverified(store, "stage", *_numbers(store), token)
    _told(store, found)
    _require_ours(found == _FREE)


@contextmanager
def beside(store: Store) -> Iterator[Store]:
    """The database beside, to be filled by what places records."""
    pool = store.redis.connection_pool
    options = pool.connection_kwargs | {"db": _numbers(store)[1]}
    client = redis.Redis(
        connection_pool=redis.ConnectionPool(connection_class=pool.connection_class, **options)
    )
    try:
        yield Store(client, Lines(client.connection_pool))
    finally:
        client.connection_pool.disconnect()


def take_along(store: Store, token: str, fates: Collection[Fate]) -> int:
    """Copies every key that has one of these fates into the place of that restore; returns how many.

    Raises Unavailable if the restore was overtaken.
    """
    taken = 0
    for names in _keys_of(store, fates):
        done = run_unverified(store, "along", token, _numbers(store)[1], *names)
        _require_ours(done >= 0)
        taken += done
    return taken


def swap(store: Store, token: str, opening: Opening) -> None:
    """Opens what was built, in place of what was read until now, at once.

    Raises Unavailable, with nothing changed, if the restore was overtaken or Redis has restarted.
    """
    entry = opening.entry
    line = (entry.version, entry.record_id, entry.action, entry.actor, entry.at, entry.request_id)
    ids = [value for kind, pair in opening.ids.items() for value in (kind, *pair)]
    leaving = [value for pair in opening.leaving.items() for value in pair]
    done = run_unverified(
        store,
        "swap",
        token,
        *_numbers(store),
        *(opening.epoch, opening.version, opening.settled, opening.carried, opening.commits),
        *(*line, entry.operation, entry.fields),
        *(len(opening.ids), *ids),
        *(len(opening.leaving), *leaving),
    )
    _require_ours(bool(done))


def require_alone(store: Store) -> None:
    """Raises Conflict if others have put something into the place beside while a restore has built there."""
    with beside(store) as place:
        require_known(place)


def drop(store: Store, token: str) -> bool:
    """Drops what the restore of that token has left beside; False if nothing of it lies there.

    What others have put there meanwhile stays.
    """
    with beside(store) as place:
        if _is_left_by(place, token) and any(
            _fate(name) is None for part in _scanned(place) for name in part
        ):
            for names in _keys_of(place, frozenset(Fate)):
                place.redis.unlink(*names)
    return bool(run_unverified(store, "drop", token, *_numbers(store)))


def _is_left_by(place: Store, token: str) -> bool:
    """Whether what lies in that place, if there is such a one, is of that restore."""
    try:
        with faults_named():
            found: Any = place.redis.hmget(keys.META, "state", "restorer")
    except redis.ResponseError:  # no such database
        return False
    return found[0] in (b"staging", b"replaced") and found[1] == token.encode()


def wipe(store: Store, token: str) -> None:
    """Takes away, in a Redis that is closed, all that PostgreSQL has, for a restore that was not finished.

    Raises Unavailable if another was faster.
    """
    wiper = token_hex(16)
    _require_ours(bool(run_unverified(store, "wipe", token, wiper, 1)))
    for names in _keys_of(store, (Fate.RECORD, Fate.DERIVED, Fate.WAITING, Fate.JOURNAL, Fate.SWEEP)):
        _require_ours(bool(run_unverified(store, "wipe", token, wiper, 0, *names)))


def _keys_of(store: Store, fates: Collection[Fate]) -> Iterator[list[bytes]]:
    """The keys that have one of these fates, some at a time."""
    for names in _scanned(store):
        if chosen := [name for name in names if _fate(name) in fates]:
            yield chosen


def _scanned(store: Store) -> Iterator[list[bytes]]:
    start = 0
    while True:
        with faults_named():
            found: Any = store.redis.scan(start, count=AT_ONCE)
        start, names = found
        yield names
        if start == 0:
            return


def _fate(name: bytes) -> Fate | None:
    return keys.fate_of(name.decode(errors="replace"))


def _numbers(store: Store) -> tuple[int, int]:
    """The number of the store's database, and of the one beside."""
    number = int(store.redis.connection_pool.connection_kwargs.get("db") or 0)
    return number, number + 1


def _told(store: Store, found: int) -> None:
    number = _numbers(store)[1]
    if found == _OTHERS:
        raise Conflict(
            f"Database {number} of this Redis holds something that is not taskapi's; a restore builds there."
            " Empty it, or restore offline (`offline=true`, `--offline`)."
        )
    if found == _NONE:
        raise Conflict(
            f"This Redis has no database {number}, where a restore builds. Allow it (`databases`), or restore"
            " offline (`offline=true`, `--offline`)."
        )


def _require_ours(ours: bool) -> None:
    if not ours:
        raise Unavailable(OVERTAKEN)
