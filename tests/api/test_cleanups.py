"""What callers and the owner see of the clean-up."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from redis import Redis

from taskapi.cleaning import Counts, Ground, clean
from taskapi.domain import clock
from taskapi.extensions import db
from taskapi.store import jobs
from taskapi.store.client import Store
from tests.api.conftest import Person

CleanUp = Callable[..., Counts]


@pytest.fixture
def clean_up(app: Flask, data: Store, database_url: str, monkeypatch: pytest.MonkeyPatch) -> CleanUp:
    """Does that clean-up job, so many days from now."""
    real = clock.now

    def done(name: str, days: float) -> Counts:
        with monkeypatch.context() as patch, app.app_context():
            patch.setattr(clock, "now", lambda: real() + timedelta(days=days))
            ground = Ground(app.config["SETTINGS"], data, db.engine, app.extensions["taskapi.jobs"])
            return clean(ground, name)

    return done


def test_after_its_time_nothing_of_the_trash_is_there_for_anybody(
    owner: Person, user: Person, other: Person, clean_up: CleanUp
) -> None:
    group = owner.post("/groups", {"name": "Team"}).json["data"]["id"]
    alone, along = user.task()["id"], other.task()["id"]
    gone = [f"/tasks/{alone}", f"/groups/{group}", f"/users/{other.id}"]
    for path in gone:
        assert owner.delete(path).status_code == 200
    assert clean_up("trash", 29) == {}
    assert len(owner.get("/tasks/trash").json["data"]["tasks"]) == 2

    assert clean_up("trash", 31) == {"users": 1, "groups": 1, "tasks": 2}

    for path in [*gone, f"/tasks/{along}"]:
        assert owner.get(path).status_code == 404
        assert owner.post(f"{path}/restore").status_code == 404
        assert owner.delete(f"{path}?permanent=true" if "tasks" in path else path).status_code == 404
    assert owner.get("/tasks/trash").json["data"]["tasks"] == []
    assert owner.post("/groups", {"name": "team"}).status_code == 201
    assert (
        owner.post("/users", {"full_name": "B", "username": "Bob", "password": "12345678"}).status_code == 201
    )


def test_the_owner_is_told_when_each_clean_up_was_done_last(owner: Person, clean_up: CleanUp) -> None:
    assert owner.get("/admin/status").json["data"]["cleanup"] == {}
    clean_up("limits", 0)
    found = owner.get("/admin/status").json["data"]["cleanup"]
    assert found["limits"]["removed"] == 0
    assert datetime.fromisoformat(found["limits"]["at"]) <= clock.now()


def test_what_calls_leave_on_the_broker_has_an_end_or_is_cleared(
    make_app: Callable[..., Flask], data: Store, redis_broker: Redis
) -> None:
    app = make_app(rate_limit_auth="2 per minute", rate_limit_anonymous="20 per minute")
    client: Any = app.test_client()
    for _ in range(3):
        client.post("/login", json={"username": "nobody", "password": "wrong password"})
        client.get("/users", headers={"Authorization": "Bearer x"})
    jobs.create(app.extensions["taskapi.jobs"], "force")
    jobs.take_turn(app.extensions["taskapi.jobs"], "cleanup.trash", 60)
    endless = {name for name in redis_broker.keys("*") if redis_broker.ttl(name) < 0}
    assert len(redis_broker.keys("*")) > len(endless) + 3
    assert {name for name in endless if not name.startswith((b"_kombu.", b"celery"))} == {b"jobs"}
