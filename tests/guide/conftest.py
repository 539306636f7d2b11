"""A served API on real servers, the team that the guide speaks of, and curl."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import pytest
from redis import Redis

from taskapi.db.engine import connect as connect_postgres
from taskapi.domain.clock import timestamp
from taskapi.domain.records import GROUP_ADMIN, OWNER, Credential, Group, Task, User
from taskapi.embedded.ports import free_port
from taskapi.embedded.servers import Servers
from taskapi.services import passwords
from taskapi.store import client, heartbeats, jobs
from taskapi.store.client import Store
from taskapi.store.plans import Change
from taskapi.store.records import save
from taskapi.sync.admission import admit
from tests.conftest import ROOT, product_environment
from tests.guide.commands import Command
from tests.store.conftest import SYSTEM, Maker

PATIENCE_SECONDS = 30
PASSWORDS = {1: "admin1234", 2: "alice123", 3: "mypassword"}
HASHES = {user_id: passwords.hashed(password) for user_id, password in PASSWORDS.items()}
WEEK = {"Monday": 8.0, "Tuesday": 8.0, "Wednesday": 8.0, "Thursday": 8.0, "Friday": 6.0}
TASKS_OF = {2: 4, 3: 5, 4: 3}
DONE = 5


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    body: Any


@pytest.fixture(scope="module")
def address(servers: Servers, schema: None) -> Iterator[str]:
    """Where the API is served, with nothing set but its servers."""
    port = free_port()
    environ = {**os.environ, **product_environment(servers)}
    worker = ("--worker-class", "taskapi.api.gthread.Worker", "--workers", "1", "--threads", "2")
    where = ("--bind", f"127.0.0.1:{port}", "--no-control-socket")
    command = [sys.executable, "-m", "gunicorn", "taskapi:create_app()", *worker, *where]
    process = subprocess.Popen(command, cwd=ROOT, env=environ, stderr=subprocess.DEVNULL)
    try:
        _wait_for(port)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        assert process.wait(PATIENCE_SECONDS) == 0


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            return socket.create_connection(("127.0.0.1", port)).close()
        except ConnectionRefusedError:
            assert time.monotonic() < deadline
            time.sleep(0.05)


@pytest.fixture
def curl(address: str, tmp_path: Path) -> Callable[[Command], Answer]:
    """Runs a command as it is written, but for its host."""

    def run(command: Command) -> Answer:
        body = tmp_path / "body"
        told = f"curl -sS -o {body} -w '%{{http_code}}' {command.at(address).removeprefix('curl')}"
        done = subprocess.run(["/bin/sh", "-c", told], capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        return Answer(int(done.stdout), orjson.loads(body.read_bytes()))

    return run


@pytest.fixture
def store(servers: Servers, redis_data: Redis, redis_broker: Redis, database_url: str) -> Iterator[Store]:
    """A new system: both stores empty and admitted, with user 1."""
    engine = connect_postgres(database_url)
    opened = client.connect(servers.urls["redis"])
    admit(opened, engine)
    opened.redis.hset("ids", "user", 0)  # the owner is made like anybody else here
    Maker(opened).user(full_name="System Owner", email="admin@gmail.com", role=OWNER)
    give_password(opened, 1)
    yield opened
    opened.redis.close()
    engine.dispose()


@pytest.fixture
def worker(servers: Servers, store: Store) -> Iterator[None]:
    """A Celery worker with a beat, of which the owner knows."""
    command = [sys.executable, "-m", "celery", "-A", "celery_app", "worker", "-B", "-c", "1", "-l", "WARNING"]
    quiet = ["--without-gossip", "--without-mingle", "-s", str(servers.home.run / "beat-guide")]
    environ = {**os.environ, **product_environment(servers)}
    process = subprocess.Popen([*command, *quiet], cwd=ROOT, env=environ, stderr=subprocess.DEVNULL)
    broker = jobs.connect(servers.urls["broker"])
    try:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not heartbeats.alive(broker).is_running:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        yield
    finally:
        broker.redis.close()
        process.terminate()
        process.wait(PATIENCE_SECONDS)


def give_password(store: Store, user_id: int) -> None:
    """Their password, from the guide."""
    credential = Credential(password_hash=HASHES[user_id], updated_at=timestamp())
    save(store, SYSTEM, [Change(None, credential, "created", str(user_id))])


def fill(store: Store, state: str) -> None:
    """What the guide assumes to be there."""
    make = Maker(store)
    if state == "a group":
        make.group(name="Engineering")
    elif state == "an admin":
        _alice(make)
    else:
        _team(make, outside=state == "a user outside")


def _alice(make: Maker, *group_ids: int) -> User:
    alice: User = make.user(
        full_name="Alice Admin", email="alice@company.com", role=GROUP_ADMIN, group_ids=group_ids
    )
    give_password(make.store, alice.id)
    return alice


def _team(make: Maker, *, outside: bool) -> None:
    """Two groups; Alice leads, Charlie is user 3, and John user 5; as many tasks as the guide counts."""
    groups: list[Group] = [make.group(name=name) for name in ("Engineering", "Design")]
    alice = _alice(make, 1, 2)
    for group in groups:
        make.changed(group, admin_id=alice.id)
    within = () if outside else (1,)
    person = {"work_times": WEEK, "number": "+1234567890"}
    make.user(full_name="Charlie Developer", email="charlie@company.com", group_ids=within, **person)
    make.user(full_name="Diana Coder", email="diana@company.com", group_ids=(1,), **person)
    make.user(full_name="John Doe", email="john@company.com", group_ids=(2,), **person)
    give_password(make.store, 3)
    _tasks(make, None if outside else 1)
    make.task(title="Draw the page", user_id=5, group_id=2, deadline="2025-11-01")


def _tasks(make: Maker, charlies_group: int | None) -> None:
    """Task 1 is Charlie's, and open."""
    first: Task = make.task(
        title="Implement Login API",
        information="Create REST API for authentication",
        user_id=3,
        group_id=charlies_group,
        priority=1,
        deadline="2025-10-15",
    )
    owners = [user_id for user_id, count in TASKS_OF.items() for _ in range(count)]
    owners.remove(first.user_id)
    for number, user_id in enumerate(owners):
        group_id = charlies_group if user_id == 3 else 1
        finished = {"status": True, "completed_at": timestamp()} if number < DONE else {}
        make.task(
            title=f"Task {number}", user_id=user_id, group_id=group_id, deadline="2025-12-31", **finished
        )
