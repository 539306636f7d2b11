"""Parents whose tasks are being swept: gone, moved or brought back, some at a time."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import orjson

from taskapi.domain.callers import Claim
from taskapi.domain.clock import timestamp
from taskapi.domain.records import Task
from taskapi.store import codec, keys
from taskapi.store.client import Store, faults_named, run
from taskapi.store.kinds import TASK

GONE, MOVED, BACK = "gone", "moved", "back"


@dataclass(frozen=True, slots=True)
class Account:
    """What a sweep has to do, for whom, and since when. `way` is GONE, MOVED or BACK."""

    way: str
    at: str
    actor: int
    request_id: str

    @property
    def text(self) -> str:
        """As it is kept."""
        return orjson.dumps(asdict(self)).decode()


def account(claim: Claim, way: str) -> str:
    """The account of a sweep that this caller has begun."""
    return Account(way, timestamp(), claim.user_id, claim.request_id).text


def accounts(store: Store) -> dict[str, Account]:
    """What is leaving, by name."""
    with faults_named():
        found: dict[Any, Any] = store.redis.hgetall(keys.LEAVING)
    return {name.decode(): Account(**orjson.loads(text)) for name, text in found.items()}


def tasks_of(store: Store, name: str, *, trash: bool, after: int, count: int) -> list[Task]:
    """The next tasks of that name by id, live or in the trash."""
    blobs = run(store, "sweep", name, "trash" if trash else "live", after, count)
    return [codec.decode(TASK, blob) for blob in blobs if blob is not None]
