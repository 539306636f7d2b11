"""Sessions by cookie: who is given which cookies, what they are good for, and when that ends."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from taskapi.api import tokens
from tests.api.browsers import ADA, FOR_EVERYBODY, GONE, LIFE, cookie, set_by, signed_in, value_of
from tests.api.conftest import PASSWORD, Person, bearer

GIVING = [
    ("/login", 200),
    ("/v1/login/", 200),
    ("/register", 201),
    ("/v1/register", 201),
    ("/auth/login?session=cookie", 200),
    ("/v1/auth/register?session=cookie", 201),
    ("/users/login?session=cookie", 200),
    ("/users/register?session=cookie", 201),
    ("/login?session=cookie", 200),
]
EVE = {"username": "eve", "password": PASSWORD}


@pytest.mark.parametrize(("path", "status"), GIVING)
def test_two_cookies_are_given_where_they_are_asked_for(
    client: FlaskClient, user: Person, path: str, status: int
) -> None:
    answer = client.post(path, json=ADA if "login" in path else EVE)
    assert answer.status_code == status
    assert set_by(answer) == {
        "session": {LIFE, "HttpOnly", *FOR_EVERYBODY},
        "csrf_token": {LIFE, *FOR_EVERYBODY},
    }
    assert answer.json["csrf_token"] == value_of(answer, "csrf_token")
    me = client.get("/auth/me", headers=cookie(value_of(answer)))
    assert me.json["data"] == answer.json["data"]["user"]


@pytest.mark.parametrize("path", ["/auth/login", "/v1/auth/register", "/users/login", "/users/register"])
def test_elsewhere_none_are_given(client: FlaskClient, user: Person, path: str) -> None:
    answer = client.post(path, data=ADA if "login" in path else EVE)
    assert answer.status_code in (200, 201)
    assert set_by(answer) == {}
    assert "csrf_token" not in answer.json


@pytest.mark.parametrize(
    "query", ["session=token", "session=", "session=cookie&session=cookie", "fields=user"]
)
def test_what_is_no_wish_for_cookies_is_refused(client: FlaskClient, user: Person, query: str) -> None:
    answer = client.post(f"/auth/login?{query}", json=ADA)
    assert (answer.status_code, set_by(answer)) == (400, {})


def test_a_refused_sign_in_gives_none_and_leaves_those_that_are_there(browser: FlaskClient) -> None:
    answer = browser.post("/login", json=ADA | {"password": "a wrong one"})
    assert (answer.status_code, set_by(answer)) == (401, {})
    assert browser.get("/auth/me").status_code == 200


@pytest.mark.parametrize(
    ("different", "headers", "secure"),
    [
        ({}, {}, False),
        ({}, {"X-Forwarded-Proto": "https"}, False),
        ({"trusted_proxies": 1}, {"X-Forwarded-Proto": "https"}, True),
        ({"trusted_proxies": 1}, {"X-Forwarded-Proto": "http"}, False),
        ({"trusted_proxies": 1}, {"X-Forwarded-Proto": "https, http"}, False),
        ({"trusted_proxies": 2}, {"X-Forwarded-Proto": "https, http"}, True),
    ],
)
def test_they_are_secure_over_https(
    user: Person,
    make_app: Callable[..., Flask],
    different: dict[str, Any],
    headers: dict[str, str],
    secure: bool,
) -> None:
    require_secure(make_app(**different), headers, secure=secure)


def test_they_are_secure_in_production(user: Person, app: Flask) -> None:
    wiring = app.extensions["taskapi.api"]
    settings = dataclasses.replace(wiring.settings, taskapi_env="production")
    app.extensions["taskapi.api"] = dataclasses.replace(wiring, settings=settings)
    require_secure(app, {}, secure=True)


def require_secure(app: Flask, headers: dict[str, str], *, secure: bool) -> None:
    """Whether cookies are secure when they are set, and likewise when they are taken away."""
    client = app.test_client(use_cookies=False)
    first = client.post("/login", json=ADA, headers=headers)
    last = client.post("/logout", headers=headers | cookie(value_of(first)))
    for answer in (first, last):
        assert answer.status_code == 200
        assert ["Secure" in told for told in set_by(answer).values()] == [secure, secure]


def test_signing_out_ends_the_session_for_cookie_and_tokens_alike(client: FlaskClient, user: Person) -> None:
    for path in ("/logout", "/v1/auth/logout"):
        answer = client.post("/login", json=ADA)
        mine, token = cookie(value_of(answer)), bearer(answer.json["access_token"])
        assert client.get("/auth/me", headers=token).status_code == 200
        ended = client.post(path, headers=mine)
        assert (ended.status_code, ended.json["data"], set_by(ended)) == (200, {"ended": 1}, GONE)
        for over in (mine, token):
            assert client.get("/auth/me", headers=over).status_code == 401
        again = client.post("/auth/refresh", json={"refresh_token": answer.json["refresh_token"]})
        assert again.status_code == 401
    assert user.get("/auth/me").status_code == 200


def test_signing_out_by_token_takes_the_cookies_away_and_ends_the_tokens_session_alone(
    client: FlaskClient, user: Person
) -> None:
    mine = cookie(signed_in(client))
    answer = user.post("/logout", headers=mine)
    assert (answer.json["data"], set_by(answer)) == ({"ended": 1}, GONE)
    assert user.get("/auth/me").status_code == 401
    assert client.get("/auth/me", headers=mine).status_code == 200


def test_signing_out_everywhere_takes_the_cookies_away(browser: FlaskClient, user: Person) -> None:
    answer = browser.delete("/auth/sessions")
    assert (answer.json["data"], set_by(answer)) == ({"ended": 2}, GONE)
    assert browser.get("/auth/me").status_code == 401
    assert user.get("/auth/me").status_code == 401


def test_the_sessions_show_which_one_the_cookie_names(browser: FlaskClient) -> None:
    sessions = browser.get("/auth/sessions").json["data"]["sessions"]
    assert [one["current"] for one in sessions].count(True) == 1
    mine, other = sorted(sessions, key=lambda one: not one["current"])
    assert browser.delete(f"/auth/sessions/{other['id']}").status_code == 200
    assert browser.get("/auth/me").status_code == 200
    assert browser.delete(f"/auth/sessions/{mine['id']}").status_code == 200
    over = browser.get("/auth/me")
    assert (over.status_code, set_by(over)) == (401, GONE)
    assert browser.get_cookie("session") is None


def test_a_new_password_ends_all_cookies_and_gives_new_ones_to_whoever_set_it(
    client: FlaskClient, browser: FlaskClient
) -> None:
    elsewhere, before = cookie(signed_in(client)), browser.get_cookie("session")
    sent = {"current_password": PASSWORD, "new_password": "another horse"}
    answer = browser.put("/auth/password", json=sent)
    assert answer.status_code == 200
    assert answer.json["csrf_token"] == value_of(answer, "csrf_token")
    assert browser.get("/auth/me").status_code == 200
    assert before is not None
    for over in (elsewhere, cookie(before.value)):
        assert client.get("/auth/me", headers=over).status_code == 401


def test_a_new_password_by_token_gives_no_cookies(user: Person) -> None:
    sent = {"current_password": PASSWORD, "new_password": "another horse"}
    answer = user.put("/auth/password", sent)
    assert (answer.status_code, set_by(answer)) == (200, {})


@pytest.mark.parametrize("what", ["another role", "another password", "deletion"])
def test_what_ends_sessions_ends_cookies_at_once(
    browser: FlaskClient, user: Person, owner: Person, what: str
) -> None:
    assert browser.get("/auth/me").status_code == 200
    done = {
        "another role": lambda: owner.put(f"/users/{user.id}", {"role": "group_admin"}),
        "another password": lambda: owner.put(f"/users/{user.id}", {"password": "another horse"}),
        "deletion": lambda: owner.delete(f"/users/{user.id}"),
    }[what]()
    assert done.status_code == 200
    over = browser.get("/tasks")
    assert (over.status_code, set_by(over)) == (401, GONE)


def test_a_cookie_outlives_an_access_token_and_ends_with_its_session(
    client: FlaskClient, user: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = client.post("/login", json=ADA)
    mine, token = cookie(value_of(answer)), bearer(answer.json["access_token"])
    now = time.time()
    for days, by_cookie in ((0, 200), (1, 200), (29, 200), (31, 401)):
        monkeypatch.setattr(tokens.time, "time", lambda days=days: now + days * 86400)
        assert client.get("/auth/me", headers=mine).status_code == by_cookie
        assert client.get("/auth/me", headers=token).status_code == (200 if days == 0 else 401)


def test_a_refresh_token_prolongs_a_session_for_its_cookie_too(browser: FlaskClient, user: Person) -> None:
    first = browser.post("/login", json=ADA).json
    answer = browser.post("/auth/refresh?session=cookie", json={"refresh_token": first["refresh_token"]})
    assert answer.status_code == 200
    assert answer.json["csrf_token"] == first["csrf_token"]
    assert set(set_by(answer)) == {"session", "csrf_token"}
    assert browser.get("/auth/me").status_code == 200
    assert browser.post("/auth/refresh", json={"refresh_token": first["refresh_token"]}).status_code == 401
    assert browser.get("/auth/me").status_code == 401


def test_signing_in_begins_a_session_of_its_own_each_time(app: Flask, client: FlaskClient) -> None:
    browser = app.test_client()
    first = browser.post("/register", json=ADA)
    second = browser.post("/register", json=EVE)
    assert value_of(first) != value_of(second)
    assert first.json["csrf_token"] != second.json["csrf_token"]
    assert browser.get("/auth/me").json["data"]["username"] == "eve"
    for answer, name in ((first, "ada"), (second, "eve")):
        for mine in (cookie(value_of(answer)), bearer(answer.json["access_token"])):
            assert client.get("/auth/me", headers=mine).json["data"]["username"] == name


def test_signing_in_again_under_one_key_leaves_its_session_alone(browser: FlaskClient) -> None:
    named = {"Idempotency-Key": "sign-in"}
    first, second = (browser.post("/login", json=ADA, headers=named) for _ in range(2))
    assert second.headers["Idempotency-Replayed"] == "true"
    assert second.json["csrf_token"] == first.json["csrf_token"]
    assert browser.get("/auth/me").status_code == 200


def test_a_cookie_that_somebody_planted_is_no_session(client: FlaskClient, user: Person) -> None:
    planted = "0" * 32
    answer = client.post("/login", json=ADA, headers=cookie(planted))
    assert answer.status_code == 200
    assert planted not in value_of(answer)
    assert client.get("/auth/me", headers=cookie(planted)).status_code == 401
