"""Limits: per address for those who are nobody yet, per caller for everybody else."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient

from taskapi.api import seen
from taskapi.api.seen import Policy
from taskapi.config import load_settings
from taskapi.embedded.servers import Servers
from taskapi.factory import _metered
from taskapi.store.client import Store
from tests.api.conftest import OWNER_PASSWORD, PASSWORD, basic, bearer, signed_up
from tests.conftest import product_environment


@pytest.fixture
def strict(data: Store, make_app: Callable[..., Flask]) -> FlaskClient:
    """Three attempts a minute."""
    return make_app(rate_limit_auth="3 per minute").test_client()


def test_too_many_sign_ins_from_one_address_are_429(strict: FlaskClient) -> None:
    sent = {"username": "nobody", "password": PASSWORD}
    first = strict.post("/auth/login", json=sent)
    assert first.status_code == 401
    assert first.headers["X-RateLimit-Remaining"] == "2"
    assert first.headers["RateLimit-Policy"] == '"login";q=3;w=60'
    assert [strict.post("/login", json=sent).status_code for _ in range(3)] == [401, 401, 429]
    last = strict.post("/users/login", json=sent)
    assert 59 <= int(last.headers["Retry-After"]) <= 60
    assert last.json["retry_after"] == int(last.headers["Retry-After"])
    assert last.headers["X-RateLimit-Remaining"] == "0"


@pytest.mark.parametrize("path", ["/login", "/auth/me"])
@pytest.mark.parametrize(
    ("addresses", "shared"),
    [
        (["2001:db8::1", "2001:db8::2:3", "2001:db8:0:0:ffff::1", "2001:db8::5"], True),
        (["2001:db8::1", "2001:db8:0:1::1", "2001:db8:0:2::1", "2001:db8:0:3::1"], False),
        (["192.0.2.1", "::ffff:192.0.2.1", "192.0.2.1", "::ffff:c000:201"], True),
        (["192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.4"], False),
        (["fe80::1%eth0", "fe80::2%eth0", "fe80::3%eth1", "fe80::4"], True),
        (["unknown"] * 4, True),
    ],
)
def test_who_has_a_network_of_addresses_has_one_limit(
    strict: FlaskClient, path: str, addresses: list[str], shared: bool
) -> None:
    def status(address: str) -> int:
        sent = {"username": "nobody", "password": PASSWORD}
        told = {"REMOTE_ADDR": address}
        if path == "/login":
            return strict.post(path, json=sent, environ_overrides=told).status_code
        return strict.get(path, headers=basic("nobody", PASSWORD), environ_overrides=told).status_code

    assert [status(address) for address in addresses] == [401, 401, 401, 429 if shared else 401]


LIMITED = {
    "login": ("POST", "/login", {"username": "nobody", "password": PASSWORD}),
    "register": ("POST", "/register", {"username": "x"}),
    "password": ("GET", "/auth/me", None),
    "anonymous": ("GET", "/tasks", None),
    "check": ("GET", "/api/check-limiter", None),
}


@pytest.mark.parametrize("scope", LIMITED)
def test_whoever_is_refused_for_an_address_is_told_for_how_long(
    data: Store, make_app: Callable[..., Flask], scope: str
) -> None:
    limits = {"rate_limit_auth": "2 per 40 second", "rate_limit_check": "2 per 40 second"}
    client = make_app(**limits, rate_limit_anonymous="2 per 40 second").test_client()
    method, path, sent = LIMITED[scope]
    headers = basic("nobody", PASSWORD) if scope == "password" else {}
    *_, last = [client.open(path, method=method, json=sent, headers=headers) for _ in range(3)]
    assert (last.status_code, last.json["code"]) == (429, "rate_limited")
    wait = last.json["retry_after"]
    assert 30 <= wait <= 40
    assert last.headers["Retry-After"] == str(wait)
    assert last.json["detail"] == f"Too many requests. Try again in {wait} s."
    assert last.headers["RateLimit-Policy"] == f'"{scope}";q=2;w=40'
    assert last.headers["X-RateLimit-Remaining"] == "0"


@pytest.mark.parametrize(
    ("given", "policy"),
    [
        ({"RATE_LIMIT": "2", "RATE_PERIOD": "30"}, "q=2;w=30"),
        ({"RATE_LIMIT": "3"}, "q=3;w=60"),
        ({"RATE_PERIOD": "7"}, "q=5;w=7"),
        ({"RATE_LIMIT": "3", "RATE_LIMIT_AUTH": "1/hour"}, "q=1;w=3600"),
    ],
)
def test_the_limit_of_an_address_is_what_the_environment_says(
    data: Store, servers: Servers, make_app: Callable[..., Flask], given: dict[str, str], policy: str
) -> None:
    settings = load_settings(product_environment(servers) | given, None)
    client = make_app(rate_limit_auth=settings.rate_limit_auth).test_client()
    sent = {"username": "nobody", "password": PASSWORD}
    answers = [client.post("/users/login", json=sent) for _ in range(int(policy[2]) + 1)]
    assert answers[0].headers["RateLimit-Policy"] == f'"login";{policy}'
    assert [answer.status_code for answer in answers] == [401] * int(policy[2]) + [429]


def test_signing_in_and_registering_have_limits_of_their_own(strict: FlaskClient) -> None:
    for _ in range(4):
        strict.post("/auth/login", json={"username": "nobody", "password": PASSWORD})
    assert strict.post("/register", json={"username": "eve", "password": PASSWORD}).status_code == 201


def test_guessing_passwords_shuts_an_address_out_for_good_ones_too(strict: FlaskClient) -> None:
    signed_up(strict, "eve")
    good = basic("eve", PASSWORD)
    assert strict.get("/auth/me", headers=good).status_code == 200
    guesses = [strict.get("/auth/me", headers=basic("eve", f"guess {number}")) for number in range(4)]
    assert [answer.status_code for answer in guesses] == [401, 401, 401, 429]
    assert strict.get("/auth/me", headers=good).status_code == 429
    assert strict.get("/auth/me", headers={"X-Owner-Password": OWNER_PASSWORD}).status_code == 429


def test_an_address_behind_a_proxy_is_believed_only_of_a_trusted_one(
    data: Store, make_app: Callable[..., Flask]
) -> None:
    sent = {"username": "nobody", "password": PASSWORD}

    def statuses(client: FlaskClient) -> list[int]:
        return [
            client.post("/login", json=sent, headers={"X-Forwarded-For": f"10.0.0.{number}"}).status_code
            for number in range(5)
        ]

    assert statuses(make_app(rate_limit_auth="3 per minute").test_client()) == [401, 401, 401, 429, 429]
    assert statuses(make_app(rate_limit_auth="3 per minute", trusted_proxies=1).test_client()) == [401] * 5


def test_without_its_broker_an_address_is_still_counted_in_memory(
    data: Store, make_app: Callable[..., Flask]
) -> None:
    client = make_app(rate_limit_auth="3 per minute", broker_url="redis://127.0.0.1:1/0").test_client()
    sent = {"username": "nobody", "password": PASSWORD}
    assert [client.post("/login", json=sent).status_code for _ in range(4)] == [401, 401, 401, 429]


@pytest.fixture
def few(data: Store, make_app: Callable[..., Flask]) -> FlaskClient:
    """Three calls a minute for each caller."""
    return make_app(rate_limit_default="3 per minute").test_client()


def test_a_caller_is_told_what_is_left_and_refused_after_it(few: FlaskClient) -> None:
    user, other = signed_up(few, "ada"), signed_up(few, "bob")
    answers = [user.get("/tasks") for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert [answer.headers["X-RateLimit-Remaining"] for answer in answers] == ["2", "1", "0", "0"]
    assert {answer.headers["X-RateLimit-Limit"] for answer in answers} == {"3"}
    assert answers[0].headers["RateLimit-Policy"] == '"default";q=3;w=60'
    assert answers[0].headers["RateLimit"].startswith('"default";r=2;t=')
    assert 1 <= int(answers[3].headers["Retry-After"]) <= 20
    assert other.get("/tasks").status_code == 200


def test_a_bucket_that_a_part_of_a_second_fills_is_full_within_its_period(app: Flask) -> None:
    policy = Policy("default", 7, 60)
    with app.test_request_context("/"):
        _metered(policy)(0, 60_001)
        assert seen.noted().full_in == 60


def test_health_and_docs_are_not_counted(few: FlaskClient) -> None:
    assert {few.get(path).status_code for path in ("/health", "/docs") for _ in range(5)} == {200}


def test_calls_without_good_credentials_are_counted_by_address(
    data: Store, make_app: Callable[..., Flask]
) -> None:
    client = make_app(rate_limit_anonymous="4 per minute").test_client()
    user = signed_up(client, "ada")
    calls = [
        lambda: client.get("/tasks"),
        lambda: client.get("/tasks", headers=bearer("no token")),
        lambda: client.get("/tasks", headers={"X-Owner-Password": "wrong"}),
        lambda: client.post("/auth/refresh", json={"refresh_token": "none"}),
    ]
    assert [call().status_code for call in calls] == [401] * 4
    last = client.get("/tasks")
    assert last.status_code == 429
    assert last.headers["RateLimit-Policy"] == '"anonymous";q=4;w=60'
    assert [call().status_code for call in calls] == [429] * 4
    assert user.get("/tasks").status_code == 200
    for path in ("/health", "/docs", "/openapi.json"):
        assert client.get(path).status_code == 200


def test_a_session_that_is_over_is_counted_by_address(data: Store, make_app: Callable[..., Flask]) -> None:
    client = make_app(rate_limit_anonymous="2 per minute").test_client()
    user = signed_up(client, "ada")
    user.post("/auth/logout")
    assert [user.get("/tasks").status_code for _ in range(3)] == [401, 401, 429]


@pytest.mark.parametrize("path", ["/auth/password", "/users/2"])
def test_guessing_the_current_password_shuts_an_address_out(strict: FlaskClient, path: str) -> None:
    user = signed_up(strict, "ada")
    new = {"new_password": "another horse"} if path == "/auth/password" else {"password": "another horse"}
    guesses = [user.put(path, new | {"current_password": f"guess {number}"}) for number in range(5)]
    assert [answer.status_code for answer in guesses] == [400, 400, 400, 429, 429]
    assert user.put(path, new | {"current_password": PASSWORD}).status_code == 429
    assert user.get("/auth/me").status_code == 200


def test_bad_requests_count_against_their_callers_limit(data: Store, make_app: Callable[..., Flask]) -> None:
    user = signed_up(make_app(rate_limit_default="3 per minute").test_client(), "ada")
    assert [user.post("/tasks", {"title": 5}).status_code for _ in range(4)] == [400, 400, 400, 429]
