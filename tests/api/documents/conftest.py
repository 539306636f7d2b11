"""A world in which the examples of the document hold: its ids, names and passwords are there."""

from __future__ import annotations

import dataclasses
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from redis import Redis

from taskapi.db.engine import Engine
from taskapi.db.engine import connect as connect_postgres
from taskapi.outside.shelf import open_shelf
from taskapi.outside.upstream import Upstream
from taskapi.services.owner import ensure_owner
from taskapi.store import codec
from taskapi.store.client import Store
from taskapi.store.kinds import KINDS
from taskapi.store.plans import Change
from taskapi.store.records import save
from taskapi.sync.admission import admit
from taskapi.sync.backup import back_up
from taskapi.sync.flush import drain
from tests.api.conftest import OWNER_PASSWORD, Person, basic
from tests.api.test_public import Teller
from tests.store.conftest import SYSTEM

PASSWORD = "correct horse battery"
TEXT = b"A text of one line.\n"


@dataclass
class World:
    """Ada (user 2) and Grace, group admin (3), are in group 1, Alan (4) is in none; tasks 1 and 2 are Ada's,
    file 1 hangs on task 1."""

    client: FlaskClient
    owner: Person
    ada: Person
    signed_in: dict[str, Any]

    def caller(self, right: str | None) -> Person | None:
        """Who carries an example out: Ada what is about the own account, else the owner."""
        if right is None:
            return None
        return self.ada if right == "own_account" else self.owner


@pytest.fixture(autouse=True)
def _another_server(app: Flask) -> Iterator[None]:
    """Somebody who answers the outside call."""
    with Teller() as server:
        Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        app.extensions["taskapi.upstream"] = Upstream(server.url)
        yield
        server.shutdown()


@pytest.fixture
def make_world(data: Store, redis_data: Redis, redis_broker: Redis, app: Flask) -> Callable[[], World]:
    """Makes the world as it was in the beginning, whatever has become of it."""
    world = filled(app, data)
    kept = [(server, photographed(server)) for server in (redis_data, redis_broker)]

    def make() -> World:
        for server, photo in kept:
            server.flushall()
            with server.pipeline() as pipe:
                for key, (left, value) in photo.items():
                    pipe.restore(key, left, value)
                pipe.execute()
        return world

    return make


def photographed(server: Redis) -> dict[bytes, tuple[int, bytes]]:
    """All that a server has: of each key how long it lives on, in milliseconds or 0, and its value."""
    return {key: (max(0, server.pttl(key)), server.dump(key)) for key in server.scan_iter()}


@pytest.fixture
def carried_world(data: Store, redis_data: Redis, app: Flask, engine: Engine, tmp_path: Path) -> World:
    """The same, carried to PostgreSQL and backed up twice; what PostgreSQL has of user 2 is not the last."""
    url = tmp_path.as_uri()
    app.extensions["taskapi.archives"] = dataclasses.replace(app.extensions["taskapi.archives"], url=url)
    redis_data.flushdb()
    admit(data, engine)
    world = filled(app, data)
    for _ in range(2):
        back_up(data, engine, open_shelf(url))
    for user_id in (2, 4):
        was = codec.decode(KINDS["user"], redis_data.get(f"user:{user_id}"))
        save(data, SYSTEM, [Change(was, was.changed(full_name="\x00"), "changed")])
    drain(data, engine, 5)
    return world


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """PostgreSQL."""
    made = connect_postgres(database_url)
    yield made
    made.dispose()


def filled(app: Flask, store: Store) -> World:
    """The world, in an empty store."""
    ensure_owner(store, "admin@gmail.com", OWNER_PASSWORD)
    client = app.test_client(use_cookies=False)
    return _filled(client, Person(client, {"X-Owner-Password": OWNER_PASSWORD}, {"id": 1}))


def _filled(client: FlaskClient, owner: Person) -> World:
    people = [
        {"username": "ada", "full_name": "Ada Lovelace", "email": "ada@example.com"},
        {"username": "grace", "full_name": "Grace Hopper", "role": "group_admin"},
        {"username": "alan", "full_name": "Alan Turing"},
    ]
    made(owner.post("/groups", {"name": "Research"}))
    users = [
        made(owner.post("/users", {**one, "password": PASSWORD, "group_ids": [1] * (place < 2)}))
        for place, one in enumerate(people)
    ]
    made(owner.put("/groups/1", {"admin_id": 3}))
    for title in ("Write the report", "Check the report"):
        task = {"title": title, "tags": ["paper"], "deadline": "2030-01-31", "user_id": 2, "group_id": 1}
        made(owner.post("/tasks", task))
    made(owner.post("/tasks/1/files", data={"file": (io.BytesIO(TEXT), "report.txt")}))
    for _ in range(2):
        signed_in = client.post("/auth/login", json={"username": "ada", "password": PASSWORD})
        assert owner.post("/admin/sync?action=force&wait=0").status_code == 202
    assert [user["id"] for user in users] == [2, 3, 4]
    return World(client, owner, Person(client, basic("ada", PASSWORD), users[0]), signed_in.json)


def made(answer: Any) -> Any:
    """The record that was answered."""
    assert answer.status_code in (200, 201), answer.text
    return answer.json["data"]
