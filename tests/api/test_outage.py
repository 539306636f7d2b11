"""With a server away the answers are 503, soon, and say when to come back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from redis import Redis

from taskapi.domain.callers import Claim, Operation
from taskapi.domain.errors import Unavailable
from taskapi.domain.rights import Right
from taskapi.embedded.servers import Servers
from taskapi.services import operating
from taskapi.store import jobs as kept
from taskapi.store.client import Store
from tests.api.conftest import OWNER_PASSWORD, PASSWORD, Person

NOWHERE = "redis://127.0.0.1:1/0"
OWNER = {"X-Owner-Password": OWNER_PASSWORD}


@pytest.fixture
def cut_off(servers: Servers, make_app: Callable[..., Flask]) -> FlaskClient:
    """A client of an app whose data Redis is nowhere."""
    return make_app(redis_url=NOWHERE).test_client()


@pytest.mark.parametrize(
    ("method", "path", "sent"),
    [
        ("GET", "/tasks", None),
        ("GET", "/v1/users/1/tasks/1", None),
        ("POST", "/tasks", {"title": "x"}),
        ("DELETE", "/tasks/1", None),
        ("POST", "/tasks/batch", {"task_ids": [1], "action": "delete"}),
        ("GET", "/tasks/stats", None),
        ("GET", "/tasks/search?q=x", None),
        ("GET", "/users/search?q=x", None),
        ("GET", "/groups", None),
        ("DELETE", "/groups/1", None),
        ("POST", "/groups/1/users", {"user_id": 1}),
        ("POST", "/login", {"username": "ada", "password": PASSWORD}),
        ("POST", "/register", {"username": "ada", "password": PASSWORD}),
        ("GET", "/admin/status", None),
    ],
)
def test_without_the_store_every_route_says_503_and_when_to_try_again(
    cut_off: FlaskClient, method: str, path: str, sent: dict[str, Any] | None
) -> None:
    answer = cut_off.open(path, method=method, json=sent, headers=OWNER)
    assert answer.status_code == 503
    assert answer.json["code"] == "unavailable"
    assert int(answer.headers["Retry-After"]) >= 1


def test_what_needs_no_store_is_answered_without_it(cut_off: FlaskClient) -> None:
    for path, status in (("/docs", 200), ("/openapi.json", 200), ("/health/live", 200), ("/health", 503)):
        assert cut_off.get(path).status_code == status
    assert cut_off.get("/tasks").status_code == 401


def test_without_postgresql_all_is_served_and_the_owner_sees_it(
    user: Person, make_app: Callable[..., Flask]
) -> None:
    client = make_app(database_url="postgresql+psycopg2://nobody@127.0.0.1:1/nothing").test_client()
    assert client.post("/tasks", json={"title": "x"}, headers=user.headers).status_code == 201
    assert client.get("/admin/status", headers=OWNER).json["data"]["postgres_status"] == "error"
    assert client.get("/admin/stats", headers=OWNER).json["data"]["postgresql"] is None
    found = client.get("/tasks/search?q=x", headers=OWNER).json["data"]
    assert ([hit["task"]["title"] for hit in found["results"]], found["complete"]) == (["x"], True)


def test_without_the_broker_a_sync_on_demand_is_503(user: Person, make_app: Callable[..., Flask]) -> None:
    client = make_app(broker_url=NOWHERE).test_client()
    assert client.post("/admin/sync?action=force", headers=OWNER).status_code == 503
    assert client.get("/admin/jobs", headers=OWNER).status_code == 503
    assert client.get("/tasks", headers=user.headers).status_code == 200


FAULTS = {
    "replica": ("REPLICAOF 127.0.0.1 1", "REPLICAOF NO ONE"),
    "full": ("CONFIG SET maxmemory 1", "CONFIG SET maxmemory 0"),
    "unverified": ("HSET meta state closed", "HSET meta state ready"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_health_says_what_a_read_would_meet(client: FlaskClient, data: Store, fault: str) -> None:
    on, off = FAULTS[fault]
    data.redis.execute_command(*on.split())
    try:
        read, health = client.get("/tasks", headers=OWNER), client.get("/health")
        assert (read.status_code, health.status_code) == ((200, 200) if fault == "full" else (503, 503))
    finally:
        data.redis.execute_command(*off.split())
    assert client.get("/health").status_code == 200


BROKEN = {
    "replica": ("REPLICAOF 127.0.0.1 1", "REPLICAOF NO ONE"),
    "full": ("CONFIG SET maxmemory 1", "CONFIG SET maxmemory 0"),
}


@pytest.mark.parametrize("fault", BROKEN)
def test_a_broker_that_takes_no_jobs_is_named_and_is_503(
    owner: Person, redis_broker: Redis, fault: str
) -> None:
    on, off = BROKEN[fault]
    redis_broker.execute_command(*on.split())
    try:
        answer = owner.post("/admin/sync?action=force")
        assert (answer.status_code, answer.json["code"]) == (503, "unavailable")
        assert "broker" in answer.json["detail"]
        assert owner.task(title="Served all the same")
    finally:
        redis_broker.execute_command(*off.split())


def test_a_job_of_which_no_worker_hears_has_failed_and_may_be_asked_for_again(
    owner: Person, data: Store, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    claim, jobs = Claim(1, Right.ADMINISTER, operation=Operation("k", "f")), app.extensions["taskapi.jobs"]
    with pytest.raises(Unavailable):
        operating.carry_out(data, claim, jobs, _no_broker, operating.FORCE, 0)
    failed = owner.get("/admin/jobs").json["data"]["jobs"]
    assert [job["state"] for job in failed] == ["failed"]
    sent: list[str] = []
    for _ in range(2):  # the second finds no worker that has begun it: its message may be lost
        operating.carry_out(
            data, claim, jobs, lambda _, **told: sent.append(told["job_id"]), operating.FORCE, 0
        )
    assert sent == [failed[0]["id"]] * 2
    assert owner.get(f"/admin/jobs/{sent[0]}").json["data"]["state"] == "queued"
    monkeypatch.setattr(kept, "QUEUED_SECONDS", 0)
    unheard = owner.get(f"/admin/jobs/{sent[0]}").json["data"]
    assert (unheard["state"], unheard["report"]["error"]) == ("failed", kept.UNHEARD)


def _no_broker(*_: object, **__: object) -> None:
    raise Unavailable("away")
