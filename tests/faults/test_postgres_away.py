"""PostgreSQL away for long: everything is served, until no id or no room is left for new records."""

from __future__ import annotations

import pytest
from flask import Flask

from taskapi.db.errors import PostgresAway
from taskapi.embedded.servers import Servers
from taskapi.sync.catching_up import catch_up
from tests.api.conftest import Person, signed_up
from tests.faults.conftest import OWNER, System


def test_it_is_served_until_the_ids_are_used_up_and_goes_on_afterwards(
    system: System, app: Flask, servers: Servers
) -> None:
    client = app.test_client()
    user, owner = signed_up(client, "ada"), Person(client, OWNER, {"id": 1})
    kept, gone = user.task(title="kept"), user.task(title="gone")
    system.require_equal()
    left = 3
    system.store.redis.hset("ids", "task:ceiling", gone["id"] + left)
    servers.stop("postgres")
    try:
        made = [user.post("/tasks", {"title": f"{number}"}).status_code for number in range(left + 2)]
        assert made == [201] * left + [507, 507]
        refused = user.post("/tasks", {"title": "x"}).json
        assert (refused["code"], refused["detail"]) == (
            "full",
            "No ids are left for a new task until PostgreSQL can lease more.",
        )
        assert user.put(f"/tasks/{kept['id']}", {"title": "changed"}).status_code == 200
        assert user.delete(f"/tasks/{gone['id']}").status_code == 200
        assert user.get("/tasks").json["data"]["total"] == left + 1
        assert owner.get("/tasks/search?q=changed").json["data"]["count"] == 1
        status = owner.get("/admin/status").json["data"]
        assert (status["postgres_status"], status["headroom"]["ids"]["tasks"]) == ("error", 0)
        assert (
            client.post("/auth/login", json={"username": "ada", "password": "correct horse"}).status_code
            == 200
        )
        with pytest.raises(PostgresAway):
            catch_up(system.store, system.engine, 1)
    finally:
        servers.start("postgres")

    catch_up(system.store, system.engine, 10)
    assert user.task(title="again")["id"] == gone["id"] + left + 1
    system.require_equal()


def test_it_is_served_until_the_memory_is_full_and_goes_on_afterwards(
    system: System, app: Flask, servers: Servers
) -> None:
    user = signed_up(app.test_client(), "ada")
    kept, gone = user.task(title="kept"), user.task(title="gone")
    servers.stop("postgres")
    try:
        system.store.redis.config_set("maxmemory", 1)
        assert user.post("/tasks", {"title": "x"}).status_code == 507
        assert user.get(f"/tasks/{kept['id']}").status_code == 200
        assert user.delete(f"/tasks/{gone['id']}").status_code == 200
    finally:
        system.store.redis.config_set("maxmemory", 0)
        servers.start("postgres")
    assert user.post("/tasks", {"title": "y"}).status_code == 201
    system.require_equal()
