"""What PostgreSQL refuses, for the owner: look at it, have it tried again, or give the change up."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

import orjson

from taskapi.domain.callers import Claim
from taskapi.domain.errors import Conflict, Invalid, NotFound, Stale, Taken
from taskapi.domain.filters import Page
from taskapi.services import discarding
from taskapi.services.again import decided_again
from taskapi.services.discarding import Plan
from taskapi.services.results import Listed, Shown, computed
from taskapi.store import codec, dirty, keys, quarantine
from taskapi.store.client import Store
from taskapi.store.codec import Stored
from taskapi.store.kinds import KINDS, Kind
from taskapi.store.quarantine import Refusal, is_tombstone
from taskapi.store.reading import Question, ask, replayed
from taskapi.store.records import Saved, remember, save

RETRIED = "retried"
ReadRecord = Callable[[str, int], Mapping[str, Any] | None]
"""A record as PostgreSQL has it, by kind and id; raises PostgresAway."""

_CURSOR = re.compile(r"([a-z]+)\.([0-9]{1,16})")


def list_refused(store: Store, claim: Claim, page: Page) -> Listed:
    """The records in quarantine, by kind and id, as Redis has them now."""
    _ = ask(store, claim, Question()).caller
    names = quarantine.names(store)
    start = page.offset if page.cursor is None else _place_behind(names, page.cursor)
    wanted = names[start : start + page.per_page]
    following = wanted[-1].replace(":", ".") if start + page.per_page < len(names) else None
    items = tuple(orjson.dumps(told(each)) for each in quarantine.some(store, wanted))
    return Listed("quarantine", items, len(names), following)


@decided_again
def retry_refused(store: Store, claim: Claim, kind: str, record_id: int) -> Shown:
    """Has PostgreSQL asked again for that record, at once."""
    seen = ask(store, claim, Question())
    caller = seen.caller
    if again := replayed(store, seen):
        return _answered(again.names[0], state=RETRIED, replayed=True)
    refusal = _required(store, kind, record_id)
    dirty.rearm(store, [refusal.name])
    remember(store, claim, _noted(KINDS[kind], refusal), [caller.user])
    return _answered(refusal.name, state=RETRIED)


@decided_again
def discard_refused(
    store: Store, claim: Claim, read: ReadRecord, kind: str, record_id: int, if_match: int | None = None
) -> Shown:
    """Gives the refused change up: the record becomes, in a new version, what PostgreSQL has of it.

    It is purged if PostgreSQL has nothing. Raises NotFound if it is not in quarantine, Conflict where
    that would break something else or a later change waits, PostgresAway.
    """
    seen = ask(store, claim, Question())
    caller = seen.caller
    if again := replayed(store, seen):
        return _discarded(again)
    refusal = _required(store, kind, record_id, if_match)
    _require_unmoved(refusal)
    row = read(kind, record_id)
    plan = discarding.plan(store, claim, refusal, None if row is None else KINDS[kind].record(**row))
    if not plan.changes:
        dirty.rearm(store, [refusal.name])  # forgets it: there is no record
        remember(store, claim, _noted(KINDS[kind], refusal), [caller.user])
        return _answered(refusal.name, state=discarding.DISCARDED, version=refusal.version, purged=True)
    guards = [caller.user, *(guard for guard in plan.guards if guard != caller.user)]
    return _discarded(_saved(store, claim, plan, guards))


def told(refusal: Refusal) -> dict[str, Any]:
    """A refusal with its record as it is served: without secrets, null if there is none or it is no JSON."""
    return {
        "kind": refusal.kind,
        "id": refusal.id,
        "version": refusal.version,
        "reason": refusal.reason,
        "at": refusal.at,
        "record": _served(refusal),
    }


def _served(refusal: Refusal) -> dict[str, Any] | None:
    try:
        found = codec.as_sent(refusal.blob)
    except ValueError:
        return None
    secret = KINDS[refusal.kind].secret if refusal.kind in KINDS else ()
    return {name: value for name, value in found.items() if name not in secret}


def _place_behind(names: list[str], cursor: str) -> int:
    """How many names come before what is behind that one, which may have gone meanwhile."""
    parts = _CURSOR.fullmatch(cursor)
    if parts is None:
        raise Invalid({"cursor": ["This is no cursor of this list."]})
    last = quarantine.place_of(keys.record(parts[1], int(parts[2])))
    return sum(quarantine.place_of(name) <= last for name in names)


def _required(store: Store, kind: str, record_id: int, if_match: int | None = None) -> Refusal:
    if kind not in KINDS:
        raise NotFound(f"There are no records of the kind {kind}.")
    found = quarantine.some(store, [keys.record(kind, record_id)])
    if not found:
        raise NotFound(f"{kind} {record_id} is not in quarantine.")
    if if_match not in (None, found[0].version):
        raise Stale(f"PostgreSQL refused {kind} {record_id} in version {found[0].version}.")
    return found[0]


def _require_unmoved(refusal: Refusal) -> None:
    """A later change is not given up by whoever has not seen it."""
    if refusal.blob and not refusal.blob.endswith(b',"version":%d}' % refusal.version):
        raise Conflict(
            f"{refusal.kind} {refusal.id} was changed since PostgreSQL refused it,"
            " and is tried anew by itself. Look again in a moment."
        )


def _saved(store: Store, claim: Claim, plan: Plan, guards: list[Any]) -> Saved:
    try:
        return save(
            store,
            claim,
            plan.changes,
            guards,
            counts=plan.counts,
            sessions_end=plan.sessions_end,
            leaving=plan.leaving,
            not_leaving=plan.not_leaving,
        )
    except Taken as taken:
        raise Conflict(
            f"The {taken.field} that PostgreSQL has belongs to another by now: change this record instead."
        ) from taken


def _noted(kind: Kind, refusal: Refusal) -> Stored:
    """What an operation is remembered by: whatever the record holds, nothing of it is kept a second time."""
    return Stored(kind, codec.blob(b'"purged":true', refusal.id, refusal.version))


def _discarded(saved: Saved) -> Shown:
    purged = not saved.stored or is_tombstone(saved.stored[0].blob)
    return _answered(
        *saved.names,
        state=discarding.DISCARDED,
        replayed=saved.again,
        version=saved.versions[0],
        purged=purged,
    )


def _answered(name: str, *others: str, state: str, replayed: bool = False, **more: Any) -> Shown:
    kind, _, number = name.partition(":")
    answer = computed({"kind": kind, "id": int(number), "state": state, **more}, int(number))
    return answer.after(name, *others, replayed=replayed)
