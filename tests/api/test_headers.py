"""What every answer carries, and what is logged of it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from structlog.testing import capture_logs

from taskapi.api.cors import SHOWN
from taskapi.api.openapi import headers
from taskapi.store.client import Store
from tests.api.conftest import OWNER_PASSWORD, PASSWORD, Person, basic


def test_every_answer_is_guarded_against_sniffing_and_shared_caches(
    user: Person, client: FlaskClient
) -> None:
    task = user.task()
    for answer in (user.get("/tasks"), user.get(f"/tasks/{task['id']}")):
        assert answer.headers["Cache-Control"] == "private, no-cache"
    for answer in (user.put(f"/tasks/{task['id']}/done"), client.get("/tasks"), client.get("/health")):
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
    sent = {"username": "ada", "password": PASSWORD}
    assert client.post("/login", json=sent).headers["Cache-Control"] == "no-store"


def test_head_and_options_are_answered_without_a_body(user: Person, client: FlaskClient) -> None:
    task = user.task()
    whole, head = user.get(f"/tasks/{task['id']}"), user.call("HEAD", f"/tasks/{task['id']}")
    assert (head.status_code, head.data) == (200, b"")
    assert head.headers["ETag"] == whole.headers["ETag"]
    options = client.options("/tasks")
    assert (options.status_code, options.data) == (204, b"")
    assert set(options.headers["Allow"].split(", ")) == {"GET", "HEAD", "OPTIONS", "POST"}
    assert client.head("/nothing").status_code == 404


def test_pages_of_known_origins_may_read_and_others_may_not(
    data: Store, user: Person, make_app: Callable[..., Flask]
) -> None:
    client = make_app(cors_origins=("https://app.example",)).test_client()
    for path, status in (("/tasks", 200), ("/tasks/999", 404), ("/nothing", 404)):
        answer = client.get(path, headers=user.headers | {"Origin": "https://app.example"})
        assert answer.status_code == status
        assert answer.headers["Access-Control-Allow-Origin"] == "https://app.example"
        assert "ETag" in answer.headers["Access-Control-Expose-Headers"]
        assert answer.headers["Vary"] == "Origin"
    other = client.get("/tasks", headers=user.headers | {"Origin": "https://evil.example"})
    assert "Access-Control-Allow-Origin" not in other.headers
    assert other.headers["Vary"] == "Origin"


def test_pages_may_read_every_header_that_is_documented() -> None:
    shown = set(SHOWN.split(", "))
    assert shown >= {*headers.components(), "Content-Disposition", "Allow"}


def test_a_browser_is_told_in_advance_what_it_may_send(data: Store, make_app: Callable[..., Flask]) -> None:
    client = make_app(cors_origins=("*",)).test_client()
    asked = {"Origin": "https://any.example", "Access-Control-Request-Method": "PUT"}
    answer = client.options("/v1/tasks/1", headers=asked)
    assert answer.status_code == 204
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert "PUT" in answer.headers["Access-Control-Allow-Methods"]
    assert "Idempotency-Key" in answer.headers["Access-Control-Allow-Headers"]
    assert "Access-Control-Allow-Credentials" not in answer.headers


def test_without_origins_set_no_page_is_allowed(user: Person) -> None:
    answer = user.get("/tasks", headers={"Origin": "https://app.example"})
    assert not [name for name, _ in answer.headers if name.startswith("Access-Control")]


def test_a_request_is_one_line_with_its_id_and_caller(user: Person) -> None:
    with capture_logs() as lines:
        user.get("/tasks?status=all", headers={"X-Request-ID": "abc"})
    [line] = lines
    assert line["ms"] > 0
    assert line["address"] == "127.0.0.1"
    told = [line[name] for name in ("event", "method", "path", "status", "request_id", "user")]
    assert told == ["request", "GET", "/tasks", 200, "abc", user.id]


def test_no_line_holds_a_secret(user: Person, client: FlaskClient) -> None:
    with capture_logs() as lines:
        signed_in = client.post("/login", json={"username": "ada", "password": PASSWORD}).json
        client.post("/login", json={"username": "ada", "password": "a wrong secret"})
        client.get("/tasks", headers=basic("ada", "another wrong secret"))
        client.get("/tasks", headers={"X-Owner-Password": "a third wrong secret"})
        user.post("/tasks", {"title": "a private title"})
        user.get("/tasks?tag=private")
    told = repr(lines)
    secrets = [PASSWORD, "wrong secret", OWNER_PASSWORD, "private", user.headers["Authorization"][7:]]
    assert not [secret for secret in [*secrets, signed_in["access_token"]] if secret in told]
    refused = [line for line in lines if line["event"] == "refused sign-in"]
    assert len(refused) == 3
    assert {line["address"] for line in refused} == {"127.0.0.1"}


def test_a_fault_is_logged_with_its_trace(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("what went wrong")

    monkeypatch.setattr(app.extensions["taskapi.api"].callers, "claim", broken)
    with capture_logs() as lines:
        app.test_client().get("/tasks")
    [fault] = [line for line in lines if line["event"] == "fault"]
    assert isinstance(fault["exc_info"], RuntimeError)
