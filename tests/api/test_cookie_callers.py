"""Who calls by cookie: what is taken for one, and what comes before it."""

from __future__ import annotations

from collections.abc import Callable

import jwt
import pytest
from flask import Flask
from flask.testing import FlaskClient
from structlog.testing import capture_logs

from taskapi.config import Settings
from taskapi.store.client import Store
from tests.api.browsers import ADA, GONE, cookie, set_by, signed_in, value_of
from tests.api.conftest import OWNER_PASSWORD, PASSWORD, Person, basic, bearer, signed_up

ODD = [
    "",
    " ",
    "x",
    "a.b.c",
    '"quoted"',
    "a\0b",
    "\\000",
    "ÿþ",
    "é.é.é",
    "%00",
    "a" * 5000,
    ".".join(["a" * 3000] * 3),
    "eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIn0.",
    "bnVsbA.bnVsbA.bnVsbA",
    "W10.W10.W10",
    "eyJhbGciOltdfQ.e30.x",
    "eyJhbGciOiJIUzI1NiIsImNyaXQiOlsieCJdfQ.e30.x",
]


@pytest.mark.parametrize("value", ODD)
def test_a_cookie_that_is_none_is_401_and_is_taken_away(
    client: FlaskClient, user: Person, value: str
) -> None:
    answer = client.get("/auth/me", headers=cookie(value))
    assert (answer.status_code, set_by(answer)) == (401, GONE)


@pytest.mark.parametrize(
    "header", ["", ";", "=", 'session="', "==; =", "session", "; ;session;", "sessions=x", "\0=\0", "é"]
)
def test_a_header_without_the_cookie_is_no_credential(client: FlaskClient, user: Person, header: str) -> None:
    answer = client.get("/auth/me", headers={"Cookie": header})
    assert (answer.status_code, set_by(answer)) in ((401, {}), (401, GONE))


@pytest.mark.parametrize(
    "claims", [{"type": "access"}, {"type": "refresh"}, {"sid": ""}, {"sub": "one"}, {"exp": 1}]
)
def test_a_cookie_with_other_claims_is_401(
    client: FlaskClient, user: Person, plain_settings: Settings, claims: dict[str, object]
) -> None:
    good = jwt.decode(signed_in(client), options={"verify_signature": False})
    forged = jwt.encode(good | claims, plain_settings.jwt_secret_key, "HS256")
    assert client.get("/auth/me", headers=cookie(forged)).status_code == 401
    unsigned = jwt.encode(good, "another key, as long as it must be", "HS256")
    assert client.get("/auth/me", headers=cookie(unsigned)).status_code == 401


def test_no_kind_of_token_passes_for_another_even_when_it_is_remembered(
    client: FlaskClient, user: Person
) -> None:
    answer = client.post("/login", json=ADA)
    session, access, refresh = value_of(answer), answer.json["access_token"], answer.json["refresh_token"]
    for _ in range(2):
        assert client.get("/auth/me", headers=cookie(session)).status_code == 200
        assert client.get("/auth/me", headers=bearer(access)).status_code == 200
        for wrong in (bearer(session), bearer(refresh), cookie(access), cookie(refresh)):
            assert client.get("/auth/me", headers=wrong).status_code == 401
        assert client.post("/auth/refresh", json={"refresh_token": session}).status_code == 401
        assert client.post("/auth/refresh", headers=cookie(session)).status_code == 400


def test_of_two_cookies_that_differ_neither_is_believed(client: FlaskClient, user: Person) -> None:
    signed_up(client, "bob")
    mine, evil = signed_in(client), signed_in(client, "bob")
    assert client.get("/auth/me", headers=cookie(mine, mine)).status_code == 200
    for pair in ((mine, evil), (evil, mine), (mine, "x"), ("", mine)):
        answer = client.get("/auth/me", headers=cookie(*pair))
        assert (answer.status_code, set_by(answer)) == (401, GONE)
    assert client.post("/login", json=ADA, headers=cookie(mine, evil)).status_code == 200


