"""What the flush did last, and what was ever found lost: kept beside the data, for the status."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import orjson

from taskapi.domain.clock import timestamp
from taskapi.store import keys
from taskapi.store.client import Store, faults_named, run

MOST_LOSSES = 100


@dataclass(frozen=True, slots=True)
class SyncHistory:
    """`last_sync` is None before the first. A loss: {store, above, up_to (None: unknown), at}, by version."""

    last_sync: str | None
    sync_count: int
    rows_synced: int
    losses: tuple[dict[str, Any], ...]


def note(store: Store, rows: int) -> None:
    """Notes a flush that went well."""
    run(store, "note", timestamp(), rows)


def record_loss(store: Store, where: str, above: int, up_to: int | None) -> None:
    """Records that a store came back without the versions in that range; once for each range.

    An empty range: some up to there were missing, and nothing tells which.
    """
    losses = history(store).losses
    if any((loss["store"], loss["above"], loss["up_to"]) == (where, above, up_to) for loss in losses):
        return
    loss = {"store": where, "above": above, "up_to": up_to, "at": timestamp()}
    with faults_named():
        store.redis.hset(keys.SYNC, "losses", orjson.dumps([*losses, loss][-MOST_LOSSES:]))


def history(store: Store) -> SyncHistory:
    """What was noted so far."""
    with faults_named():
        found: Any = store.redis.hgetall(keys.SYNC)
    last = found.get(b"last_sync")
    return SyncHistory(
        None if last is None else last.decode(),
        int(found.get(b"sync_count", 0)),
        int(found.get(b"rows_synced", 0)),
        tuple(orjson.loads(found.get(b"losses", b"[]"))),
    )
