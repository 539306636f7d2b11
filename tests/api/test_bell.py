"""The doorbell rings after writes, beside them, and for as long as anything is dirty."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Callable
from multiprocessing import get_context

import pytest
from flask import Flask
from redis import Redis

from taskapi.bell import Bell
from taskapi.config import Settings
from taskapi.dispatch import sender, turn_taker
from taskapi.domain.errors import Unavailable
from taskapi.store.client import Store, connect
from tests.api.conftest import Person, signed_up

PATIENCE_SECONDS = 10.0


class Heard:
    """A worker's ear: what was rung for, and an event for each ring."""

    def __init__(self, fault: Exception | None = None) -> None:
        self.names: list[str] = []
        self.fault = fault
        self._rung = threading.Semaphore(0)

    def __call__(self, name: str, **_: object) -> None:
        self.names.append(name)
        self._rung.release()
        if self.fault is not None:
            raise self.fault

    def wait(self) -> bool:
        """Whether it rings (again) soon."""
        return self._rung.acquire(timeout=PATIENCE_SECONDS)


def test_a_write_rings_for_the_flush_and_a_read_does_not(
    user: Person, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    rings: list[int] = []
    monkeypatch.setattr(Bell, "ring", lambda _: rings.append(1))
    task = user.task()
    assert len(rings) == 1
    user.get("/tasks")
    user.get(f"/tasks/{task['id']}")
    assert len(rings) == 1
    user.delete(f"/tasks/{task['id']}")
    assert len(rings) == 2


def test_it_rings_on_until_nothing_is_dirty(data: Store) -> None:
    heard = Heard()
    bell = Bell(data, heard, pause=0.02)
    data.redis.zadd("dirty", {"task:1": 1})
    bell.ring()
    assert all(heard.wait() for _ in range(3))
    data.redis.delete("dirty")
    assert _comes_to_rest(heard)
    assert set(heard.names) == {"sync.flush"}
    bell.stop()


def _comes_to_rest(heard: Heard) -> bool:
    """Whether there is, before long, a while without a ring."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        before = len(heard.names)
        time.sleep(0.3)
        if len(heard.names) == before:
            return True
    return False


def test_many_writes_at_once_ring_once(data: Store) -> None:
    heard = Heard()
    bell = Bell(data, heard, pause=60)
    data.redis.delete("dirty")
    for _ in range(100):
        bell.ring()
    assert heard.wait()
    assert heard.names == ["sync.flush"]
    bell.stop()


def test_a_broker_that_is_away_stops_neither_the_bell_nor_a_write(data: Store) -> None:
    heard = Heard(Unavailable("away"))
    bell = Bell(data, heard, pause=0.02)
    bell.ring()
    assert heard.wait()
    assert heard.wait()
    bell.stop()
    assert bell._thread is not None
    assert not bell._thread.is_alive()


def test_a_store_that_is_away_lets_it_rest(data: Store) -> None:
    heard = Heard()
    bell = Bell(connect("redis://127.0.0.1:1/0"), heard, pause=0.01)
    bell.ring()
    assert heard.wait()
    bell.ring()
    assert heard.wait()
    bell.stop()


def test_writes_are_served_while_the_broker_is_away(data: Store, make_app: Callable[..., Flask]) -> None:
    app = make_app(broker_url="redis://127.0.0.1:1/0")
    user = signed_up(app.test_client(), "ada")
    for _ in range(3):
        assert user.post("/tasks", {"title": "x"}).status_code == 201
    app.extensions["taskapi.api"].bell.stop()


def test_a_job_that_is_sent_lies_on_the_broker(redis_broker: Redis, plain_settings: Settings) -> None:
    assert plain_settings.broker_url is not None
    sender(plain_settings.broker_url)("sync.flush", number=1)
    assert redis_broker.llen("celery") == 1


def test_each_fork_has_a_bell_of_its_own(data: Store) -> None:
    heard = Heard()
    bell = Bell(data, heard, pause=0.02)
    data.redis.delete("dirty")
    bell.ring()
    assert heard.wait()
    parent, child = get_context("fork").Pipe()
    process = get_context("fork").Process(target=_ring_in_child, args=(bell, child))
    process.start()
    assert parent.poll(PATIENCE_SECONDS)
    assert parent.recv() != os.getpid()
    process.join(PATIENCE_SECONDS)
    bell.stop()


def _ring_in_child(bell: Bell, pipe: object) -> None:
    heard = Heard()
    bell._send_job = heard
    bell.ring()
    if heard.wait():
        pipe.send(bell._process)  # type: ignore[attr-defined]


def test_a_ring_that_no_worker_hears_in_time_expires(data: Store, redis_broker: Redis, app: Flask) -> None:
    bell = app.extensions["taskapi.api"].bell
    bell.ring()
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not redis_broker.llen("celery") and time.monotonic() < deadline:
        time.sleep(0.01)
    message = json.loads(redis_broker.lindex("celery", 0))
    assert message["headers"]["task"] == "sync.flush"
    assert message["headers"]["expires"] is not None


def test_many_processes_ring_in_turn(redis_broker: Redis, plain_settings: Settings) -> None:
    assert plain_settings.broker_url is not None
    bells = [turn_taker(plain_settings.broker_url) for _ in range(3)]
    assert [may_ring() for may_ring in bells] == [True, False, False]
    redis_broker.delete("taskapi:rung")
    assert bells[2]()


def test_where_many_jobs_wait_no_bell_rings(redis_broker: Redis, plain_settings: Settings) -> None:
    assert plain_settings.broker_url is not None
    redis_broker.rpush("celery", *["waits"] * 100)
    assert not turn_taker(plain_settings.broker_url)()


@pytest.mark.parametrize("permitted", [True, False])
def test_the_last_write_of_a_process_is_rung_for_when_it_ends(data: Store, permitted: bool) -> None:
    heard = Heard()
    bell = Bell(data, heard, pause=60, may_ring=lambda: permitted)
    bell.ring()
    if permitted:
        assert heard.wait()
        bell.ring()
    bell.stop()
    assert heard.names == ["sync.flush"] * (2 if permitted else 1)
    bell.stop()
    assert len(heard.names) == (2 if permitted else 1)
