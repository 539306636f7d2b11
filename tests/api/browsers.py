"""What browsers do with cookies, for the tests of it."""

from __future__ import annotations

from flask.testing import FlaskClient
from werkzeug.http import parse_cookie
from werkzeug.test import TestResponse

from tests.api.conftest import PASSWORD

ADA = {"username": "ada", "password": PASSWORD}
LIFE = f"Max-Age={30 * 86400}"
FOR_EVERYBODY = {"Path=/", "SameSite=Lax"}
GONE = {"session": {*FOR_EVERYBODY, "HttpOnly", "Max-Age=0"}, "csrf_token": {*FOR_EVERYBODY, "Max-Age=0"}}


def set_by(answer: TestResponse) -> dict[str, set[str]]:
    """The cookies that an answer sets or takes away, each with its attributes."""
    found = {}
    for line in answer.headers.getlist("Set-Cookie"):
        pair, *attributes = line.split("; ")
        found[pair.partition("=")[0]] = {each for each in attributes if not each.startswith("Expires=")}
    return found


def value_of(answer: TestResponse, name: str = "session") -> str:
    """The value of a cookie that an answer sets."""
    [line] = [line for line in answer.headers.getlist("Set-Cookie") if line.startswith(f"{name}=")]
    return parse_cookie(line)[name]


def cookie(*values: str) -> dict[str, str]:
    """The header of session cookies."""
    return {"Cookie": "; ".join(f"session={value}" for value in values)}


def signed_in(client: FlaskClient, name: str = "ada") -> str:
    """The session cookie of somebody who signs in."""
    return value_of(client.post("/login", json={"username": name, "password": PASSWORD}))
