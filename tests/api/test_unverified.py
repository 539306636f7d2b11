"""Redis has restarted while PostgreSQL is away: nobody is let in, and everybody is told what it waits for."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import pytest
from flask.testing import FlaskClient

from taskapi.db.engine import Engine, connect
from taskapi.db.errors import PostgresAway
from taskapi.embedded.servers import Servers
from taskapi.store.client import Store
from taskapi.sync.admission import admit
from tests.api.conftest import Person


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """An engine on the empty database."""
    engine = connect(database_url)
    yield engine
    engine.dispose()


def test_every_answer_names_postgresql_and_says_when_to_try_again(
    user: Person, client: FlaskClient, data: Store, engine: Engine, servers: Servers
) -> None:
    kept = user.task(title="kept")
    data.redis.hset("meta", "incarnation", str(uuid.uuid4()))
    engine.dispose()
    servers.stop("postgres")
    servers.kill("redis")
    servers.start("redis")

    answers = [
        user.get("/tasks"),
        user.get(f"/tasks/{kept['id']}"),
        user.post("/tasks", {"title": "x"}),
        user.delete(f"/tasks/{kept['id']}"),
        client.get("/health"),
        client.post("/login", json={"username": "ada", "password": "correct horse"}),
    ]

    for answer in answers:
        assert answer.status_code == 503
        assert answer.json["code"] == "unavailable"
        assert "compared with PostgreSQL" in answer.json["detail"]
        assert int(answer.headers["Retry-After"]) >= 1
    with pytest.raises(PostgresAway):
        admit(data, engine)
    assert user.get("/tasks").status_code == 503

    servers.start("postgres")
    admit(data, engine)

    assert [task["title"] for task in user.get("/tasks").json["data"]["tasks"]] == ["kept"]
    assert user.task(title="after")
