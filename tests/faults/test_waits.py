"""Every wait has an end, and every retry a number: of whatever speaks to a server."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
from celery import Celery
from flask import Flask
from psycopg2 import extensions
from sqlalchemy import Engine, text

from taskapi.api.serving import ANSWER_SECONDS
from taskapi.api.wiring import wired
from taskapi.config import PROJECT_ROOT, Settings
from taskapi.db import locks
from taskapi.db.engine import CONNECT_SECONDS, transaction
from taskapi.db.errors import PostgresAway
from taskapi.domain.deadlines import anew, left, within
from taskapi.extensions import db
from taskapi.factory import create_app
from taskapi.store.wires import Wire
from tests.faults.conftest import LONGEST_CALL, OWNER, System
from worker import connections
from worker.setup import make_celery

MAKERS = {
    "from_url": {"taskapi/store/client.py"},
    "create_engine": {"taskapi/db/engine.py"},
    "Celery": {"taskapi/dispatch.py", "worker/setup.py"},
    "S3Store": {"taskapi/outside/bucket.py"},
    "Redis": {"taskapi/store/staging.py"},
    "ConnectionPool": {"taskapi/store/staging.py"},
    "StrictRedis": set(),
    "Limiter": {"taskapi/api/addresses.py"},
    "SQLAlchemy": {"taskapi/extensions.py"},
    "urlopen": set(),
}
"""What makes a client, and where alone that is done: another place belongs into these tests."""


def _called(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call):
            yield node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")


def test_clients_are_made_where_they_are_looked_at_here() -> None:
    found: dict[str, set[str]] = {name: set() for name in MAKERS}
    for folder in ("taskapi", "worker"):
        for path in (PROJECT_ROOT / folder).rglob("*.py"):
            for name in MAKERS.keys() & set(_called(path)):
                found[name].add(str(path.relative_to(PROJECT_ROOT)))
    assert found == MAKERS


@pytest.fixture
def pools(monkeypatch: pytest.MonkeyPatch) -> list[redis.ConnectionPool]:
    """Every pool of connections to a Redis that is made from now on, by whomever."""
    made: list[redis.ConnectionPool] = []
    begin = redis.ConnectionPool.__init__

    def noted(pool: redis.ConnectionPool, *args: Any, **options: Any) -> None:
        begin(pool, *args, **options)
        made.append(pool)

    monkeypatch.setattr(redis.ConnectionPool, "__init__", noted)
    return made


def test_every_pool_of_the_api_has_time_outs(
    system: System, pools: list[redis.ConnectionPool], plain_settings: Settings
) -> None:
    app = create_app(plain_settings)
    client = app.test_client()
    assert client.post("/tasks", json={"title": "x"}, headers=OWNER).status_code == 201
    assert client.post("/admin/sync?action=force&wait=0", headers=OWNER).status_code == 202
    app.extensions["taskapi.api"].bell.stop()
    assert len(pools) >= 4  # data, jobs, the bell's turns, limits, Kombu's
    for pool in pools:
        require_ends(pool, 1.0)


def test_every_pool_of_a_worker_has_time_outs(
    system: System, pools: list[redis.ConnectionPool], plain_settings: Settings
) -> None:
    app = make_celery(plain_settings)
    app.set_current()
    connections.forget()
    app.send_task("no.such.job")
    connections.store().redis.ping()
    connections.broker().redis.ping()
    assert len(pools) >= 3
    for pool in pools:
        require_ends(pool, 3.0)
    require_ends_of(connections.engine())
    connections.engine().dispose()
    connections.forget()
    app.close()


def require_ends(pool: redis.ConnectionPool, longest: float) -> None:
    """Connecting and answering end, and what is tried again is tried at most once more."""
    options = pool.connection_kwargs
    connection = pool.make_connection()
    for patience in ("socket_timeout", "socket_connect_timeout"):
        assert 0 < options[patience] <= longest, (pool, patience)
    assert connection.retry.get_retries() <= 1
    assert isinstance(connection, Wire) or options["health_check_interval"] > 0


def require_ends_of(engine: Engine) -> None:
    """The same, and the server itself ends what takes too long."""
    assert engine.pool.timeout() == CONNECT_SECONDS  # type: ignore[attr-defined]
    assert extensions.get_wait_callback() is not None
    with transaction(engine) as connection:
        waits = [connection.scalar(text(f"SHOW {name}")) for name in ("lock_timeout", "statement_timeout")]
    assert waits == ["5s", "30s"]


def test_the_apis_engine_has_time_outs(system: System, proxied: Flask) -> None:
    with proxied.app_context():
        require_ends_of(db.engine)


def test_celery_waits_for_nothing_for_ever(plain_settings: Settings) -> None:
    app = make_celery(plain_settings)
    app.loader.import_default_modules()
    conf = app.conf
    longest = max(task.time_limit or conf.task_time_limit for task in app.tasks.values())
    for transport in (conf.broker_transport_options, conf.result_backend_transport_options):
        assert transport["socket_timeout"] > 1  # a worker's BRPOP answers each second
        assert 0 < transport["socket_connect_timeout"] <= 3
        assert 0 < transport["health_check_interval"] <= 5
        assert transport["max_retries"] <= 1
        assert transport["visibility_timeout"] > longest  # nothing that is being done is handed out again
    assert 0 < conf.broker_connection_timeout <= 3
    assert 0 < conf.redis_socket_timeout <= 3
    assert 0 < conf.redis_socket_connect_timeout <= 3
    assert conf.broker_connection_retry_on_startup
    assert conf.broker_connection_max_retries is None  # a worker tries for as long as it lives


def test_the_bells_celery_gives_up_at_once(plain_settings: Settings) -> None:
    send_job = create_app(plain_settings).extensions["taskapi.api"].send_job
    client: Celery = next(
        cell.cell_contents for cell in send_job.__closure__ if isinstance(cell.cell_contents, Celery)
    )
    transport = client.conf.broker_transport_options
    assert transport["max_retries"] == 0
    assert max(transport["socket_timeout"], transport["socket_connect_timeout"]) < 1
    assert client.conf.broker_connection_timeout < 1
    assert not client.conf.task_publish_retry
    assert not client.conf.broker_connection_retry


def test_a_worker_that_stands_still_keeps_no_other_waiting(
    system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(locks, "IDLE_SECONDS", 0.2)
    others: list[str] = []
    with pytest.raises(PostgresAway, match="idle-in-transaction"):
        _stand_still(system.engine, others)
    assert others == ["went on"]


def _stand_still(engine: Engine, others: list[str]) -> None:
    with transaction(engine) as still:
        locks.hold_shared(still)
        with locks.held_alone(engine):
            others.append("went on")
        still.execute(text("SELECT 1"))


def test_a_deadline_can_only_be_shortened_but_by_who_asked_to_wait() -> None:
    assert left() > 1e9
    with within(ANSWER_SECONDS):
        with within(1000.0):
            assert left() <= ANSWER_SECONDS < LONGEST_CALL
        with within(0.0):
            assert left() == 0.0
        with anew(1000.0):
            assert left() > 900
    assert left() > 1e9


def test_a_request_is_given_up_when_its_time_is_over(proxied: Flask, system: System) -> None:
    with proxied.app_context(), within(0.0), pytest.raises(redis.TimeoutError, match="no time left"):
        wired().store.redis.ping()
