"""Saving records: the Python side of save.lua, and the only door to it."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from secrets import token_hex
from typing import Any

from taskapi.domain.callers import Claim, Operation
from taskapi.domain.clock import timestamp
from taskapi.domain.errors import KeyReused
from taskapi.domain.records import Record
from taskapi.store import codec, keys, plans
from taskapi.store.client import Store, run
from taskapi.store.codec import Stored
from taskapi.store.errors import refusal
from taskapi.store.kinds import KINDS, kind_of
from taskapi.store.plans import Change

INTERNAL_LIFE_MS = 10 * 60 * 1000
KEPT_LIFE_MS = 24 * 60 * 60 * 1000


@dataclass(frozen=True, slots=True)
class Saved:
    """What a save wrote, in the order of its changes; `again` if it had been done before."""

    stored: tuple[Stored, ...]
    ids: tuple[int, ...]
    versions: tuple[int, ...]
    again: bool = False

    @property
    def first(self) -> Stored:
        """The record of the first change."""
        return self.stored[0]


def save(
    store: Store,
    claim: Claim,
    changes: Sequence[Change],
    guards: Sequence[Record] = (),
    *,
    sessions_end: Sequence[int] = (),
) -> Saved:
    """Writes all changes, or none, in one atomic step.

    `guards` are the records, as read, on which the right to this was granted. Raises Moved if one
    of them or a changed record is not as it was read, Unauthorized if the session has ended, Taken
    for a unique value, Conflict under a parent that is being deleted, Full without room or ids.
    """
    reply = run(store, "save", *_arguments(claim, changes, guards, sessions_end))
    if reply[0] == b"saved":
        return _written(changes, reply[1:])
    if reply[0] == b"again":
        return recalled(reply[1], claim.operation, changes)
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

    A kept answer has its records; of another, only ids and versions are known, and its records are
    those of `changes`.
    """
    fingerprint, numbers, *lines = answer.split(b"\n")
    if operation and fingerprint.decode() != operation.fingerprint:
        raise KeyReused("This Idempotency-Key was used for another request.")
    found = _written(changes, numbers.split())
    kept = [line.partition(b" ") for line in lines]
    stored = tuple(Stored(KINDS[kind.decode()], blob) for kind, _, blob in kept)
    return Saved(stored or found.stored, found.ids, found.versions, again=True)


def _written(changes: Sequence[Change], numbers: Sequence[bytes]) -> Saved:
    ids = tuple(int(number) for number in numbers[0::2])
    versions = tuple(int(number) for number in numbers[1::2])
    blobs = (
        codec.blob(plans.middle_of(change), *pair)
        for change, *pair in zip(changes, ids, versions, strict=False)
    )
    stored = tuple(Stored(change.kind, text) for change, text in zip(changes, blobs, strict=False))
    return Saved(stored, ids, versions)


def _parents(changes: Sequence[Change]) -> set[str]:
    """The records that must be alive already: not those that this very save brings to life."""
    wanted = {key for change in changes for key in change.kind.parents_of(change.was, change.now)}
    return wanted - {keys.record(change.kind.name, change.now.id) for change in changes if change.now}


def _arguments(
    claim: Claim, changes: Sequence[Change], guards: Sequence[Record], sessions_end: Sequence[int]
) -> list[Any]:
    operation = claim.operation
    session = [(keys.session(claim.user_id, claim.session),)] if claim.session else []
    versions = dict.fromkeys(_parents(changes), "") | {
        keys.record(kind_of(record).name, record.id): record.version for record in guards
    }
    return [
        operation_key(claim),
        KEPT_LIFE_MS if operation else INTERNAL_LIFE_MS,
        operation.fingerprint if operation else "",
        int(operation is not None),
        claim.user_id,
        timestamp(),
        claim.request_id,
        *plans.listed(*session),
        *plans.listed(*versions.items()),
        *plans.listed(*((user_id,) for user_id in sessions_end)),
        len(changes),
        *(value for change in changes for value in plans.change_args(change)),
    ]
