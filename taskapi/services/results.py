"""What services answer with: text that is ready to send, and what must be said about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import orjson

from taskapi.store.codec import Stored


@dataclass(frozen=True, slots=True)
class Shown:
    """One record as the caller may see it: `body` is its JSON.

    `version` is that of the whole stored record, None where the body is narrowed or computed.
    `dirty` names what a write has left for PostgreSQL (kind:id@version; without a version, whichever is
    there), `replayed` says that this write had been done before.
    """

    body: bytes
    id: int = 0
    version: int | None = None
    dirty: tuple[str, ...] = ()
    replayed: bool = False

    def after(self, *dirty: str, replayed: bool = False) -> Shown:
        """The same as the answer to a write."""
        return replace(self, dirty=dirty, replayed=replayed)


@dataclass(frozen=True, slots=True)
class Listed:
    """One page: `items` are JSON texts, `name` is their plural, `beside` are further keys of the answer."""

    name: str
    items: tuple[bytes, ...]
    total: int
    next_cursor: str | None = None
    beside: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Login:
    """A session that has begun or gone on: what its tokens must say."""

    user: Shown
    user_id: int
    session: str
    refresh_id: str


def whole(stored: Stored) -> Shown:
    """A record shown as it is stored."""
    return Shown(stored.blob, stored.id, stored.version)


def computed(values: Mapping[str, Any], record_id: int = 0) -> Shown:
    """Something that is not a stored record, or part of one."""
    return Shown(orjson.dumps(values), record_id)


def deleted(record_id: int) -> Shown:
    """The answer to every delete."""
    return computed({"id": record_id, "deleted": True}, record_id)
