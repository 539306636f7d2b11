"""Redis at one moment, though it is written all the time: what was read, and then every change since."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from taskapi.store import dirty, keys, state, walking
from taskapi.store.client import Store, faults_named, run
from taskapi.store.dirty import BATCH_BYTES, Entry
from taskapi.store.errors import refusal
from taskapi.store.kinds import KINDS, Kind

ENTRIES = 1000


@dataclass(frozen=True, slots=True)
class Found:
    """A record as it lies in Redis: live, in the trash, or, with an empty `blob`, nowhere.

    `record` is None where nobody can read it.
    """

    kind: Kind
    id: int
    blob: bytes
    record: Any


@dataclass(frozen=True, slots=True)
class Harvest:
    """The next entries of the journal, and the records that they tell of as they are now.

    `is_end` says that there is nothing above them at this moment, when Redis is at `version`. `first`
    is the first entry that the journal still has, 0 without any; `ceilings` are of the ids of each kind.
    """

    is_end: bool
    epoch: int
    version: int
    incarnation: str
    first: int
    ceilings: dict[str, int]
    entries: tuple[Entry, ...]
    records: tuple[Found, ...]


def harvest(store: Store, after: int, wanted: int = 0, *, entries: int = ENTRIES) -> Harvest:
    """What the journal has above the version `after`, with records for what is above `wanted` too.

    Also of a Redis that is frozen for a restore. Raises Unavailable if it is not verified.
    """
    reply = run(store, "harvest", after, wanted, entries, BATCH_BYTES)
    if reply[0] == b"unverified":
        raise refusal(reply)
    is_end, epoch, version, incarnation, first, ids, lines, told = reply
    return Harvest(
        bool(is_end),
        int(epoch),
        int(version),
        incarnation.decode(),
        int(first.partition(b"-")[0] or 0),
        _ceilings(dict(zip(ids[::2], ids[1::2], strict=True))),
        tuple(dirty.entry_of(*line) for line in lines),
        tuple(_found(*told[start : start + 4]) for start in range(0, len(told), 4)),
    )


def found(store: Store, names: Sequence[str]) -> list[Found]:
    """The records of those `kind:id` as they are now."""
    places = [prefix + name for name in names for prefix in (keys.LIVE, keys.TRASH)]
    with faults_named():
        blobs: Any = store.redis.mget(places) if places else []
    return [_lying(name, *blobs[2 * place : 2 * place + 2]) for place, name in enumerate(names)]


def _lying(name: str, live: bytes | None, trash: bytes | None) -> Found:
    kind, _, number = name.encode().partition(b":")
    prefix, blob = (keys.TRASH, trash) if live is None else (keys.LIVE, live)
    return _found(kind, number, prefix.encode(), blob or b"")


def _ceilings(ids: dict[bytes, bytes]) -> dict[str, int]:
    return {kind: ceiling for kind, (_, ceiling) in state.leases_in(ids).items()}


def _found(kind_name: bytes, number: bytes, prefix: bytes, blob: bytes) -> Found:
    kind, record_id = KINDS[kind_name.decode()], int(number)
    return Found(kind, record_id, blob, walking.readable(prefix.decode(), kind, record_id, blob))