GOOD, WRONG, NONE = "good", "wrong", "none"
ORDER = [
    # owner password, Authorization, cookie: who calls (None: 401)
    (NONE, NONE, GOOD, "ada"),
    (NONE, NONE, WRONG, None),
    (NONE, NONE, NONE, None),
    (NONE, GOOD, WRONG, "bob"),
    (NONE, GOOD, GOOD, "bob"),
    (NONE, WRONG, GOOD, None),
    (NONE, "basic", GOOD, "bob"),
    (NONE, "wrong basic", GOOD, None),
    (NONE, "", GOOD, None),
    (GOOD, NONE, WRONG, "owner"),
    (GOOD, NONE, GOOD, "owner"),
    (WRONG, NONE, GOOD, None),
    (WRONG, GOOD, GOOD, None),
    ("", NONE, GOOD, None),
]


@pytest.mark.parametrize(("owner_password", "authorization", "session", "caller"), ORDER)
def test_a_cookie_is_looked_at_last_and_stands_in_for_nothing(
    client: FlaskClient,
    user: Person,
    other: Person,
    owner_password: str,
    authorization: str,
    session: str,
    caller: str | None,
) -> None:
    passwords = {GOOD: OWNER_PASSWORD, WRONG: "x" * 8, "": ""}
    schemes = {
        GOOD: other.headers,
        WRONG: bearer("x"),
        "basic": basic("bob", PASSWORD),
        "wrong basic": basic("bob", "x" * 8),
        "": {"Authorization": ""},
    }
    headers = {
        **({"X-Owner-Password": passwords[owner_password]} if owner_password != NONE else {}),
        **schemes.get(authorization, {}),
        **{GOOD: cookie(signed_in(client)), WRONG: cookie("x")}.get(session, {}),
    }
    answer = client.get("/auth/me", headers=headers)
    found = answer.json["data"]["id"] if answer.status_code == 200 else None
    assert found == {"ada": user.id, "bob": other.id, "owner": 1, None: None}[caller]
    was_the_cookie = session == WRONG and caller is None
    assert set_by(answer) == (GONE if was_the_cookie else {})


@pytest.mark.parametrize("path", ["/health", "/docs", "/openapi.json", "/health/live"])
def test_public_routes_do_not_look_at_cookies(client: FlaskClient, path: str) -> None:
    answer = client.get(path, headers=cookie("x"))
    assert (answer.status_code, set_by(answer)) == (200, {})


def test_a_caller_by_cookie_is_logged_without_it(browser: FlaskClient, user: Person) -> None:
    with capture_logs() as lines:
        assert browser.get("/tasks").status_code == 200
    [line] = lines
    assert line["user"] == user.id
    mine = browser.get_cookie("session")
    assert mine is not None
    assert mine.value not in repr(lines)


def test_a_caller_by_cookie_has_the_same_limit(data: Store, make_app: Callable[..., Flask]) -> None:
    client = make_app(rate_limit_default="3 per minute").test_client(use_cookies=False)
    user = signed_up(client, "ada")
    mine = cookie(signed_in(client))
    answers = [client.get("/tasks", headers=headers) for headers in (mine, user.headers, mine)]
    assert [answer.headers["X-RateLimit-Remaining"] for answer in answers] == ["2", "1", "0"]
    assert [client.get("/tasks", headers=each).status_code for each in (mine, user.headers)] == [429, 429]


def test_guessed_cookies_are_counted_by_address(data: Store, make_app: Callable[..., Flask]) -> None:
    client = make_app(rate_limit_anonymous="2 per minute").test_client(use_cookies=False)
    assert [client.get("/tasks", headers=cookie(f"{number}")).status_code for number in range(3)] == [
        401,
        401,
        429,
    ]


def test_a_store_that_is_away_takes_no_cookies_away(browser: FlaskClient, data: Store) -> None:
    data.redis.hset("meta", "state", "closed")
    answer = browser.get("/tasks")
    assert (answer.status_code, set_by(answer)) == (503, {})
    assert browser.get_cookie("session") is not None
