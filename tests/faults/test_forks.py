"""After a fork nobody reads another's answers, even if the parent has used every connection before."""

from __future__ import annotations

from collections.abc import Callable
from multiprocessing import get_context

import pytest
from celery import Celery
from flask import Flask
from sqlalchemy import text

from taskapi.api.wiring import wired
from taskapi.config import Settings
from taskapi.db.engine import Engine, transaction
from taskapi.extensions import db
from taskapi.store import jobs, state
from taskapi.store.client import Store
from tests.api.conftest import Person, signed_up
from tests.faults.conftest import OWNER, PATIENCE_SECONDS, System, insisted
from worker import connections
from worker.setup import make_celery

CHILDREN, ROUNDS = 3, 60
FORK = get_context("fork")


def in_all(work: Callable[[int], None]) -> None:
    """Does it in some children and in their parent at once; none may fail."""
    children = [FORK.Process(target=work, args=(number,)) for number in range(1, CHILDREN + 1)]
    for child in children:
        child.start()
    work(0)
    for child in children:
        child.join(PATIENCE_SECONDS)
    assert [child.exitcode for child in children] == [0] * CHILDREN


def require_own_answers(store: Store, engine: Engine, broker: jobs.Jobs, number: int) -> None:
    """Asks each server something of which everybody else expects another answer."""
    name = f"process:{number}"
    for said in (f"{name}:{turn}" for turn in range(ROUNDS)):
        with transaction(engine) as connection:
            assert connection.scalar(text("SELECT CAST(:said AS text)"), {"said": said}) == said
        for redis in (store.redis, broker.redis):
            redis.set(name, said)
            assert redis.get(name) == redis.echo(said) == said.encode()


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_processes_of_the_api_keep_to_their_own_answers(system: System, app: Flask) -> None:
    client = app.test_client()
    people = [signed_up(client, f"user{number}") for number in range(CHILDREN + 1)]
    owner = Person(client, OWNER, {"id": 1})

    def use(number: int) -> None:
        user = people[number]
        for title in (f"{number}:{turn}" for turn in range(ROUNDS)):
            key = {"Idempotency-Key": title}
            made = insisted(lambda key=key, title=title: user.post("/tasks", {"title": title}, headers=key))
            path = f"/tasks/{made.json['data']['id']}"
            assert insisted(lambda path=path: user.get(path)).json["data"]["title"] == title
        assert insisted(lambda: user.get("/tasks?per_page=1")).json["data"]["total"] == ROUNDS
        assert insisted(lambda: owner.get("/tasks/search?q=nothing")).json["data"]["count"] == 0
        assert insisted(lambda: client.get("/health")).status_code == 200
        with app.app_context():
            wired().send_job("no.such.job")
            require_own_answers(wired().store, db.engine, app.extensions["taskapi.jobs"], number)

    assert owner.get("/tasks/search?q=nothing").status_code == 200
    assert owner.post("/admin/sync?action=force&wait=0").status_code == 202
    assert owner.get("/admin/stats").json["data"]["postgresql"] is not None
    assert client.get("/health").status_code == 200
    in_all(use)
    assert state.look(system.store).ids["task"][0] == (CHILDREN + 1) * ROUNDS
    system.require_equal()


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_processes_of_a_worker_keep_to_their_own_answers(system: System, plain_settings: Settings) -> None:
    app: Celery = make_celery(plain_settings)
    app.set_current()
    connections.forget()

    def use(number: int) -> None:
        if number:
            connections.forget()
        require_own_answers(connections.store(), connections.engine(), connections.broker(), number)

    use(0)
    in_all(use)
    connections.engine().dispose()
    for each in (connections.store(), connections.broker()):
        each.redis.close()
    connections.forget()
    app.close()
