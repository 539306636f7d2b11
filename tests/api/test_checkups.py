"""How the parts of the system are: told to everybody, and without hammering them."""

from __future__ import annotations

import time
from collections.abc import Callable
from threading import Thread
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from redis import Redis

from taskapi.api.checkups import Checkups
from taskapi.config import PROJECT_ROOT
from taskapi.domain.errors import Unavailable
from taskapi.embedded.servers import Servers
from taskapi.store import heartbeats
from taskapi.store.client import Store
from taskapi.store.heartbeats import BEAT, Alive
from taskapi.version import VERSION
from tests.stopping import standing_still

NOWHERE = "redis://127.0.0.1:1/0"
NO_DATABASE = "postgresql+psycopg2://nobody:nothing@127.0.0.1:1/none"


@pytest.fixture
def fresh(data: Store, make_app: Callable[..., Flask]) -> Callable[..., FlaskClient]:
    """A client of an app that has looked at nothing yet, and that has a worker and a beat."""

    def make(**different: Any) -> FlaskClient:
        app = make_app(**different)
        if "broker_url" not in different:
            heartbeats.note(app.extensions["taskapi.jobs"], "celery@one", BEAT)
        return app.test_client()

    return make


def test_all_is_well(fresh: Callable[..., FlaskClient], database_url: str) -> None:
    client = fresh()
    for path in ("/health/detailed", "/v1/health/detailed?probe=1"):
        answer = client.get(path)
        assert (answer.status_code, set(answer.json)) == (200, {"status", "version", "checks", "timestamp"})
    assert (answer.json["status"], answer.json["version"]) == ("healthy", VERSION)
    checks = answer.json["checks"]
    assert {checks[part]["status"] for part in ("redis", "database", "broker")} == {"healthy"}
    assert all(0 < checks[part]["latency_ms"] < 1000 for part in ("redis", "database", "broker"))
    assert checks["workers"] == {"status": "healthy", "workers": 1, "beat": True}


def test_without_postgresql_it_is_degraded_and_says_nothing_of_where_that_is(
    fresh: Callable[..., FlaskClient],
) -> None:
    client = fresh(database_url=NO_DATABASE)
    answer = client.get("/health/detailed")
    assert (answer.status_code, answer.json["status"]) == (200, "degraded")
    assert answer.json["checks"]["database"] == {"status": "unhealthy", "latency_ms": None}
    assert answer.json["checks"]["redis"]["status"] == "healthy"
    assert "127.0.0.1" not in answer.text
    problem = client.get("/api/health/db")
    assert (problem.status_code, problem.json["code"]) == (503, "unavailable")
    assert problem.content_type == "application/problem+json"
    assert problem.headers["Retry-After"] == "1"
    assert "127.0.0.1" not in problem.text


def test_without_broker_or_workers_it_is_degraded(
    fresh: Callable[..., FlaskClient], redis_broker: Redis
) -> None:
    away = fresh(broker_url=NOWHERE).get("/health/detailed")
    assert (away.status_code, away.json["status"]) == (200, "degraded")
    assert away.json["checks"]["broker"]["status"] == "unhealthy"
    assert away.json["checks"]["workers"] == {"status": "unhealthy", "workers": None, "beat": None}
    client = fresh()
    redis_broker.flushall()
    idle = client.get("/health/detailed").json
    assert idle["status"] == "degraded"
    assert idle["checks"]["workers"] == {"status": "unhealthy", "workers": 0, "beat": False}


def test_without_redis_it_is_unhealthy(fresh: Callable[..., FlaskClient]) -> None:
    answer = fresh(redis_url=NOWHERE).get("/health/detailed")
    assert answer.status_code == 503
    assert (answer.json["status"], answer.json["code"]) == ("unhealthy", "unavailable")
    assert answer.json["checks"]["redis"] == {"status": "unhealthy", "latency_ms": None}
    assert answer.headers["Retry-After"] == "1"


def test_the_database_is_told_alone(fresh: Callable[..., FlaskClient], database_url: str) -> None:
    for client, path in ((fresh(), "/api/health/db"), (fresh(redis_url=NOWHERE), "/v1/api/health/db")):
        answer = client.get(path)
        assert answer.status_code == 200
        assert set(answer.json) == {"status", "database", "latency_ms", "timestamp"}
        assert (answer.json["status"], answer.json["database"]) == ("healthy", "connected")


def test_servers_that_hang_are_waited_for_side_by_side(
    fresh: Callable[..., FlaskClient], servers: Servers, redis_data: Redis, redis_broker: Redis
) -> None:
    client = fresh()
    pids = [each.info("server")["process_id"] for each in (redis_data, redis_broker)]
    with standing_still(*pids):
        begun = time.monotonic()
        both = client.get("/health/detailed")
        took = time.monotonic() - begun
    with standing_still(pids[0]):
        begun = time.monotonic()
        fresh_one = fresh(broker_url=NOWHERE).get("/health/detailed")
        took_one = time.monotonic() - begun
    assert (both.status_code, fresh_one.status_code) == (503, 503)
    assert took < 1.6 * took_one


def test_however_often_it_is_asked_a_part_is_looked_at_once_a_second() -> None:
    looks: list[float] = []

    def look() -> Alive:
        looks.append(time.monotonic())
        time.sleep(0.05)
        return Alive(("one",), beat=True)

    checkups = Checkups(redis=lambda: None, database=lambda: None, broker=look)
    askers = [Thread(target=lambda: [checkups.report() for _ in range(200)]) for _ in range(8)]
    for asker in askers:
        asker.start()
    for asker in askers:
        asker.join()
    assert len(looks) <= 1 + (looks[-1] - looks[0])
    assert checkups.report()["status"] == "healthy"


def test_what_was_away_is_seen_again_within_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    away = [True]

    def look() -> None:
        if away[0]:
            raise Unavailable("away")

    checkups = Checkups(redis=lambda: None, database=look, broker=lambda: Alive(("one",), beat=True))
    assert checkups.report()["status"] == "degraded"
    away[0] = False
    assert checkups.report()["status"] == "degraded"
    at = time.monotonic() + 1.0
    monkeypatch.setattr(time, "monotonic", lambda: at)
    assert checkups.report()["status"] == "healthy"


def test_the_version_is_that_of_the_project() -> None:
    assert f'version = "{VERSION}"\n' in (PROJECT_ROOT / "pyproject.toml").read_text()


def test_probes_have_no_limit(data: Store, make_app: Callable[..., Flask]) -> None:
    client = make_app(rate_limit_anonymous="1 per minute", rate_limit_default="1 per minute").test_client()
    for path in ("/health", "/health/detailed", "/check_health", "/health/live", "/health/ready"):
        assert {client.get(path).status_code for _ in range(3)} == {200}
