"""What PostgreSQL refuses, as the owner looks at it, and as admission brings it back."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from taskapi.domain.errors import Unavailable
from taskapi.store import keys
from taskapi.store.client import Store, faults_named, run_unverified
from taskapi.store.dirty import account_of
from taskapi.store.errors import OVERTAKEN
from taskapi.store.kinds import KINDS

_SCANNED = 1000
_TOMBSTONE = re.compile(rb'\{"id":\d+,"purged":true,"version":\d+\}')
_ORDER = {name: place for place, name in enumerate(KINDS)}


@dataclass(frozen=True, slots=True)
class Refusal:
    """A record that PostgreSQL refused in that `version`, why, and when last.

    `blob` is what Redis has of it now, by then perhaps a newer version: empty if it has nothing.
    """

    kind: str
    id: int
    version: int
    reason: str
    at: str
    blob: bytes

    @property
    def name(self) -> str:
        """kind:id."""
        return keys.record(self.kind, self.id)

    @property
    def is_purged(self) -> bool:
        """Whether it is the purge of the record that was refused."""
        return is_tombstone(self.blob)


def is_tombstone(blob: bytes) -> bool:
    """Whether this is all that is left of a purged record."""
    return _TOMBSTONE.fullmatch(blob) is not None


def names(store: Store) -> list[str]:
    """Every `kind:id` in quarantine, by kind and id. Looked up in slices: nobody waits for it."""
    with faults_named():
        found: Any = {name.decode() for name, _ in store.redis.hscan_iter(keys.QUARANTINE, count=_SCANNED)}
    return sorted(found, key=place_of)


def place_of(name: str) -> tuple[int, int]:
    """Where a `kind:id` stands among the names."""
    kind, _, number = name.partition(":")
    return _ORDER.get(kind, len(_ORDER)), int(number)


def some(store: Store, wanted: Sequence[str]) -> list[Refusal]:
    """Those of these `kind:id` that are in quarantine, in the same order."""
    if not wanted:
        return []
    places = [prefix + name for name in wanted for prefix in (keys.LIVE, keys.TRASH, keys.PURGED)]
    with faults_named():
        pipe = store.redis.pipeline(transaction=True)
        pipe.hmget(keys.QUARANTINE, list(wanted))
        pipe.mget(places)
        accounts, blobs = pipe.execute()
    texts = [next(filter(None, blobs[start : start + 3]), b"") for start in range(0, len(blobs), 3)]
    rows = zip(wanted, accounts, texts, strict=True)
    return [_refusal(name, account, blob) for name, account, blob in rows if account is not None]


def put_back(store: Store, refusals: Sequence[Refusal]) -> int:
    """Says of records that lie in a Redis that is closed that PostgreSQL refused them; returns how many.

    They are dirty again as well: PostgreSQL is asked once more. `blob` is kept of purged ones alone, the
    others were placed. Nothing is done if Redis is open. Raises Unavailable where a restore builds, if
    that was overtaken.
    """
    rows = (
        (each.name, each.version, account_of(each.version, each.reason, each.at), _tombstone(each))
        for each in refusals
    )
    flat = [value for row in rows for value in row]
    done = int(run_unverified(store, "set_apart", *flat)) if flat else 0
    if done < 0:
        raise Unavailable(OVERTAKEN)
    return done


def _tombstone(refusal: Refusal) -> bytes:
    return refusal.blob if refusal.is_purged else b""


def _refusal(name: str, account: bytes, blob: bytes) -> Refusal:
    kind, _, number = name.partition(":")
    said: dict[str, Any] = orjson.loads(account)
    return Refusal(
        kind, int(number), said.get("version", 0), said.get("reason", ""), said.get("at", ""), blob
    )
