"""An app on real servers, and people who call it."""

from __future__ import annotations

import base64
import dataclasses
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from redis import Redis
from werkzeug.test import TestResponse

from taskapi import create_app
from taskapi.config import Settings, load_settings
from taskapi.embedded.servers import Servers
from taskapi.outside.shelf import Shelf, open_shelf
from taskapi.services.owner import ensure_owner
from taskapi.store import state
from taskapi.store.client import Store, connect
from tests.conftest import product_environment

OWNER_PASSWORD = "owner-password"
PASSWORD = "correct horse"


class Person:
    """Somebody with credentials: calls, and is answered."""

    def __init__(self, client: FlaskClient, headers: dict[str, str], user: dict[str, Any]) -> None:
        self.client, self.headers, self.user = client, headers, user

    @property
    def id(self) -> int:
        """Their user id."""
        found: int = self.user["id"]
        return found

    def call(
        self, method: str, path: str, json: Any = None, headers: Any = None, **more: Any
    ) -> TestResponse:
        """The answer to one request."""
        sent = {} if json is None else {"json": json}
        return self.client.open(
            path, method=method, headers={**self.headers, **dict(headers or {})}, **sent, **more
        )

    def get(self, path: str, **more: Any) -> TestResponse:
        """GET."""
        return self.call("GET", path, **more)

    def post(self, path: str, json: Any = None, **more: Any) -> TestResponse:
        """POST."""
        return self.call("POST", path, json, **more)

    def put(self, path: str, json: Any = None, **more: Any) -> TestResponse:
        """PUT."""
        return self.call("PUT", path, json, **more)

    def delete(self, path: str, **more: Any) -> TestResponse:
        """DELETE."""
        return self.call("DELETE", path, **more)

    def task(self, **fields: Any) -> dict[str, Any]:
        """A new task of theirs."""
        answer = self.post("/tasks", {"title": "Write the report", **fields})
        assert answer.status_code == 201, answer.json
        found: dict[str, Any] = answer.json["data"]
        return found


@pytest.fixture(scope="session")
def plain_settings(servers: Servers) -> Settings:
    """The settings of these servers, without limits that would stop the tests."""
    environ = product_environment(servers) | {
        "OWNER_PASSWORD": OWNER_PASSWORD,
        "RATE_LIMIT_DEFAULT": "",
        "RATE_LIMIT_AUTH": "",
        "RATE_LIMIT_ANONYMOUS": "",
        "RATE_LIMIT_BY_DATE": "",
        "RATE_LIMIT_CHECK": "",
        "EXTERNAL_JOKE_URL": "http://127.0.0.1:1/joke",
    }
    return load_settings(environ, None)


@pytest.fixture(scope="session")
def make_app(plain_settings: Settings) -> Iterator[Callable[..., Flask]]:
    """Makes an app whose settings differ as told."""
    made: list[Flask] = []

    def make(**different: Any) -> Flask:
        app = create_app(dataclasses.replace(plain_settings, **different))
        made.append(app)
        return app

    yield make
    for app in made:
        app.extensions["taskapi.api"].bell.stop()


@pytest.fixture(scope="session")
def shared_app(make_app: Callable[..., Flask]) -> Flask:
    """One app for all tests that need no settings of their own."""
    return make_app()


@pytest.fixture
def data(redis_data: Redis, redis_broker: Redis, plain_settings: Settings) -> Store:
    """The data store, admitted and with an owner."""
    assert plain_settings.redis_url is not None
    store = connect(plain_settings.redis_url)
    ids = {"user": (0, 1000), "group": (0, 1000), "task": (0, 1_000_000), "file": (0, 100_000)}
    assert state.open_for(store, state.look(store).run, "test", 1, 0, ids)
    ensure_owner(store, "admin@gmail.com", OWNER_PASSWORD)
    return store


@pytest.fixture
def app(data: Store, shared_app: Flask) -> Iterator[Flask]:
    """The app, on an empty system; an extension that a test replaces is back after it."""
    own = dict(shared_app.extensions)
    yield shared_app
    shared_app.extensions.update(own)


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """A client without credentials, which forgets the cookies that it is given."""
    return app.test_client(use_cookies=False)


@pytest.fixture
def folder(app: Flask, tmp_path: Path) -> Shelf:
    """A folder as the shelf of the app."""
    app.extensions["taskapi.uploads"] = shelf = open_shelf(str(tmp_path / "uploads"))
    return shelf


@pytest.fixture
def owner(client: FlaskClient) -> Person:
    """The system owner, by header."""
    return Person(client, {"X-Owner-Password": OWNER_PASSWORD}, {"id": 1})


@pytest.fixture
def user(client: FlaskClient) -> Person:
    """A plain user, by Bearer token."""
    return signed_up(client, "ada")


@pytest.fixture
def browser(app: Flask, user: Person) -> FlaskClient:
    """A client that keeps its cookies, with which that user has signed in."""
    client = app.test_client()
    assert client.post("/login", json={"username": "ada", "password": PASSWORD}).status_code == 200
    return client


@pytest.fixture
def other(client: FlaskClient) -> Person:
    """Another plain user."""
    return signed_up(client, "bob")


def signed_up(client: FlaskClient, name: str) -> Person:
    """A user who has just registered."""
    answer = client.post("/auth/register", json={"username": name, "password": PASSWORD})
    assert answer.status_code == 201, answer.json
    return Person(client, bearer(answer.json["access_token"]), answer.json["data"]["user"])


def bearer(token: str) -> dict[str, str]:
    """The header of a token."""
    return {"Authorization": f"Bearer {token}"}


def basic(name: str, password: str) -> dict[str, str]:
    """The header of a name and a password."""
    return {"Authorization": "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()}
