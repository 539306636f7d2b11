"""Ids ahead: reserved in PostgreSQL first, then counted in Redis."""

from taskapi.db import meta
from taskapi.db.engine import Engine, transaction
from taskapi.domain import failpoints
from taskapi.store import state
from taskapi.store.client import Store
from taskapi.store.dirty import Batch
from taskapi.sync import fence


def top_up(store: Store, engine: Engine, batch: Batch) -> dict[str, int]:
    """Leases more ids of each kind of which less than half a lease is left; returns the new ceilings.

    The epoch is that of the batch. Raises what `fence.enter` raises.
    """
    wanted = _wanted(state.leases(store))
    if not wanted:
        return {}
    with transaction(engine) as connection:
        fence.enter(connection, batch)
        ceilings = {kind: meta.lease(connection, kind, ceiling) for kind, ceiling in sorted(wanted.items())}
        commit = meta.count_commit(connection)
        failpoints.reach("leases.leased")
    failpoints.reach("leases.committed")
    state.raise_ceilings(store, batch.epoch, commit, ceilings)
    return ceilings


def _wanted(ids: dict[str, tuple[int, int]]) -> dict[str, int]:
    sizes = {kind.name: kind.lease for kind in state.leased()}
    return {
        kind: last + sizes[kind] for kind, (last, ceiling) in ids.items() if ceiling - last < sizes[kind] // 2
    }
