"""A Celery app on the real broker, with the worker's connections to the real stores."""

from collections.abc import Iterator

import pytest
from celery import Celery
from redis import Redis

from taskapi.config import Settings, load_settings
from taskapi.embedded.servers import Servers
from tests.conftest import product_environment
from worker import connections
from worker.setup import make_celery


@pytest.fixture
def settings(servers: Servers) -> Settings:
    """Those of a program of the product on these servers."""
    return load_settings(product_environment(servers), None)


@pytest.fixture
def app(settings: Settings, database_url: str, redis_data: Redis, redis_broker: Redis) -> Iterator[Celery]:
    """The app, current; its jobs can be called as functions."""
    made = make_celery(settings)
    made.set_current()
    connections.forget()
    yield made
    connections.engine().dispose()
    connections.store().redis.close()
    connections.broker().redis.close()
    connections.forget()
    made.close()
