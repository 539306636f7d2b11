"""Credentials, in their order; what is wrong ends the request."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import jwt
import pytest
from flask import Flask
from flask.testing import FlaskClient

from taskapi.api import tokens
from taskapi.config import Settings
from taskapi.store.client import Store
from tests.api.conftest import OWNER_PASSWORD, PASSWORD, Person, basic, bearer


def test_the_owner_password_speaks_for_user_1(owner: Person) -> None:
    assert owner.get("/auth/me").json["data"]["id"] == 1


@pytest.mark.parametrize("password", ["", "wrong", OWNER_PASSWORD + " x", "ä"])
def test_a_wrong_owner_password_is_401_even_beside_a_good_token(user: Person, password: str) -> None:
    assert user.get("/auth/me", headers={"X-Owner-Password": password}).status_code == 401


def test_basic_takes_the_id_the_username_and_the_email(client: FlaskClient) -> None:
    sent = {"username": "eve", "email": "Eve@Example.com", "password": PASSWORD}
    made = client.post("/auth/register", json=sent).json["data"]["user"]
    for name in (str(made["id"]), "EVE", "eve@example.com"):
        assert client.get("/auth/me", headers=basic(name, PASSWORD)).json["data"]["id"] == made["id"]


@pytest.mark.parametrize(
    "header",
    [
        "",
        "Basic",
        "Basic !!!",
        "Basic " + "A" * 3000,
        "Basic bm9jb2xvbg==",
        "Basic OnB3",
        "Basic AGE6Yg==",
        "Basic /////w==",
        "Bearer",
        "Bearer x",
        "Bearer a.b.c",
        "Bearer " + "a" * 5000,
        "Bearer ÿþ",
        "Digest username=x",
        "Negotiate",
    ],
)
def test_credentials_that_are_none_are_401(client: FlaskClient, header: str) -> None:
    assert client.get("/auth/me", headers={"Authorization": header}).status_code == 401


def test_a_wrong_password_is_401(user: Person) -> None:
    for name in ("ada", "nobody", "999", "nobody@example.com"):
        assert user.client.get("/auth/me", headers=basic(name, "wrong password")).status_code == 401


def test_a_token_that_has_expired_is_401_although_it_was_good_before(
    client: FlaskClient, user: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert user.get("/auth/me").status_code == 200
    later = time.time() + 61 * 60
    monkeypatch.setattr(tokens.time, "time", lambda: later)
    answer = user.get("/auth/me")
    assert (answer.status_code, answer.json["code"]) == (401, "token_expired")


@pytest.mark.parametrize(
    ("claims", "key", "algorithm"),
    [
        ({}, "another key, as long as it must be", "HS256"),
        ({}, None, "HS512"),
        ({}, "", "none"),
        ({"type": "refresh"}, None, "HS256"),
        ({"sub": "one"}, None, "HS256"),
        ({"sub": "²"}, None, "HS256"),
        ({"sid": ""}, None, "HS256"),
        ({"sid": 7}, None, "HS256"),
        ({"sid": "0" * 32}, None, "HS256"),
        ({"exp": 1}, None, "HS256"),
        ({"exp": "soon"}, None, "HS256"),
    ],
)
def test_a_token_that_is_not_ours_is_401(
    user: Person, plain_settings: Settings, claims: dict[str, object], key: str | None, algorithm: str
) -> None:
    good = jwt.decode(user.headers["Authorization"][7:], options={"verify_signature": False})
    signed = plain_settings.jwt_secret_key if key is None else key
    with_padding = signed.ljust(64, "=") if algorithm == "HS512" else signed
    token = jwt.encode(good | claims, with_padding if algorithm != "none" else None, algorithm)
    assert user.client.get("/auth/me", headers=bearer(token)).status_code == 401


def test_logging_out_ends_the_token_at_once(user: Person) -> None:
    assert user.post("/auth/logout").json["data"] == {"ended": 1}
    assert user.get("/auth/me").status_code == 401


def test_a_deleted_user_is_nobody_at_once(user: Person, owner: Person) -> None:
    assert owner.delete(f"/users/{user.id}").json["data"] == {"id": user.id, "deleted": True}
    assert user.get("/auth/me").status_code == 401


def test_a_new_password_ends_what_basic_had_remembered(user: Person) -> None:
    mine = basic("ada", PASSWORD)
    assert user.client.get("/auth/me", headers=mine).status_code == 200
    sent = {"current_password": PASSWORD, "new_password": "another password"}
    answer = user.put("/auth/password", sent)
    assert answer.status_code == 200
    assert user.client.get("/auth/me", headers=mine).status_code == 401
    assert user.get("/auth/me").status_code == 401
    assert user.client.get("/auth/me", headers=bearer(answer.json["access_token"])).status_code == 200


def test_a_refresh_token_is_good_once_and_its_reuse_ends_the_session(
    client: FlaskClient, user: Person
) -> None:
    first = client.post("/auth/login", json={"username": "ada", "password": PASSWORD}).json
    second = client.post("/auth/refresh", json={"refresh_token": first["refresh_token"]})
    assert second.status_code == 200
    assert client.post("/auth/refresh", headers=bearer(first["refresh_token"])).status_code == 401
    assert client.post("/auth/refresh", headers=bearer(second.json["refresh_token"])).status_code == 401
    assert client.get("/auth/me", headers=bearer(second.json["access_token"])).status_code == 401
    assert user.get("/auth/me").status_code == 200


def test_an_access_token_refreshes_nothing_and_a_refresh_token_reads_nothing(
    client: FlaskClient, user: Person
) -> None:
    pair = client.post("/auth/login", json={"username": "ada", "password": PASSWORD}).json
    assert client.post("/auth/refresh", json={"refresh_token": pair["access_token"]}).status_code == 401
    assert client.get("/auth/me", headers=bearer(pair["refresh_token"])).status_code == 401
    assert client.post("/auth/refresh").status_code == 400


def test_sessions_are_listed_and_ended_one_by_one(client: FlaskClient, user: Person) -> None:
    client.post(
        "/auth/login", json={"username": "ada", "password": PASSWORD}, headers={"User-Agent": "a\x01phone"}
    )
    sessions = user.get("/auth/sessions").json["data"]["sessions"]
    assert [one["current"] for one in sessions].count(True) == 1
    foreign = next(one for one in sessions if not one["current"])
    assert foreign["agent"] == "aphone"
    assert user.delete(f"/auth/sessions/{foreign['id']}").status_code == 200
    assert user.delete(f"/auth/sessions/{foreign['id']}").status_code == 404
    assert user.get("/auth/sessions").json["data"]["count"] == 1
    assert user.delete("/auth/sessions").json["data"] == {"ended": 1}
    assert user.get("/auth/me").status_code == 401


def test_a_form_signs_in_and_registers(client: FlaskClient) -> None:
    sent = {"username": "eve", "password": PASSWORD}
    assert client.post("/users/register", data=sent).status_code == 201
    answer = client.post("/login", data=sent)
    assert answer.status_code == 200
    assert answer.json["token_type"] == "bearer"
    assert answer.json["expires_in"] == 3600
    assert client.post("/logout", headers=bearer(answer.json["access_token"])).status_code == 200


def test_a_role_that_is_asked_for_is_noted_and_not_given(client: FlaskClient) -> None:
    sent = {"email": "boss@example.com", "password": PASSWORD, "role": "admin"}
    answer = client.post("/v1/auth/register", json=sent)
    made = answer.json["data"]["user"]
    assert (made["role"], made["requested_role"]) == ("user", "group_admin")
    assert made["full_name"] == "boss@example.com"
    assert answer.headers["Location"] == f"/v1/users/{made['id']}"


def test_a_closed_registration_is_403(data: Store, make_app: Callable[..., Flask]) -> None:
    client = make_app(registration="closed").test_client()
    answer = client.post("/register", json={"username": "eve", "password": PASSWORD})
    assert answer.status_code == 403


def test_the_memory_of_tokens_is_bounded(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tokens, "MOST_REMEMBERED", 3)
    memory = tokens.Tokens()
    with app.app_context():
        for number in range(1, 9):
            memory.access(tokens.made(number, "session", "refresh")[0])
    assert len(memory._remembered) == 3


def test_a_password_that_was_changed_and_changed_back_signs_in_at_once(user: Person) -> None:
    mine = basic("ada", PASSWORD)
    assert user.client.get("/auth/me", headers=mine).status_code == 200
    for current, new in ((PASSWORD, "another horse"), ("another horse", PASSWORD)):
        sent = {"current_password": current, "new_password": new}
        changed = user.client.put("/auth/password", json=sent, headers=basic("ada", current))
        assert changed.status_code == 200
    assert user.client.get("/auth/me", headers=mine).status_code == 200


def test_a_remembered_password_that_has_changed_is_refused_and_counts_as_wrong(
    user: Person, make_app: Callable[..., Flask]
) -> None:
    client, mine = make_app(rate_limit_auth="3 per minute").test_client(), basic("ada", PASSWORD)
    assert client.get("/auth/me", headers=mine).status_code == 200
    sent = {"current_password": PASSWORD, "new_password": "another horse"}
    assert user.put("/auth/password", sent).status_code == 200
    assert [client.get("/auth/me", headers=mine).status_code for _ in range(4)] == [401, 401, 401, 429]


def test_another_owner_password_ends_the_old_one_as_soon_as_the_api_has_it(
    data: Store, make_app: Callable[..., Flask]
) -> None:
    new = "another owner password"
    client = make_app(owner_password=new).test_client()
    for name in ("1", "admin@gmail.com"):
        for password, status in ((OWNER_PASSWORD, 401), (new, 200)):
            assert client.get("/auth/me", headers=basic(name, password)).status_code == status
            sent = {"username": name, "password": password}
            assert client.post("/login", json=sent).status_code == status
    for password, status in ((OWNER_PASSWORD, 400), (new, 200)):
        sent = {"email": "owner@example.com", "current_password": password}
        assert client.put("/users/1", json=sent, headers={"X-Owner-Password": new}).status_code == status


WRONG: list[dict[str, Any]] = [
    {"json": {"title": 5}},
    {"data": b"{", "content_type": "application/json"},
    {"data": b"x", "content_type": "text/plain"},
    {"json": {"title": "x"}, "query_string": "unknown=1"},
    {"json": {"title": "x"}, "headers": {"Idempotency-Key": ""}},
]


@pytest.mark.parametrize("wrong", WRONG)
def test_a_caller_whose_session_is_over_is_told_that_before_what_is_wrong(
    user: Person, wrong: dict[str, Any]
) -> None:
    assert user.call("POST", "/tasks", **wrong).status_code in (400, 415)
    user.post("/auth/logout")
    assert user.call("POST", "/tasks", **wrong).status_code == 401


def test_a_caller_without_the_right_is_told_that_before_what_is_wrong(user: Person) -> None:
    assert user.post("/groups", {"name": 5}).status_code == 403
    assert user.get("/users?unknown=1").status_code == 403
    assert user.put("/groups/1", {"name": "x"}, headers={"If-Match": "bad"}).status_code == 403
