"""The commands, run as an operator runs them, on a store that is open."""

from collections.abc import Callable, Iterator

import pytest
from click.testing import Result
from flask import Flask
from redis import Redis

from taskapi import create_app
from taskapi.config import load_settings
from taskapi.embedded.servers import Servers
from taskapi.services.owner import ensure_owner
from taskapi.store.client import Store, connect
from tests.conftest import product_environment
from tests.store.conftest import open_anew

Run = Callable[..., Result]


@pytest.fixture
def store(servers: Servers, redis_data: Redis) -> Iterator[Store]:
    """An open store with user 1."""
    opened = connect(servers.urls["redis"])
    open_anew(opened)
    ensure_owner(opened, "admin@example.org", "owner-password")
    yield opened
    opened.redis.close()


@pytest.fixture
def app(store: Store, servers: Servers, redis_broker: Redis) -> Iterator[Flask]:
    """The app on that store."""
    made = create_app(load_settings(product_environment(servers), None))
    made.extensions["taskapi.store"].redis.close()
    made.extensions["taskapi.store"] = store
    yield made
    made.extensions["taskapi.jobs"].redis.close()


@pytest.fixture
def run(app: Flask) -> Run:
    """Runs one command; the words are its own."""
    return lambda *words, typed=None: app.test_cli_runner().invoke(args=words, input=typed)
