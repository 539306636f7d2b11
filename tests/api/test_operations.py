"""Health, and the owner's view of the machinery."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from redis import Redis
from werkzeug.test import TestResponse

from taskapi.embedded.servers import Servers
from taskapi.store import jobs
from taskapi.store.client import Store
from taskapi.store.jobs import Jobs
from tests.api.conftest import OWNER_PASSWORD, PASSWORD, Person


def test_health_is_bare_and_takes_what_probes_add(client: FlaskClient) -> None:
    for path in ("/health", "/check_health", "/v1/health", "/health?probe=1"):
        answer = client.get(path)
        assert answer.status_code == 200
        assert set(answer.json) == {"status", "timestamp"}
        assert answer.json["status"] == "healthy"
    assert client.get("/health/ready").json["status"] == "ready"
    assert client.get("/health/live").json["status"] == "alive"


@pytest.fixture
def hung(client: FlaskClient, servers: Servers, redis_data: Redis) -> Iterator[FlaskClient]:
    """A client of an app whose data Redis does not answer."""
    pid = redis_data.info("server")["process_id"]
    assert client.get("/health").status_code == 200
    os.kill(pid, signal.SIGSTOP)
    try:
        yield client
    finally:
        os.kill(pid, signal.SIGCONT)
        deadline = time.monotonic() + 10
        while client.get("/health").status_code != 200 and time.monotonic() < deadline:
            time.sleep(0.05)


def test_a_store_that_hangs_is_unhealthy_and_not_waited_for(hung: FlaskClient) -> None:
    answer, took = timed(hung, "/health")
    assert answer.status_code == 503
    assert answer.json["status"] == "unhealthy"
    assert answer.headers["Retry-After"] == "1"
    assert hung.get("/health/live").status_code == 200
    other, took_other = timed(hung, "/tasks")
    assert other.status_code == 503
    assert took < took_other


def test_registering_waits_no_longer_for_a_store_that_hangs_than_a_read(hung: FlaskClient) -> None:
    _, took_read = timed(hung, "/tasks")
    sent = {"username": "ada", "password": PASSWORD}
    answer, took = timed(hung, "/register", "POST", sent)
    assert answer.status_code == 503
    assert took < 1.5 * took_read


def test_a_broker_that_hangs_does_not_keep_anybody_from_signing_in(
    user: Person, redis_broker: Redis, make_app: Callable[..., Flask]
) -> None:
    client = make_app(rate_limit_auth="5 per minute").test_client()
    pid = redis_broker.info("server")["process_id"]
    os.kill(pid, signal.SIGSTOP)
    try:
        answer, took = timed(client, "/login", "POST", {"username": "ada", "password": PASSWORD})
        sync, took_sync = timed(client, "/admin/sync?action=force", "POST")
    finally:
        os.kill(pid, signal.SIGCONT)
    assert (answer.status_code, sync.status_code) == (200, 503)
    assert took < took_sync


def timed(
    client: FlaskClient, path: str, method: str = "GET", sent: Any = None
) -> tuple[TestResponse, float]:
    """The answer to the owner, and how long it took."""
    began = time.monotonic()
    answer = client.open(path, method=method, json=sent, headers={"X-Owner-Password": OWNER_PASSWORD})
    return answer, time.monotonic() - began


def test_the_owner_sees_how_the_stores_stand(owner: Person, user: Person, database_url: str) -> None:
    user.task()
    status = owner.get("/admin/status").json["data"]
    assert (status["redis_status"], status["postgres_status"]) == ("connected", "connected")
    assert status["pending_changes"] is True
    assert status["dirty"]["tasks"] == 1
    stats = owner.get("/admin/stats").json["data"]
    assert stats["redis"]["tasks"] == 1
    assert stats["postgresql"] is not None


def test_what_the_document_says_of_the_owners_answers_is_what_they_have(
    owner: Person, client: FlaskClient, database_url: str
) -> None:
    schemas = client.get("/openapi.json").json["components"]["schemas"]
    for path, schema in (("/admin/status", "StatusOut"), ("/admin/stats", "StatsOut")):
        assert set(owner.get(path).json["data"]) == set(schemas[schema]["properties"])


def test_a_sync_that_is_not_done_in_time_goes_on_as_a_job(owner: Person) -> None:
    answer = owner.post("/v1/admin/sync?action=force&wait=0", headers={"X-Request-ID": "asked-1"})
    assert answer.status_code == 202
    job_id = answer.json["data"]["job_id"]
    assert answer.headers["Location"] == f"/v1/admin/jobs/{job_id}"
    job = owner.get(answer.headers["Location"]).json["data"]
    assert (job["id"], job["state"]) == (job_id, "queued"), job["report"]
    assert job["request_id"] == "asked-1"
    assert owner.get("/admin/jobs").json["data"]["jobs"] == [job]
    assert owner.get("/admin/jobs/unknown").status_code == 404


def test_a_sync_that_is_done_in_time_says_what_it_did(owner: Person, app: Flask) -> None:
    worker = threading.Thread(target=_work, args=(app.extensions["taskapi.jobs"],))
    worker.start()
    answer = owner.post("/admin/sync?action=force")
    worker.join()
    assert answer.status_code == 200
    assert answer.json["data"]["synced"] == {"tasks": 3}
    assert answer.json["data"]["state"] == "done"


def _work(broker: Jobs) -> None:
    """What a worker does with the first job that comes."""
    while not (found := jobs.newest(broker, 0, 1)[0]):
        time.sleep(0.01)
    report = {"synced": {"tasks": 3}, "pending_changes": False}
    jobs.update(broker, found[0].id, jobs.DONE, 1.0, report)


NO_ACTIONS = ["", "?action=", "?action=destroy", "?action=force&wait=-1", "?action=force&wait=61"]


@pytest.mark.parametrize("query", NO_ACTIONS)
def test_an_action_that_is_none_is_400(owner: Person, query: str) -> None:
    assert owner.post(f"/admin/sync{query}").status_code == 400


def test_nobody_but_the_owner_administers(user: Person, data: Store) -> None:
    for path in ("/admin/status", "/admin/stats", "/admin/jobs", "/admin/jobs/1"):
        assert user.get(path).status_code == 403
    assert user.post("/admin/sync?action=force").status_code == 403
