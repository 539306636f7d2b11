"""What a 401 tells: whether to refresh, to sign in again, or to mend the header."""

from __future__ import annotations

import jwt
import pytest
from flask.testing import FlaskClient

from taskapi.config import Settings
from tests.api.conftest import Person, basic, bearer


def resigned(user: Person, settings: Settings, **claims: object) -> str:
    """The user's access token with other claims, signed as ours are."""
    good = jwt.decode(user.headers["Authorization"][7:], options={"verify_signature": False})
    return jwt.encode(good | claims, settings.jwt_secret_key, "HS256")


@pytest.mark.parametrize(
    ("claims", "code"),
    [
        ({"exp": 1}, "token_expired"),
        ({"exp": 1, "type": "refresh"}, "unauthorized"),
        ({"exp": 1, "type": "cookie"}, "unauthorized"),
        ({"exp": 1, "sid": 7}, "unauthorized"),
        ({"exp": 1, "sub": 7}, "unauthorized"),
        ({"sid": "0" * 32}, "unauthorized"),
    ],
)
def test_only_an_access_token_that_was_good_is_said_to_have_expired(
    user: Person, plain_settings: Settings, claims: dict[str, object], code: str
) -> None:
    token = resigned(user, plain_settings, **claims)
    assert user.client.get("/auth/me", headers=bearer(token)).json["code"] == code


def test_a_forged_token_is_not_said_to_have_expired(user: Person, plain_settings: Settings) -> None:
    head, _, sign = resigned(user, plain_settings, exp=1).rpartition(".")
    forged = f"{head}.{sign[::-1]}"
    assert user.client.get("/auth/me", headers=bearer(forged)).json["code"] == "unauthorized"


@pytest.mark.parametrize("path", ["/auth/me", "/auth/refresh"])
def test_the_challenge_says_that_a_token_was_refused(client: FlaskClient, path: str) -> None:
    method = "GET" if path == "/auth/me" else "POST"
    answer = client.open(path, method=method, headers=bearer("x"))
    assert answer.headers.getlist("WWW-Authenticate")[0] == 'Bearer error="invalid_token"'


def test_the_challenge_blames_no_token_where_none_was_looked_at(client: FlaskClient, user: Person) -> None:
    wrong: list[tuple[str, dict[str, str]]] = [
        ("GET", {}),
        ("GET", basic("ada", "wrong password")),
        ("GET", user.headers | {"X-Owner-Password": "wrong"}),
    ]
    answers = [client.open("/auth/me", method=method, headers=sent) for method, sent in wrong]
    sent = {"username": "ada", "password": "wrong password"}
    answers.append(client.post("/auth/login", json=sent, headers=user.headers))
    assert [answer.status_code for answer in answers] == [401] * 4
    assert {answer.headers["WWW-Authenticate"] for answer in answers} == {"Bearer"}


def test_basic_credentials_that_cannot_be_read_are_not_called_wrong(client: FlaskClient) -> None:
    answer = client.get("/auth/me", headers={"Authorization": "Basic !!!"})
    assert "cannot be read" in answer.json["detail"]
