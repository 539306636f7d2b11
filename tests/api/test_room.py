"""Memory or disk nearly full: what grows is 507, what makes room passes; and what waits for PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from uuid import uuid4

import pytest
from flask.testing import FlaskClient

from taskapi.config import Settings
from taskapi.db.engine import Engine, connect
from taskapi.embedded.servers import Servers
from taskapi.services import durability
from taskapi.store import checks, dirty
from taskapi.store.client import Store
from taskapi.sync import ground
from taskapi.sync.admission import admit
from taskapi.sync.flush import drain
from tests.api.conftest import PASSWORD, Person
from tests.api.matrix import ROWS
from tests.api.test_groups import joined, made
from tests.api.test_matrix import World, called, undone, world  # noqa: F401 - the fixture

Fill = Callable[[], None]


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    engine = connect(database_url)
    yield engine
    engine.dispose()


@pytest.fixture(params=["nearly", "really"])
def fill(request: pytest.FixtureRequest, data: Store, engine: Engine, servers: Servers) -> Iterator[Fill]:
    """Fills the memory: nearly, as the check of each minute sees it, or so that Redis itself refuses."""

    def fill() -> None:
        if request.param == "really":
            data.redis.config_set("maxmemory", 1)
            return
        data.redis.config_set("maxmemory", int(checks.room(data).used / 0.91))
        assert ground.check(data, engine, {"home": servers.home.path}).full == {"memory"}
        data.redis.config_set("maxmemory", 0)

    yield fill
    data.redis.config_set("maxmemory", 0)
    ground.check(data, engine, {"home": servers.home.path})


def test_what_grows_is_507_and_what_makes_room_passes(
    owner: Person,
    user: Person,
    client: FlaskClient,
    fill: Fill,
    data: Store,
    engine: Engine,
    servers: Servers,
) -> None:
    team, empty = made(owner, "Team"), made(owner, "Empty")
    member = joined(owner, "eve", team)
    task, other, gone = user.task(), user.task(), user.task()
    member.task(group_id=team)
    assert user.delete(f"/tasks/{gone['id']}").status_code == 200
    fill()

    growing = [
        user.post("/tasks", {"title": "x"}),
        user.put(f"/tasks/{task['id']}", {"title": "x"}),
        user.post(f"/tasks/{gone['id']}/restore"),
        user.post("/tasks/batch", {"task_ids": [task["id"]], "updates": {"title": "x"}}),
        owner.post("/groups", {"name": "More"}),
        owner.post(f"/groups/{empty}/users", {"user_id": user.id}),
        client.post("/auth/register", json={"username": "late", "password": PASSWORD}),
    ]
    for answer in growing:
        assert (answer.status_code, answer.content_type) == (507, "application/problem+json"), answer.json
        assert (answer.json["code"], answer.json["title"]) == ("full", "No room left")

    login = client.post("/auth/login", json={"username": "ada", "password": PASSWORD})
    making_room = [
        login,
        user.get("/tasks"),
        client.post("/auth/refresh", json={"refresh_token": login.json["refresh_token"]}),
        user.delete(f"/tasks/{gone['id']}?permanent=true"),
        user.delete(f"/tasks/{task['id']}"),
        user.post("/tasks/batch", {"task_ids": [other["id"]], "action": "delete"}),
        owner.delete(f"/groups/{team}/users/{member.id}"),
        owner.delete(f"/groups/{team}"),
        owner.delete(f"/groups/{empty}"),
        owner.delete(f"/users/{member.id}"),
        user.delete("/auth/sessions"),
    ]
    assert [answer.status_code for answer in making_room] == [200] * len(making_room)

    data.redis.config_set("maxmemory", 0)
    assert not ground.check(data, engine, {"home": servers.home.path}).full
    assert owner.post("/tasks", {"title": "x"}).status_code == 201


def test_a_repeat_of_what_was_done_before_is_answered_when_there_is_no_room(
    user: Person, data: Store
) -> None:
    key = {"Idempotency-Key": "k"}
    first = user.post("/tasks", {"title": "x"}, headers=key)
    data.redis.hset("meta", "full", "disk,memory")
    again = user.post("/tasks", {"title": "x"}, headers=key)
    assert (again.status_code, again.json) == (201, first.json)
    refused = user.post("/tasks", {"title": "x"}, headers={"Idempotency-Key": "another"})
    assert (refused.status_code, "disk and memory" in refused.json["detail"]) == (507, True)


def test_the_owner_sees_the_ground(owner: Person, data: Store, engine: Engine, servers: Servers) -> None:
    assert owner.get("/admin/status").json["data"]["ground"] == {"well": None, "at": None, "findings": []}
    ground.check(data, engine, {"home": servers.home.path})
    status = owner.get("/admin/status").json["data"]
    assert (status["ground"]["well"], status["ground"]["findings"]) == (True, [])
    assert status["headroom"]["disk"]["redis"]["free"] > 0
    assert set(status["headroom"]["hours"]) == {"memory", "users", "groups", "tasks", "files"}


def test_where_postgresql_is_demanded_every_kind_of_write_waits_until_it_has_all_of_it(
    world: World,  # noqa: F811
    data: Store,
    engine: Engine,
    plain_settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    data.redis.hset("meta", "incarnation", str(uuid4()))
    admit(data, engine, suspect=True)  # the world has not been admitted: PostgreSQL knows nothing of it
    drain(data, engine, 5)
    demanding = replace(plain_settings, durability="postgres")
    monkeypatch.setattr("taskapi.api.answers.settings", lambda: demanding)
    monkeypatch.setattr(durability, "wait_until_committed", lambda *waited: carried(engine, *waited))
    written = []
    for row in ROWS:
        place = world.place(next(iter(row.states)))
        drain(data, engine, 5)
        before = world.written()
        answer = called(world.owner, row.call, row.body, place)
        if world.written() != before and answer.status_code < 300:
            written.append(row.call)
            assert answer.headers.get("Preference-Applied") == "durability=postgres", row.call
            assert dirty.count(data) == 0, row.call
            if row.undo:
                undone(world, row, place)
    assert len(set(written)) > 25


def carried(engine: Engine, store: Store, written: tuple[str, ...], seconds: float) -> bool:
    """The flush that a worker does, and what the wait finds then; all that is dirty was waited for."""
    names = {each.partition("@")[0].encode() for each in written}
    assert names.issuperset(store.redis.zrange("dirty", 0, -1))
    drain(store, engine, seconds)
    return dirty.is_committed(store, written)


def test_what_another_server_may_never_have_had_is_not_called_committed(data: Store, user: Person) -> None:
    version = user.task()["version"]
    data.redis.delete("dirty")
    written = [f"task:1@{version}"]
    assert dirty.is_committed(data, written)
    admitted = data.redis.hgetall("meta")

    data.redis.hset("meta", "run", "0" * 40)
    assert not dirty.is_committed(data, written)
    data.redis.hset("meta", mapping=admitted)
    data.redis.hset("meta", "epoch", 2)
    assert dirty.is_committed(data, written)
    data.redis.set("task:1", data.redis.get("task:1").replace(b"%d" % version, b"%d" % (version - 1)))
    assert not dirty.is_committed(data, written)
    data.redis.delete("task:1")
    assert not dirty.is_committed(data, written)
