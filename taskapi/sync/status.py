"""How far the two stores are apart, and whether everything runs, for the owner."""

from dataclasses import asdict
from datetime import datetime
from typing import Any

from taskapi.db import queries
from taskapi.db.engine import Engine, is_reachable, within
from taskapi.db.errors import PostgresAway
from taskapi.domain import clock
from taskapi.domain.errors import Unavailable
from taskapi.store import checks, cleanups, comparisons, dirty, heartbeats, state, syncs, watch
from taskapi.store.client import Store
from taskapi.store.heartbeats import Alive
from taskapi.store.jobs import Jobs
from taskapi.store.state import State
from taskapi.sync import ground, losses, restores
from taskapi.sync.headroom import headroom

ANSWER_SECONDS = 1.0
NOBODY = Alive((), beat=False)


def read_status(store: Store, engine: Engine, broker: Jobs, interval: float) -> dict[str, Any]:
    """All of it; `interval` is that of the full sweep in seconds. Raises Unavailable if Redis is away."""
    waiting, done, now = dirty.backlog(store), syncs.history(store), state.look(store)
    since = _seconds_since(done.last_sync)
    alive, kept = _alive(broker), watch.kept(store)
    answers = _postgres_answers(engine)
    restored, kept_losses = _of_postgres(store, engine) if answers else (None, [])
    return {
        "state": _state(now),
        "running": alive.is_running,
        "interval": duration(interval),
        "last_sync": done.last_sync,
        "time_since_last_sync": None if since is None else duration(since),
        "healthy": since is not None and since < 2 * interval,
        "dirty_types": [f"{kind}s" for kind in waiting.dirty],
        "pending_changes": waiting.total > 0,
        "redis_status": "connected" if now.is_ready or now.is_restoring else "error",
        "postgres_status": "connected" if answers else "error",
        "lag": round(waiting.lag, 3),
        "dirty": {f"{kind}s": count for kind, count in waiting.dirty.items()},
        "quarantine": len(waiting.quarantined),
        "workers": list(alive.workers),
        "epoch": now.epoch,
        "losses": kept_losses or [loss | {"seen": None} for loss in done.losses],
        "sync_count": done.sync_count,
        "rows_synced": done.rows_synced,
        "last_restore": restored,
        "last_compare": comparisons.last(store),
        "cleanup": cleanups.last(store),
        "headroom": headroom(store, now, kept),
        "ground": ground.told(kept),
    }


def read_stats(store: Store, engine: Engine, broker: Jobs, interval: float) -> dict[str, Any]:
    """How many records each store has; `postgresql` is None while it is away."""
    status = read_status(store, engine, broker, interval)
    shown = ("running", "healthy", "pending_changes")
    return {
        "redis": checks.record_counts(store),
        "postgresql": _postgres_counts(engine) if status["postgres_status"] == "connected" else None,
        "sync": {name: status[name] for name in shown},
    }


def _state(now: State) -> str:
    """What Redis does: it is `ready`, is `restoring`, or was `closed`, or is `unverified` after a restart."""
    known = {"ready": now.is_ready, "restoring": now.is_restoring, "closed": now.is_closed}
    return next((name for name, is_so in known.items() if is_so), "unverified")


def _of_postgres(store: Store, engine: Engine) -> tuple[dict[str, Any] | None, list[dict[str, Any]]]:
    """The last restore, and the losses with whether somebody knows of them."""
    try:
        with within(ANSWER_SECONDS):
            return restores.last(engine), [asdict(loss) for loss in losses.every(store, engine)]
    except PostgresAway:
        return None, []


def duration(seconds: float) -> str:
    """`15m0s`, `1h0m5s`, `42s`: whole seconds, the larger units only where there are any."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours}h{minutes}m{rest}s"
    return f"{minutes}m{rest}s" if minutes else f"{rest}s"


def _seconds_since(moment: str | None) -> float | None:
    if moment is None:
        return None
    return max(0.0, (clock.now() - datetime.fromisoformat(moment)).total_seconds())


def _alive(broker: Jobs) -> Alive:
    try:
        return heartbeats.alive(broker)
    except Unavailable:
        return NOBODY


def _postgres_answers(engine: Engine) -> bool:
    try:
        return is_reachable(engine)
    except PostgresAway:
        return False


def _postgres_counts(engine: Engine) -> dict[str, int] | None:
    try:
        counts = queries.record_counts(engine)
    except PostgresAway:
        return None
    return {f"{kind}s": counts[kind] for kind in ("user", "group", "task")}
