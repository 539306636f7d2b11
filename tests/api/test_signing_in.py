"""Registering and signing in as clients of several kinds do it: the same answers at all their paths."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.api.conftest import OWNER_PASSWORD, PASSWORD, Person, basic, bearer

REGISTER = ("/register", "/users/register", "/auth/register", "/v1/register", "/v1/auth/register")
LOGIN = ("/login", "/users/login", "/auth/login", "/v1/users/login", "/v1/auth/login")
LOGOUT = ("/logout", "/auth/logout", "/v1/logout")
TOLD = {"success", "access_token", "refresh_token", "token_type", "expires_in", "data"}
KINDS = ("json", "data")


@pytest.mark.parametrize("path", REGISTER)
@pytest.mark.parametrize("kind", KINDS)
def test_a_newcomer_is_made_and_signed_in(client: FlaskClient, path: str, kind: Any) -> None:
    sent = {"username": "admin", "password": "admin123", "role": "admin"}
    answer = client.post(path, **{kind: sent})
    assert answer.status_code == 201
    assert set(answer.json) - {"csrf_token"} == TOLD
    made = answer.json["data"]["user"]
    assert answer.headers["Location"] == f"{'/v1' if path.startswith('/v1') else ''}/users/{made['id']}"
    told = {name: made[name] for name in ("username", "full_name", "email", "role", "requested_role")}
    assert told == {
        "username": "admin",
        "full_name": "admin",
        "email": None,
        "role": "user",
        "requested_role": "group_admin",
    }
    mine = bearer(answer.json["access_token"])
    assert client.get(answer.headers["Location"], headers=mine).json["data"] == made


BAD: list[tuple[dict[str, Any], int, str]] = [
    ({"username": "ada", "password": PASSWORD}, 409, "username"),
    ({"username": "ADA", "password": PASSWORD}, 409, "username"),
    ({"email": "Admin@Gmail.com", "password": PASSWORD}, 409, "email"),
    ({"password": PASSWORD}, 400, "username"),
    ({"username": "", "email": "", "password": PASSWORD}, 400, "username"),
    ({"username": "eve"}, 400, "password"),
    ({"username": "eve", "password": ""}, 400, "password"),
    ({"username": "eve", "password": "1234567"}, 400, "password"),
    ({"username": "eve", "password": "x" * 257}, 400, "password"),
    ({"username": "ev", "password": PASSWORD}, 400, "username"),
    ({"username": "2eve", "password": PASSWORD}, 400, "username"),
    ({"username": "e@ve", "password": PASSWORD}, 400, "username"),
    ({"username": "eve", "email": "eve", "password": PASSWORD}, 400, "email"),
    ({"username": "eve", "password": PASSWORD, "role": "king"}, 400, "role"),
    ({"username": "eve", "password": PASSWORD, "id": "7"}, 400, "id"),
]


@pytest.mark.parametrize(("sent", "status", "field"), BAD)
def test_what_is_wrong_is_named(
    client: FlaskClient, user: Person, sent: dict[str, Any], status: int, field: str
) -> None:
    for path in REGISTER:
        for kind in KINDS:
            answer = client.post(path, **{kind: sent})
            assert (answer.status_code, field in answer.json["errors"]) == (status, True)
            assert answer.content_type == "application/problem+json"


@pytest.mark.parametrize("role", [None, "user", "group_admin", "admin", "owner"])
def test_nobody_registers_as_more_than_a_user(client: FlaskClient, role: str | None) -> None:
    sent = {"username": "eve", "email": None, "full_name": None, "password": PASSWORD, "role": role}
    made = client.post("/users/register", json=sent).json["data"]["user"]
    asked = {None: None, "user": None, "admin": "group_admin"}
    assert (made["role"], made["requested_role"]) == ("user", asked.get(role, role))
    assert made["full_name"] == "eve"


@pytest.mark.parametrize("path", REGISTER[:2])
def test_what_a_page_leaves_empty_is_not_given(client: FlaskClient, path: str) -> None:
    sent = {"username": "", "email": "eve@example.com", "password": PASSWORD, "full_name": "", "role": ""}
    made = client.post(path, data=sent).json["data"]["user"]
    assert (made["username"], made["email"], made["full_name"]) == (
        None,
        "eve@example.com",
        "eve@example.com",
    )


@pytest.mark.parametrize("path", LOGIN)
@pytest.mark.parametrize("kind", KINDS)
def test_signing_in_takes_a_username_an_address_or_an_id(client: FlaskClient, path: str, kind: Any) -> None:
    sent = {"username": "eve", "email": "eve@example.com", "password": PASSWORD}
    made = client.post("/register", json=sent).json["data"]["user"]
    names: list[dict[str, Any]] = [
        {"username": "eve"},
        {"username": "EVE"},
        {"username": "eve@example.com"},
        {"email": "Eve@Example.com"},
        {"username": str(made["id"])},
        {"username": made["id"]},
    ]
    for name in names:
        answer = client.post(path, **{kind: name | {"password": PASSWORD}})
        assert (answer.status_code, set(answer.json) - {"csrf_token"}) == (200, TOLD)
        assert answer.json["token_type"] == "bearer"
        assert answer.json["data"]["user"] == made
        assert "Location" not in answer.headers


def test_the_owner_signs_in_like_everybody_else(client: FlaskClient, data: object) -> None:
    for name in ("1", "admin@gmail.com"):
        answer = client.post("/login", data={"username": name, "password": OWNER_PASSWORD})
        assert answer.json["data"]["user"]["role"] == "owner"


def test_a_client_of_the_password_grant_signs_in(client: FlaskClient, user: Person) -> None:
    grant = {"grant_type": "password", "username": "ada", "password": PASSWORD}
    for more in ({}, {"scope": "", "client_id": "", "client_secret": ""}, {"scope": "a b", "client_id": "x"}):
        answer = client.post("/v1/auth/login", data=grant | more)
        assert (answer.status_code, answer.json["token_type"]) == (200, "bearer")
    for wrong in ({"grant_type": "client_credentials"}, {"state": "x"}):
        assert client.post("/v1/auth/login", data=grant | wrong).status_code == 400


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        ({"username": "ada", "password": "wrong"}, 401),
        ({"username": "nobody", "password": PASSWORD}, 401),
        ({"username": 999, "password": PASSWORD}, 401),
        ({"username": True, "password": PASSWORD}, 400),
        ({"username": 0, "password": PASSWORD}, 400),
        ({"username": -2, "password": PASSWORD}, 400),
        ({"username": 2**53, "password": PASSWORD}, 400),
        ({"username": 2.0, "password": PASSWORD}, 400),
        ({"username": None, "password": PASSWORD}, 400),
        ({"username": "ada"}, 400),
        ({"password": PASSWORD}, 400),
        ({"username": "ada", "email": "bob@example.com", "password": PASSWORD}, 400),
    ],
)
def test_a_wrong_sign_in_is_401_and_a_bad_one_400(
    client: FlaskClient, user: Person, sent: dict[str, Any], status: int
) -> None:
    for path in LOGIN:
        assert client.post(path, json=sent).status_code == status


@pytest.mark.parametrize("path", LOGOUT)
def test_signing_out_ends_what_was_used(client: FlaskClient, user: Person, path: str) -> None:
    assert client.post(path).status_code == 401
    assert client.post(path, headers=user.headers).json == {"success": True, "data": {"ended": 1}}
    assert client.post(path, headers=user.headers).status_code == 401
    assert client.post(path, headers=basic("ada", PASSWORD)).json["data"] == {"ended": 0}


@pytest.mark.parametrize("path", [*REGISTER, *LOGIN, *LOGOUT])
def test_these_paths_take_post_alone_and_no_other_bodies(client: FlaskClient, path: str) -> None:
    assert client.get(path).headers["Allow"] == "OPTIONS, POST"
    assert client.get(path).status_code == 405
    if path not in LOGOUT:
        assert client.post(path, data="x", content_type="text/plain").status_code == 415
        assert client.post(path, data="{", content_type="application/json").status_code == 400
