"""The outside call and the shown limit, over HTTP."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
from flask import Flask
from flask.testing import FlaskClient

from taskapi.outside import upstream
from taskapi.store.client import Store


class Teller(ThreadingHTTPServer):
    """Another server: says what it is told to, after so many seconds, and counts."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Telling)
        self.body, self.status, self.seconds, self.calls = b'{"setup": "Knock knock"}', 200, 0.0, 0

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.server_port}/joke"


class _Telling(BaseHTTPRequestHandler):
    server: Teller

    def do_GET(self) -> None:
        self.server.calls += 1
        time.sleep(self.server.seconds)
        self.send_response(self.server.status)
        self.send_header("Content-Length", str(len(self.server.body)))
        self.end_headers()
        with suppress(BrokenPipeError, ConnectionResetError):  # the caller has gone
            self.wfile.write(self.server.body)

    def log_message(self, *_: object) -> None:
        """Says nothing."""


@pytest.fixture
def teller() -> Iterator[Teller]:
    with Teller() as server:
        Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
def asking(data: Store, teller: Teller, make_app: Callable[..., Flask]) -> Flask:
    return make_app(external_joke_url=teller.url)


def test_a_joke_is_asked_for_once_a_minute(asking: Flask, teller: Teller) -> None:
    client = asking.test_client()
    for path in ("/tasks/external-joke", "/v1/tasks/external-joke"):
        answer = client.get(path)
        assert answer.status_code == 200
        assert answer.json == {"success": True, "data": {"joke": {"setup": "Knock knock"}}}
    assert teller.calls == 1
    [key] = asking.extensions["taskapi.cache"].redis.keys("joke:*")
    assert 50_000 < asking.extensions["taskapi.cache"].redis.pttl(key) <= 60_000


def test_many_who_ask_at_once_have_it_asked_once(asking: Flask, teller: Teller) -> None:
    teller.seconds = 0.3
    with ThreadPoolExecutor(8) as pool:
        asked = [pool.submit(asking.test_client().get, "/tasks/external-joke") for _ in range(8)]
    assert [each.result().status_code for each in asked] == [200] * 8
    assert teller.calls == 1


@pytest.mark.parametrize(
    ("status", "body"), [(500, b"{}"), (200, b"<html>"), (200, b'"' + b"x" * 70_000 + b'"')]
)
def test_what_is_of_no_use_is_502(asking: Flask, teller: Teller, status: int, body: bytes) -> None:
    teller.status, teller.body = status, body
    answer = asking.test_client().get("/tasks/external-joke")
    assert (answer.status_code, answer.json["code"]) == (502, "upstream_failed")
    assert answer.content_type == "application/problem+json"


def test_a_server_that_is_away_is_502_and_one_that_is_slow_is_504(
    asking: Flask, teller: Teller, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = client.get("/tasks/external-joke")
    assert (answer.status_code, answer.json["code"]) == (502, "upstream_failed")
    monkeypatch.setattr(upstream, "MOST_SECONDS", 0.2)
    teller.seconds = 1.0
    for _ in range(2):
        answer = asking.test_client().get("/tasks/external-joke")
        assert (answer.status_code, answer.json["code"]) == (504, "upstream_timeout")
        assert 1 <= int(answer.headers["Retry-After"]) <= 5
    assert teller.calls == 1


def test_what_is_left_of_a_limit_is_shown_until_nothing_is(
    data: Store, make_app: Callable[..., Flask]
) -> None:
    client = make_app(rate_limit_check="5 per minute").test_client()
    for left in (4, 3, 2, 1, 0):
        answer = client.get("/api/check-limiter")
        reset = answer.json["data"]["reset_seconds"]
        assert answer.json["data"] == {"status": "ok", "limit": 5, "remaining": left, "reset_seconds": reset}
        assert 1 <= reset <= 60
        assert answer.headers["RateLimit-Policy"] == '"check";q=5;w=60'
        assert answer.headers["X-RateLimit-Remaining"] == str(left)
    last = client.get("/v1/api/check-limiter")
    assert (last.status_code, last.json["code"]) == (429, "rate_limited")
    assert last.json["retry_after"] == int(last.headers["Retry-After"])


def test_a_limit_that_is_switched_off_is_shown_as_that(client: FlaskClient) -> None:
    data = client.get("/api/check-limiter").json["data"]
    assert data == {"status": "ok", "limit": None, "remaining": None, "reset_seconds": None}
