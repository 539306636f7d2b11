"""What a request costs the stores."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from flask.testing import FlaskClient
from redis import Redis
from redis.connection import AbstractConnection

from taskapi.embedded.servers import Servers
from tests.api.conftest import PASSWORD, Person, basic


@contextmanager
def counted(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """A note of each command that this thread sends to any Redis meanwhile."""
    sent: list[str] = []
    send = AbstractConnection.send_packed_command

    def counting(connection: AbstractConnection, command: object, check_health: bool = True) -> None:
        if threading.current_thread() is threading.main_thread():
            sent.append(repr(connection))
        send(connection, command, check_health)

    with monkeypatch.context() as patch:
        patch.setattr(AbstractConnection, "send_packed_command", counting)
        yield sent


@pytest.fixture
def quiet_bell(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """No bell, whose own questions would be counted along."""
    monkeypatch.setattr("taskapi.bell.Bell.ring", lambda _: None)


HOT_READS = [
    "/tasks/{task}",
    "/users/{user}/tasks/{task}",
    "/tasks",
    "/users/{user}/tasks?status=pending",
    "/tasks/stats",
    "/auth/me",
]


@pytest.mark.parametrize("path", HOT_READS)
@pytest.mark.parametrize("credential", ["token", "cookie"])
def test_a_hot_read_is_one_round_trip(
    user: Person, path: str, credential: str, monkeypatch: pytest.MonkeyPatch, quiet_bell: None
) -> None:
    address = path.format(user=user.id, task=user.task()["id"])
    caller = user if credential == "token" else Person(user.client, cookie_of(user.client), user.user)
    caller.get(address)
    with counted(monkeypatch) as sent:
        assert caller.get(address).status_code == 200
    assert len(sent) == 1


def cookie_of(client: FlaskClient) -> dict[str, str]:
    """The header of a session cookie."""
    answer = client.post("/login", json={"username": "ada", "password": PASSWORD})
    session = answer.headers.getlist("Set-Cookie")[0].partition(";")[0]
    return {"Cookie": session, "Origin": "http://localhost", "X-CSRF-Token": answer.json["csrf_token"]}


def test_a_remembered_password_costs_no_round_trip_of_its_own(
    user: Person, monkeypatch: pytest.MonkeyPatch, quiet_bell: None
) -> None:
    mine = basic("ada", PASSWORD)
    user.client.get("/auth/me", headers=mine)
    with counted(monkeypatch) as sent:
        assert user.client.get("/auth/me", headers=mine).status_code == 200
    assert len(sent) == 1


WRITES = [
    ("PUT", "/users/{user}/tasks/{task}", {"title": "another"}),
    ("PUT", "/tasks/{task}/done", None),
    ("POST", "/users/{user}/tasks", {"title": "new"}),
    ("DELETE", "/tasks/{task}", None),
]


@pytest.mark.parametrize(("method", "path", "body"), WRITES)
@pytest.mark.parametrize("credential", ["token", "cookie"])
def test_a_write_is_two_round_trips(
    user: Person,
    method: str,
    path: str,
    body: object,
    credential: str,
    monkeypatch: pytest.MonkeyPatch,
    quiet_bell: None,
) -> None:
    warm, address = (path.format(user=user.id, task=user.task()["id"]) for _ in range(2))
    caller = user if credential == "token" else Person(user.client, cookie_of(user.client), user.user)
    caller.call(method, warm, body)
    with counted(monkeypatch) as sent:
        assert caller.call(method, address, body).status_code in (200, 201)
    assert len(sent) == 2


def test_a_refusal_costs_the_store_nothing(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    with counted(monkeypatch) as sent:
        assert client.get("/tasks").status_code == 401
        assert client.get("/tasks", headers={"Authorization": "Bearer x"}).status_code == 401
        assert client.get("/nothing").status_code == 404
    assert sent == []


def test_a_thousand_reads_leave_the_append_only_file_as_it_was(
    user: Person, redis_data: Redis, servers: Servers, quiet_bell: None
) -> None:
    paths = [path.format(user=user.id, task=user.task()["id"]) for path in HOT_READS]
    redis_data.config_set("appendonly", "yes")
    for path in paths:
        user.get(path)
    before = redis_data.info("persistence")["aof_current_size"]
    for number in range(1000):
        assert user.get(paths[number % len(paths)]).status_code == 200
    assert redis_data.info("persistence")["aof_current_size"] == before
