"""When each clean-up was done last, and how much it removed: kept beside the data, for the status."""

from __future__ import annotations

from typing import Any

import orjson

from taskapi.domain.clock import timestamp
from taskapi.store import keys
from taskapi.store.client import Store, faults_named

_PREFIX = "cleanup:"


def note(store: Store, name: str, removed: int) -> None:
    """Notes that it was done now; this takes the place of the time before."""
    with faults_named():
        store.redis.hset(keys.SYNC, _PREFIX + name, orjson.dumps({"at": timestamp(), "removed": removed}))


def last(store: Store) -> dict[str, dict[str, Any]]:
    """{name: {at, removed}} of each that was ever done."""
    with faults_named():
        found: dict[Any, Any] = store.redis.hgetall(keys.SYNC)
    noted = {field.decode(): text for field, text in found.items() if field.startswith(_PREFIX.encode())}
    return {name.removeprefix(_PREFIX): dict(orjson.loads(text)) for name, text in sorted(noted.items())}
