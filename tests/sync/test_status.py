"""What the owner sees of the machinery."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from redis import Redis

from taskapi.db.engine import Engine, connect
from taskapi.domain import clock
from taskapi.domain.clock import timestamp
from taskapi.domain.records import Group
from taskapi.embedded.servers import Servers
from taskapi.outside.shelf import Shelf
from taskapi.store import dirty, heartbeats, jobs, state, syncs
from taskapi.store.client import Store
from taskapi.store.jobs import Jobs
from taskapi.store.syncs import Loss
from taskapi.sync import losses, status
from taskapi.sync.backup import back_up
from taskapi.sync.flush import drain
from taskapi.sync.going_back import go_back
from taskapi.sync.status import duration, read_stats, read_status
from tests.sync.conftest import create, new_task, restart

MINUTES = 900.0


@pytest.fixture
def broker(servers: Servers, redis_broker: Redis) -> Iterator[Jobs]:
    broker = jobs.connect(servers.urls["broker"])
    yield broker
    broker.redis.close()


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0s"), (42.9, "42s"), (60, "1m0s"), (330, "5m30s"), (900, "15m0s"), (3605, "1h0m5s")],
)
def test_durations_are_told_like_this(seconds: float, text: str):
    assert duration(seconds) == text


def test_before_the_first_sync(opened: Store, engine: Engine, broker: Jobs):
    found = read_status(opened, engine, broker, MINUTES)

    assert (found["last_sync"], found["time_since_last_sync"], found["healthy"]) == (None, None, False)
    assert (found["running"], found["workers"], found["interval"]) == (False, [], "15m0s")
    assert (found["dirty_types"], found["dirty"], found["pending_changes"]) == (["users"], {"users": 1}, True)
    assert (found["redis_status"], found["postgres_status"]) == ("connected", "connected")
    left = {"users": 1000, "groups": 1000, "tasks": 1_000_000, "files": 100_000}
    assert found["headroom"]["ids"] == left


def test_after_a_sync(opened: Store, engine: Engine, broker: Jobs, monkeypatch: pytest.MonkeyPatch):
    heartbeats.note(broker, "celery@a", heartbeats.BEAT)
    new_task(opened)
    drain(opened, engine, 5)

    found = read_status(opened, engine, broker, MINUTES)

    assert (found["healthy"], found["running"], found["workers"]) == (True, True, ["celery@a"])
    assert (found["sync_count"], found["rows_synced"], found["epoch"]) == (1, 2, 1)
    assert (found["dirty_types"], found["pending_changes"], found["lag"]) == ([], False, 0.0)
    later = clock.now() + timedelta(seconds=2 * MINUTES + 1)
    monkeypatch.setattr(status.clock, "now", lambda: later)
    found = read_status(opened, engine, broker, MINUTES)
    assert (found["healthy"], found["time_since_last_sync"]) == (False, "30m1s")


def test_with_postgresql_and_the_broker_away(opened: Store, engine: Engine):
    away = connect("postgresql+psycopg2://nobody@127.0.0.1:1/nothing")
    nobody = jobs.connect("redis://127.0.0.1:1/0")

    found = read_status(opened, away, nobody, MINUTES)

    assert (found["postgres_status"], found["running"]) == ("error", False)
    assert read_stats(opened, away, nobody, MINUTES)["postgresql"] is None


def test_a_loss_says_whether_somebody_knows_of_it(opened: Store, engine: Engine, broker: Jobs):
    known, news = Loss("redis", 5, 9), Loss("redis", 20, None)
    syncs.record_losses(opened, [known, news])
    losses.see(opened, engine, [known])

    def seen(postgres: Engine) -> list[tuple[int, bool | None]]:
        found = read_status(opened, postgres, broker, MINUTES)["losses"]
        return sorted((loss["above"], loss["seen"]) for loss in found)

    assert seen(engine) == [(5, True), (20, False)]
    away = connect("postgresql+psycopg2://nobody@127.0.0.1:1/nothing")
    assert seen(away) == [(5, None), (20, None)]


def test_what_redis_does_is_told_all_the_while(opened: Store, engine: Engine, broker: Jobs):
    def told() -> str:
        found: str = read_status(opened, engine, broker, MINUTES)["state"]
        return found

    seen = [told()]
    state.freeze(opened, "token")
    seen.append(told())
    state.thaw(opened, "token")
    state.close(opened)
    seen.append(told())
    restart(opened)
    opened.redis.hset("meta", "state", "ready")
    seen.append(told())

    assert seen == ["ready", "restoring", "closed", "unverified"]


def test_the_last_restore_is_told_whoever_asked_for_it(
    opened: Store, engine: Engine, broker: Jobs, shelf: Shelf, monkeypatch: pytest.MonkeyPatch
):
    assert read_status(opened, engine, broker, MINUTES)["last_restore"] is None
    made = back_up(opened, engine, shelf)
    new_task(opened)
    archive = go_back(opened, engine, shelf, made.id)["archive"]

    found = read_status(opened, engine, broker, MINUTES)["last_restore"]
    assert (found["action"], found["target"], found["archive"]) == ("restored", made.id, archive)
    assert found["at"] <= clock.timestamp()

    away = connect("postgresql+psycopg2://nobody@127.0.0.1:1/nothing")
    monkeypatch.setattr(status, "is_reachable", lambda engine: True)
    assert read_status(opened, away, broker, MINUTES)["last_restore"] is None


def test_postgresql_going_away_between_two_questions(
    opened: Store, engine: Engine, broker: Jobs, monkeypatch: pytest.MonkeyPatch
):
    away = connect("postgresql+psycopg2://nobody@127.0.0.1:1/nothing")
    monkeypatch.setattr(status, "is_reachable", lambda engine: True)
    assert read_stats(opened, away, broker, MINUTES)["postgresql"] is None


def test_both_stores_are_counted(opened: Store, engine: Engine, broker: Jobs):
    new_task(opened)
    create(opened, Group(name="Team", created_at=timestamp(), updated_at=timestamp()))
    drain(opened, engine, 5)
    new_task(opened)

    found = read_stats(opened, engine, broker, MINUTES)

    assert found["redis"] == {"users": 1, "groups": 1, "tasks": 2}
    assert found["postgresql"] == {"users": 1, "groups": 1, "tasks": 1}
    assert found["sync"] == {"running": False, "healthy": True, "pending_changes": True}


def test_a_loss_is_recorded_once(opened: Store):
    loss = Loss("redis", 5, 9)

    assert syncs.record_losses(opened, [loss]) == [loss]
    assert syncs.record_losses(opened, [loss]) == []

    assert syncs.losses_of(opened) == [loss]


def test_what_waits_is_counted_kind_by_kind(opened: Store):
    new_task(opened)
    new_task(opened)

    waiting = dirty.backlog(opened)

    assert (waiting.dirty, waiting.total) == ({"task": 2, "user": 1}, 3)
    assert waiting.lag >= 0
