"""Saving records: the Python side of save.lua, and the only door to it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from secrets import token_hex
from types import MappingProxyType
from typing import Any

from taskapi.domain import failpoints
from taskapi.domain.callers import Claim, Operation
from taskapi.domain.clock import timestamp
from taskapi.domain.errors import Conflict, KeyReused
from taskapi.domain.records import Record
from taskapi.store import codec, keys, plans, syncs
from taskapi.store.client import Store, faults_named, run
from taskapi.store.codec import Stored
from taskapi.store.errors import refusal
from taskapi.store.kinds import KINDS, kind_of
from taskapi.store.plans import Change

INTERNAL_LIFE_MS = 10 * 60 * 1000
NOTHING_LEAVES: Mapping[str, str] = MappingProxyType({})
LINES = ("saving.prepared", "saving.answered", "saving.acknowledged")
"""Every line at which a test lets a write die; what lies between the first two is one step of Redis."""

KEPT_LIFE_MS = 24 * 60 * 60 * 1000


@dataclass(frozen=True, slots=True)
class Saved:
    """What a save wrote, in the order of its changes; `again` if it had been done before.

    `stored` are the records; of an operation that was done before, the first, or none if it was too
    long ago for more than its `names` (kind:id) to be known.
    """

    stored: tuple[Stored, ...]
    names: tuple[str, ...]
    versions: tuple[int, ...]
    again: bool = False

    @property
    def first(self) -> Stored:
        """The record of the first change; raises Conflict if it is not known any more."""
        if not self.stored:
            raise Conflict(
                f"This was done before; it has written {self.names[0]}. Its answer is not kept any more."
            )
        return self.stored[0]

    @property
    def ids(self) -> tuple[int, ...]:
        """The ids of all records."""
        return tuple(int(name.partition(":")[2]) for name in self.names)

    @property
    def dirty(self) -> tuple[str, ...]:
        """What PostgreSQL does not have yet: kind:id@version."""
        return tuple(f"{name}@{version}" for name, version in zip(self.names, self.versions, strict=True))


@dataclass(frozen=True, slots=True)
class Count:
    """What a counter must say when a save is done, or without a `field` how many a sorted set has."""

    key: str
    field: str
    number: int


def save(
    store: Store,
    claim: Claim,
    changes: Sequence[Change],
    guards: Sequence[Record] = (),
    *,
    counts: Sequence[Count] = (),
    sessions_end: Sequence[int] = (),
    leaving: Mapping[str, str] = NOTHING_LEAVES,
    not_leaving: Sequence[str] = (),
    sweep: tuple[str, str] | None = None,
    makes_room: bool = False,
) -> Saved:
    """Writes all changes, or none, in one atomic step.

    `guards` are the records, as read, on which the right to this was granted, and `counts` what must
    not have grown meanwhile. Raises Moved if one of them or a changed record is not as it was read,
    Unauthorized if the session has ended, Taken for a unique value, Conflict under a parent that is
    being deleted, Full without room or ids. What makes room passes all the same: what takes records away,
    what a sweep goes on with, and what its caller says `makes_room`.

    `leaving` are names (see domain.cascades) whose tasks a sweep takes along from now on, each with an
    account for it, or with "" where the sweep is done; `not_leaving` are names under which none may be
    under way, `sweep` is the name and the account of the sweep that writes this: Moved, if that one is over.
    """
    _require_each_once(changes)
    absent, began = plans.listed(*((name,) for name in not_leaving)), plans.listed(*leaving.items())
    sweeps = (*absent, *(sweep or ("", "")), *began)
    guarded = _guarded(claim, changes, guards, sweeps, counts, sessions_end)
    makes_room = makes_room or sweep is not None or _takes_away(changes)
    args = [*_header(claim, makes_room=makes_room), *guarded, len(changes), *_each(changes)]
    failpoints.reach("saving.prepared")
    reply = run(store, "save", *args, even_when_full=makes_room)
    failpoints.reach("saving.answered")
    if reply[0] == b"saved":
        return _acknowledged(store, _written(changes, reply[1:]))
    if reply[0] == b"again":
        return _acknowledged(store, completed(store, recalled(reply[1], claim.operation, changes)))
    raise refusal(reply)


def _acknowledged(store: Store, saved: Saved) -> Saved:
    """From here on this process knows that Redis has had it."""
    store.witness.saw(saved.versions)
    syncs.heed(store)
    failpoints.reach("saving.acknowledged")
    return saved


def completed(store: Store, saved: Saved) -> Saved:
    """With the record as it is now, if that of then was too long to be kept and it is still there."""
    if saved.stored:
        return saved
    with faults_named():
        blob: Any = store.redis.get(saved.names[0])
    kind = KINDS[saved.names[0].partition(":")[0]]
    return saved if blob is None else replace(saved, stored=(Stored(kind, blob),))


def remember(store: Store, claim: Claim, stored: Stored, guards: Sequence[Record]) -> None:
    """Keeps the answer to a write that had nothing to change, if its client named it."""
    if claim.operation:
        preset = b"%b %d %d\n%b" % (stored.kind.name.encode(), stored.id, stored.version, stored.blob)
        reply = run(store, "save", *_header(claim, preset), *_guarded(claim, (), guards), 0)
        if reply[0] not in (b"saved", b"again"):
            raise refusal(reply)


def operation_key(claim: Claim) -> str:
    """Where the answer of this write is kept: under the caller and the operation, hashed.

    A write that its client did not name gets a name of its own, good for the resends of one save.
    """
    if claim.operation is None:
        return keys.operation(token_hex(16))
    return keys.operation(hashlib.sha256(f"{claim.user_id}\n{claim.operation.id}".encode()).hexdigest()[:32])


def recalled(answer: bytes, operation: Operation | None, changes: Sequence[Change] = ()) -> Saved:
    """The answer that was remembered of an operation; raises KeyReused if it was another request's.

    The records of a resent save are made from its `changes`; a client's operation has kept its first.
    """
    fingerprint, written, *kept = answer.split(b"\n", 2)
    if operation and fingerprint.decode() != operation.fingerprint:
        raise KeyReused("This Idempotency-Key was used for another request.")
    words = written.split()
    numbers = [number for pair in zip(words[1::3], words[2::3], strict=True) for number in pair]
    if operation is None:
        return replace(_written(changes, numbers), again=True)
    names = tuple(
        f"{kind.decode()}:{int(number)}" for kind, number in zip(words[0::3], words[1::3], strict=True)
    )
    stored = tuple(Stored(KINDS[words[0].decode()], blob) for blob in kept)
    return Saved(stored, names, tuple(int(number) for number in words[2::3]), again=True)


def _written(changes: Sequence[Change], numbers: Sequence[bytes]) -> Saved:
    pairs = zip(numbers[0::2], numbers[1::2], strict=True)
    stored = tuple(
        Stored(change.kind, codec.blob(plans.middle_of(change), int(record_id), int(version)))
        for change, (record_id, version) in zip(changes, pairs, strict=True)
    )
    return Saved(stored, tuple(one.name for one in stored), tuple(one.version for one in stored))


def _require_each_once(changes: Sequence[Change]) -> None:
    """A record can be changed once in a save: its indexes follow from what was read."""
    was = [(change.kind.name, change.was.id) for change in changes if change.was]
    if len(was) != len(set(was)):
        raise ValueError("one save changes a record twice")


def _takes_away(changes: Sequence[Change]) -> bool:
    """Whether records go, and nothing comes or comes back: those that only change follow from it."""
    going = [_is_gone(change.now) for change in changes]
    coming = [_is_gone(change.was) and not _is_gone(change.now) for change in changes]
    return any(going) and not any(coming)


def _is_gone(record: Record | None) -> bool:
    return record is None or record.deleted_at is not None


def _parents(changes: Sequence[Change]) -> set[str]:
    """The records that must be alive already: not those that this very save brings to life."""
    wanted = {key for change in changes for key in change.kind.parents_of(change.was, change.now)}
    return wanted - {keys.record(change.kind.name, _id(change)) for change in changes if change.now}


def _id(change: Change) -> int:
    """The id of what a change leaves, 0 where the script gives it."""
    return int(change.id) if change.was is None and change.id.isdecimal() else change.subject.id


def _header(claim: Claim, preset: bytes = b"", *, makes_room: bool = False) -> list[Any]:
    operation = claim.operation
    return [
        operation_key(claim),
        KEPT_LIFE_MS if operation else INTERNAL_LIFE_MS,
        operation.fingerprint if operation else "",
        int(operation is not None),
        int(makes_room),
        claim.user_id,
        timestamp(),
        claim.request_id,
        preset,
    ]


def _guarded(
    claim: Claim,
    changes: Sequence[Change],
    guards: Sequence[Record],
    sweeps: Sequence[Any] = (0, "", "", 0),
    counts: Sequence[Count] = (),
    sessions_end: Sequence[int] = (),
) -> list[Any]:
    session = [(keys.session(claim.user_id, claim.session),)] if claim.session else []
    versions: dict[str, Any] = dict.fromkeys(_parents(changes), "")
    versions |= {keys.record(kind_of(record).name, record.id): record.version for record in guards}
    return [
        *plans.listed(*session),
        *plans.listed(*versions.items()),
        *sweeps,
        *plans.listed(*((count.key, count.field, count.number) for count in counts)),
        *plans.listed(*((user_id,) for user_id in sessions_end)),
    ]


def _each(changes: Sequence[Change]) -> Iterator[Any]:
    for change in changes:
        yield from plans.change_args(change)
