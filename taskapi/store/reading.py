"""Asking: one round trip that brings the caller, their limit, and whatever the request needs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import structlog

from taskapi.domain import access
from taskapi.domain.callers import Caller, Claim
from taskapi.domain.cascades import is_left
from taskapi.domain.errors import Damaged, Limited, NotFound, Unauthorized
from taskapi.domain.records import Credential, User
from taskapi.store import codec, keys, plans, records, syncs
from taskapi.store.client import Limit, Store, run
from taskapi.store.codec import Stored
from taskapi.store.errors import refusal
from taskapi.store.kinds import CREDENTIAL, TASK, USER, Kind
from taskapi.store.records import Saved

NO_LIST: tuple[Any, ...] = ("none",)
_HOW_MANY = 5
_TASKS = keys.record(TASK.name, 0)[:-1]

log = structlog.get_logger("taskapi.store")


@dataclass(frozen=True, slots=True)
class Listing:
    """One page of records, as stored; `total` is how many there are on all pages.

    `further` is the id behind which the list goes on, None at its end: while a cascade sweeps, a page
    has fewer records than were asked for, and is not the last for that.
    """

    blobs: tuple[bytes, ...] = ()
    total: int = 0
    further: int | None = None


@dataclass(frozen=True)
class Seen:
    """What one question brought. Each record is decoded once."""

    claim: Claim
    found: dict[str, bytes | None]
    held: tuple[bytes | None, ...]
    listing: Listing
    leaving: frozenset[str] = frozenset()
    hashes: tuple[dict[str, int], ...] = ()
    sizes: tuple[int, ...] = ()
    _decoded: dict[str, Any] = field(default_factory=dict)

    @cached_property
    def caller(self) -> Caller:
        """The caller, confirmed: raises Unauthorized if they or their credentials are gone, and
        Forbidden if their role has no such right at all."""
        return _confirmed(self)

    def stored(self, kind: Kind, record_id: int) -> Stored | None:
        """That live record, which was asked for, if it exists."""
        blob = self.found[keys.record(kind.name, record_id)]
        if blob is not None and not codec.seems_whole(blob):
            raise Damaged(f"{kind.name} {record_id}")
        return None if blob is None else Stored(kind, blob)

    def listed(self, kind: Kind, record_id: int) -> Stored | None:
        """The same for a list, which leaves one out that is damaged, and logs it."""
        try:
            return None if self.record(kind, record_id) is None else self.stored(kind, record_id)
        except Damaged as fault:
            log.error("a damaged record is left out of a list", reason=str(fault))  # noqa: TRY400 - a line
            return None

    def existing(self, kind: Kind, record_id: int) -> Stored:
        """The same; raises NotFound if there is none."""
        stored = self.stored(kind, record_id)
        if stored is None:
            raise NotFound(f"There is no {kind.name} {record_id}.")
        return stored

    def record(self, kind: Kind, record_id: int) -> Any:
        """The same, decoded."""
        return self._decode(kind, keys.record(kind.name, record_id))

    def trashed(self, kind: Kind, record_id: int) -> Any:
        """That record of the trash, decoded, if it lies there."""
        return self._decode(kind, keys.trashed(kind.name, record_id))

    def _decode(self, kind: Kind, key: str) -> Any:
        if key not in self._decoded:
            blob = self.found[key]
            try:
                self._decoded[key] = None if blob is None else codec.decode(kind, blob)
            except Damaged as fault:
                raise Damaged(key) from fault
        return self._decoded[key]

    @property
    def replayed(self) -> Saved | None:
        """The answer of this very request, if it was carried out before under its Idempotency-Key.

        Raises what `caller` raises: who may no longer call is not answered again either.
        """
        _ = self.caller if self.claim.user_id else None
        answer = self.found.get(records.operation_key(self.claim)) if self.claim.operation else None
        return None if answer is None else records.recalled(answer, self.claim.operation)


@dataclass(frozen=True, slots=True)
class Question:
    """What to bring: records by key, or by who holds a unique value; hashes, sizes of sorted sets, a list.

    A size is that of a whole sorted set, or of (sorted set, lowest score, highest score).
    """

    keys: Sequence[str] = ()
    holder: tuple[str, str] | None = None
    holder_prefixes: Sequence[str] = ()
    hashes: Sequence[str] = ()
    sizes: Sequence[str | tuple[str, Any, Any]] = ()
    listing: Sequence[Any] = field(default=NO_LIST)


def replayed(store: Store, seen: Seen) -> Saved | None:
    """The answer of this very request, if it was carried out before under its Idempotency-Key.

    Of one that was too long to be kept, with the record as it is now. Raises what `Seen.replayed` raises.
    """
    return None if seen.replayed is None else records.completed(store, seen.replayed)


def ask(store: Store, claim: Claim, question: Question) -> Seen:
    """Brings it all in one round trip. The first question of a request counts against the caller's limits.

    Raises Unauthorized if the session has ended, Limited if the caller has called too often,
    Unavailable if Redis is away or not verified.
    """
    wanted = [*_keys_of(claim), *question.keys]
    limits = store.limits if claim.user_id and not claim.tally.counted else ()
    reply = run(store, "read", *_arguments(claim, question, wanted, limits), patient=False)
    if reply[0] == b"limited":
        raise Limited(reply[1] / 1000)
    if reply[0] != b"ok":
        raise refusal(reply)
    syncs.heed(store)
    left, full, blobs, held, hashes, sizes, leaving, total, page = reply[1:]
    if limits:
        claim.tally.counted = True
        store.metered(left, full)
    names = frozenset(name.decode() for name in leaving)
    return Seen(
        claim,
        _present(names, zip(wanted, blobs, strict=True)),
        tuple(held),
        Listing(tuple(_listed(names, question, page)), total, _further(question, page)),
        names,
        tuple(_counters(flat) for flat in hashes),
        tuple(sizes),
    )


def _present(leaving: frozenset[str], found: Iterable[tuple[str, bytes | None]]) -> dict[str, bytes | None]:
    """The records by key; a task that a cascade has yet to sweep is none any more."""
    if not leaving:
        return dict(found)
    return {key: None if key.startswith(_TASKS) and _is_left(leaving, blob) else blob for key, blob in found}


def _listed(leaving: frozenset[str], question: Question, page: list[bytes | None]) -> Iterable[bytes]:
    there = _whole(question, page)
    if not leaving or _TASKS not in question.listing[:2]:
        return there
    return (blob for blob in there if not _is_left(leaving, blob))


def _whole(question: Question, page: list[bytes | None]) -> list[bytes]:
    """One that is damaged is left out, and logged: it would make the whole page unreadable."""
    there = [blob for blob in page if blob is not None]
    whole = [blob for blob in there if codec.seems_whole(blob)]
    if len(whole) < len(there):
        kind = question.listing[1].rstrip(":")
        log.error("damaged records are left out of a list", kind=kind, count=len(there) - len(whole))
    return whole


def _further(question: Question, page: list[bytes | None]) -> int | None:
    """The last id of a page that is as long as was asked for."""
    if not page or len(page) < int(question.listing[_HOW_MANY]):
        return None
    return next((codec.id_of(blob) for blob in reversed(page) if blob and codec.seems_whole(blob)), None)


def _is_left(leaving: frozenset[str], blob: bytes | None) -> bool:
    return blob is not None and is_left(leaving, codec.decode(TASK, blob))


def _counters(flat: list[bytes]) -> dict[str, int]:
    return {flat[index].decode(): int(flat[index + 1]) for index in range(0, len(flat), 2)}


def _keys_of(claim: Claim) -> list[str]:
    wanted = [keys.record(USER.name, claim.user_id)]
    if claim.credential_version is not None:
        wanted.append(keys.record(CREDENTIAL.name, claim.user_id))
    if claim.operation:
        wanted.append(records.operation_key(claim))
    return wanted


def _arguments(claim: Claim, question: Question, wanted: list[str], limits: Sequence[Limit]) -> list[Any]:
    return [
        keys.session(claim.user_id, claim.session) if claim.session else "",
        claim.user_id,
        *plans.listed(*((limit.calls, limit.period_ms) for limit in limits)),
        *plans.listed(*((key,) for key in wanted)),
        *(question.holder or ("", "")),
        *plans.listed(*((prefix,) for prefix in question.holder_prefixes)),
        *plans.listed(*((key,) for key in question.hashes)),
        *plans.listed(*(_span(size) for size in question.sizes)),
        *question.listing,
    ]


def _span(size: str | tuple[str, Any, Any]) -> tuple[str, Any, Any]:
    return (size, "-inf", "+inf") if isinstance(size, str) else size


def _confirmed(seen: Seen) -> Caller:
    claim = seen.claim
    user: User | None = seen.record(USER, claim.user_id)
    if user is None:
        raise Unauthorized("This account is gone.")
    if claim.credential_version is not None:
        credential: Credential | None = seen.record(CREDENTIAL, claim.user_id)
        if credential is None or credential.version != claim.credential_version:
            raise Unauthorized("The password has changed.")
    caller = Caller(user, claim)
    access.require(caller)
    return caller
