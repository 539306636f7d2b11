"""Putting one record into an open Redis as PostgreSQL has it."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from taskapi.domain.clock import milliseconds
from taskapi.domain.records import Record
from taskapi.store import codec, plans
from taskapi.store.client import Store, run
from taskapi.store.errors import refusal
from taskapi.store.held import Held
from taskapi.store.plans import Change

REPLACED, MOVED = "replaced", "moved"

WHY_NOT: Mapping[str, str] = MappingProxyType(
    {
        "above": "its version in PostgreSQL was never given here: restart Redis, whose admission takes it",
        "ids": "its id was never leased: it was not made here, so delete that row in PostgreSQL",
        "missing": "{} is not alive: bring that back first, or delete the row in PostgreSQL",
        "leaving": "{} is just being deleted or brought back: repair again when that is done",
        "taken": "{} belongs to another: change that one's or delete the row in PostgreSQL",
    }
)


def replace(store: Store, was: Held, now: Record | None, version: int) -> tuple[str, str]:
    """Puts the record there, or takes it away for None, only if Redis still has what was compared.

    Returns REPLACED, MOVED, or why not with what that is about: see WHY_NOT. Raises Unavailable, Full.
    """
    change = Change(was.record, now, "placed")
    before = ("new", "") if was.blob is None else (was.prefix, was.blob)
    text = codec.blob(plans.middle_of(change), was.id, version)
    row = (was.kind.name, was.id, *before, plans.prefix_of(now), text, version)
    parents = plans.listed(*((key,) for key in was.kind.parents_of(was.record, now)))
    gone_at = milliseconds(change.subject.deleted_at)
    reply: Any = run(store, "replace", *row, gone_at, *parents, *plans.index_args(change))
    if reply[0] == b"unverified":
        raise refusal(reply)
    return reply[0].decode(), reply[1].decode() if reply[1:] else ""
