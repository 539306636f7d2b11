"""What a worker process speaks to: made on first use in each process, so that nothing crosses a fork."""

from dataclasses import dataclass
from functools import cache

from celery import current_app
from celery.signals import worker_process_init

from taskapi.config import Settings
from taskapi.db.engine import Engine
from taskapi.db.engine import connect as connect_postgres
from taskapi.embedded.servers import running_urls
from taskapi.outside.shelf import Shelf, open_shelf
from taskapi.store.client import Store
from taskapi.store.client import connect as connect_redis
from taskapi.store.jobs import Jobs
from taskapi.store.jobs import connect as connect_broker


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where the three servers are."""

    redis: str
    broker: str
    postgres: str


def addresses_of(settings: Settings) -> Addresses:
    """As set; in development else those that `make run` started last on this home.

    Raises SystemExit with a sentence if one is not known.
    """
    given = {"redis": settings.redis_url, "broker": settings.broker_url, "postgres": settings.database_url}
    known = running_urls(settings.taskapi_home) | {name: url for name, url in given.items() if url}
    missing = sorted(given.keys() - known.keys())
    if missing:
        raise SystemExit(f"Nothing says where {missing[0]} is: set REDIS_URL, BROKER_URL and DATABASE_URL.")
    return Addresses(**{name: known[name] for name in given})


@cache
def store() -> Store:
    """The data Redis."""
    return connect_redis(current_app.addresses.redis, safe_only=current_app.settings.safe_redis_only)


@cache
def broker() -> Jobs:
    """The broker Redis, for what is shown of jobs and workers."""
    return connect_broker(current_app.addresses.broker)


@cache
def engine() -> Engine:
    """PostgreSQL."""
    return connect_postgres(current_app.addresses.postgres)


def settings() -> Settings:
    """The worker's settings."""
    found: Settings = current_app.settings
    return found


def shelf() -> Shelf:
    """Where backups go."""
    return open_shelf(settings().backup_url)


def forget(**_: object) -> None:
    """A forked process makes its own; those of its parent are left alone."""
    for connection in (store, broker, engine):
        connection.cache_clear()


worker_process_init.connect(forget)
