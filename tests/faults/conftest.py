"""Both stores, empty and admitted; proxies before each server; apps that speak through them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest
from flask import Flask
from redis import Redis
from werkzeug.test import TestResponse

from taskapi.config import Settings
from taskapi.db.engine import Engine, connect
from taskapi.embedded.servers import NAMES, Servers
from taskapi.services.owner import ensure_owner
from taskapi.store import client
from taskapi.store.client import Store
from taskapi.store.scrub import differences
from taskapi.sync.admission import admit
from taskapi.sync.catching_up import catch_up
from taskapi.sync.compare import compare
from tests.api.conftest import OWNER_PASSWORD, make_app, plain_settings
from tests.faults.proxy import Proxy

__all__ = ["make_app", "plain_settings"]

LONGEST_CALL = 2.0
PATIENCE_SECONDS = 60.0
OWNER = {"X-Owner-Password": OWNER_PASSWORD}


@dataclass(frozen=True)
class System:
    """Both stores, reached without any proxy."""

    store: Store
    engine: Engine

    def require_equal(self) -> None:
        """Everything was carried, both stores have the same, and every index and counter is right."""
        catch_up(self.store, self.engine, PATIENCE_SECONDS)
        found = compare(self.store, self.engine)
        assert (found.is_equal, found.is_sound, found.waiting) == (True, True, [])
        assert differences(self.store) == []


class Metronome:
    """How long this machine has kept everybody waiting who wanted nothing but to go on."""

    def __init__(self) -> None:
        self.late = 0.0
        threading.Thread(target=self._beat, daemon=True).start()

    def _beat(self) -> None:
        while True:
            begun = time.monotonic()
            time.sleep(0.01)
            self.late += max(0.0, time.monotonic() - begun - 0.015)


METRONOME = Metronome()


@dataclass
class Stopwatch:
    """Takes the time of calls; none may hang, and none may fail for a reason of ours.

    What a busy machine takes from everybody is not counted against them.
    """

    seconds: list[float] = field(default_factory=list)

    def call(self, send: Callable[[], TestResponse]) -> TestResponse:
        """The answer: what was asked for, or that it cannot be had now."""
        begun, late = time.monotonic(), METRONOME.late
        answer = send()
        self.seconds.append(time.monotonic() - begun - (METRONOME.late - late))
        assert answer.status_code < 300 or answer.status_code == 503, answer.get_data(as_text=True)
        assert self.seconds[-1] < LONGEST_CALL
        return answer


def insisted(send: Callable[[], TestResponse]) -> TestResponse:
    """The answer that is not 503: a busy machine may need more than one call."""
    until = time.monotonic() + PATIENCE_SECONDS
    while (answer := send()).status_code == 503:
        assert time.monotonic() < until, answer.get_data(as_text=True)
    return answer


def wait_until(is_so: Callable[[], bool]) -> float:
    """How long it took."""
    begun = time.monotonic()
    while not is_so():
        assert time.monotonic() < begun + PATIENCE_SECONDS, "it never came to be"
        time.sleep(0.05)
    return time.monotonic() - begun


@pytest.fixture
def system(servers: Servers, database_url: str, redis_data: Redis, redis_broker: Redis) -> Iterator[System]:
    """Empty, admitted, with the owner."""
    store, engine = client.connect(servers.urls["redis"]), connect(database_url)
    admit(store, engine)
    ensure_owner(store, "admin@gmail.com", OWNER_PASSWORD)
    yield System(store, engine)
    store.redis.close()
    engine.dispose()


@pytest.fixture(scope="session")
def proxies(servers: Servers) -> Iterator[dict[str, Proxy]]:
    """One before each server, by its name."""
    made = {name: Proxy(servers.urls[name]) for name in NAMES}
    yield made
    for proxy in made.values():
        proxy.close()


@pytest.fixture(scope="session")
def proxied(proxies: dict[str, Proxy], plain_settings: Settings, make_app: Callable[..., Flask]) -> Flask:
    """An app that reaches each server through its proxy."""
    urls = {"redis": "redis_url", "broker": "broker_url", "postgres": "database_url"}
    return make_app(**{setting: proxies[name].url for name, setting in urls.items()})


@pytest.fixture
def app(system: System, proxied: Flask) -> Flask:
    """The same, on an empty system."""
    return proxied
