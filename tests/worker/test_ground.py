"""The check of the ground, as the worker does it: when it starts, and each minute."""

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace

import pytest
from celery import Celery
from structlog.testing import capture_logs

from taskapi.config import PROJECT_ROOT
from taskapi.domain.errors import Unavailable
from taskapi.embedded.servers import Servers
from taskapi.store import state, watch
from taskapi.store.client import Store
from taskapi.sync.admission import admit
from tests.conftest import product_environment
from tests.worker.test_fleet import PATIENCE_SECONDS, wait_until
from tests.worker.test_start import WORKER
from worker import connections, housekeeping
from worker.connections import engine, store
from worker.schedule import beat_schedule
from worker.sync import flush


@pytest.fixture
def careless(app: Celery) -> Iterator[Store]:
    """The store, whose server does not fsync each write until the test is over."""
    store().redis.config_set("appendfsync", "everysec")
    yield store()
    store().redis.config_set("appendfsync", "always")


def told() -> list[str]:
    return [finding["what"] for finding in watch.kept(store()).report["findings"]]


def test_it_is_rung_each_minute():
    assert beat_schedule(900.0)["housekeeping.ground"]["schedule"] == 60.0


def test_what_a_live_server_was_set_to_is_found_and_kept(careless: Store):
    flush()
    housekeeping.ground()
    assert told() == ["appendfsync"]


def test_in_production_the_worker_opens_no_such_redis_and_says_why(app: Celery, careless: Store):
    app.settings = replace(app.settings, taskapi_env="production")
    connections.forget()
    with capture_logs() as logs:
        flush()
    assert not state.look(store()).is_ready
    assert "set appendfsync always (it is everysec)" in logs[0]["reason"]
    with pytest.raises(Unavailable, match="DURABILITY=postgres"):
        admit(store(), engine())
    with pytest.raises(SystemExit, match="appendfsync"):
        housekeeping.refuse_unsafe_redis()


def test_where_every_write_waits_for_postgresql_it_is_opened(app: Celery, careless: Store):
    app.settings = replace(app.settings, taskapi_env="production", durability="postgres")
    connections.forget()
    flush()
    assert state.look(store()).is_ready
    housekeeping.refuse_unsafe_redis()
    housekeeping.ground()
    assert told() == []


def test_with_redis_away_the_check_waits_for_its_next_minute(app: Celery, servers: Servers):
    servers.stop("redis")
    try:
        with capture_logs() as logs:
            housekeeping.ground()
            housekeeping.refuse_unsafe_redis()
    finally:
        servers.start("redis")
    assert [line["event"] for line in logs] == ["the ground could not be checked"]


def test_a_worker_that_starts_checks_at_once(app: Celery, servers: Servers):
    flush()
    environment = os.environ | product_environment(servers)
    with subprocess.Popen(
        [sys.executable, "-m", *WORKER], cwd=PROJECT_ROOT, env=environment, stderr=subprocess.DEVNULL
    ) as worker:
        try:
            wait_until(lambda: bool(watch.kept(store()).report))
        finally:
            worker.terminate()
            worker.wait(PATIENCE_SECONDS)
    assert told() == []
