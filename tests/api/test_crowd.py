"""Many people at once at the same few users, groups and tasks: whatever they do, it adds up."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import orjson
import pytest
from flask import Flask
from redis import Redis

from taskapi.services import cascades
from taskapi.services.sweeping import sweep
from taskapi.store import scrub
from taskapi.store.client import Store
from tests.api.conftest import OWNER_PASSWORD, Person
from tests.api.test_groups import joined, made

SECONDS = 4.0
PEOPLE = 4
EXPECTED = {200, 201, 400, 404, 409}
Call = tuple[str, str, Any]


def calls(pick: random.Random, groups: list[int], users: list[int], tasks: int = 40) -> list[Call]:
    """One of each call that takes something along, or could end up under what was taken."""
    group, user, task = pick.choice(groups), pick.choice(users), pick.randint(1, tasks)
    some = [pick.randint(1, tasks) for _ in range(8)]
    return [
        ("DELETE", f"/groups/{group}", None),
        ("POST", f"/groups/{group}/restore", None),
        ("POST", f"/groups/{group}/users", {"user_id": user}),
        ("DELETE", f"/groups/{group}/users/{user}", None),
        ("PUT", f"/groups/{group}", {"admin_id": user}),
        ("DELETE", f"/users/{user}", None),
        ("POST", f"/users/{user}/restore", None),
        ("PUT", f"/users/{user}", {"group_ids": pick.sample(groups, 2)}),
        ("PUT", f"/users/{user}", {"role": pick.choice(("user", "group_admin"))}),
        ("POST", "/tasks", {"title": "new", "user_id": user, "group_id": group}),
        ("PUT", f"/tasks/{task}", {"user_id": user, "group_id": group}),
        ("DELETE", f"/tasks/{task}", None),
        ("POST", f"/tasks/{task}/restore", None),
        ("POST", "/tasks/batch", {"task_ids": some, "updates": {"tags": ["a"], "status": True}}),
        ("POST", "/tasks/batch", {"task_ids": some, "updates": {"user_id": user, "group_id": group}}),
        ("POST", "/tasks/batch", {"task_ids": some, "action": "delete"}),
    ]


@dataclass
class Crowd:
    """People who do something for some seconds; `unexpected` are answers that nobody may get."""

    app: Flask
    groups: list[int]
    users: list[int]
    unexpected: list[Any] = field(default_factory=list)
    done: int = 0

    def work(self, seed: int, until: float) -> None:
        """What one of them does."""
        pick = random.Random(seed)
        person = Person(self.app.test_client(), {"X-Owner-Password": OWNER_PASSWORD}, {"id": 1})
        while time.monotonic() < until:
            method, path, body = pick.choice(calls(pick, self.groups, self.users))
            answer = person.call(method, path, body)
            self.done += answer.status_code < 300
            if answer.status_code not in EXPECTED:
                self.unexpected.append((method, path, body, answer.status_code, answer.text))


@pytest.fixture
def crowd(owner: Person, app: Flask) -> Crowd:
    """Four groups and five users in two of them each, with six tasks each."""
    groups = [made(owner, f"group {number}") for number in range(4)]
    people = [
        joined(owner, f"user{number}", *groups[number % 3 : number % 3 + 2], role="group_admin")
        for number in range(5)
    ]
    for person in people:
        for group_id in person.user["group_ids"] * 3:
            person.task(group_id=group_id)
    return Crowd(app, groups, [person.id for person in people])


@pytest.fixture
def sweeper(data: Store) -> Iterator[Callable[[], None]]:
    """Sweeps all the time; called, it ends when nothing is left."""
    over = threading.Event()

    def go_on() -> None:
        while not over.wait(0.01):
            sweep(data, 0.2)

    thread = threading.Thread(target=go_on)
    thread.start()

    def end() -> None:
        over.set()
        thread.join()
        sweep(data, 20)

    yield end
    over.set()
    thread.join()


@pytest.mark.parametrize("at_once", [500, 2], ids=["in one step", "swept"])
def test_whatever_a_crowd_does_at_once_adds_up(
    crowd: Crowd,
    owner: Person,
    data: Store,
    redis_data: Redis,
    sweeper: Callable[[], None],
    at_once: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(cascades, "MOST_AT_ONCE", at_once)
    until = time.monotonic() + SECONDS
    threads = [threading.Thread(target=crowd.work, args=(seed, until)) for seed in range(PEOPLE)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    sweeper()
    assert crowd.unexpected == []
    assert crowd.done > 100
    assert list(contradictions(redis_data)) == []
    assert scrub.differences(data) == []
    total = owner.get("/tasks/stats").json["data"]["total_tasks"]
    assert owner.get("/tasks").json["data"]["total"] == total == len(records(redis_data, "task"))


def records(redis: Redis, kind: str) -> dict[int, dict[str, Any]]:
    """Those of a kind that are not in the trash."""
    found = {
        int(key.split(b":")[1]): redis.get(key) for key in redis.keys(f"{kind}:*") if key.count(b":") == 1
    }
    return {number: orjson.loads(blob) for number, blob in found.items() if blob}


def contradictions(redis: Redis) -> Iterator[str]:
    """What records say of each other that is not so."""
    users, groups = records(redis, "user"), records(redis, "group")
    for number, task in records(redis, "task").items():
        held = users.get(task["user_id"])
        if held is None:
            yield f"task {number} is of user {task['user_id']}, who is gone"
        elif task["group_id"] is not None and task["group_id"] not in held["group_ids"]:
            yield f"task {number} lies in group {task['group_id']}, in which its user is not"
    for number, user in users.items():
        yield from (
            f"user {number} is in group {each}, which is gone"
            for each in user["group_ids"]
            if each not in groups
        )
    for number, group in groups.items():
        admin = users.get(group["admin_id"])
        if group["admin_id"] is not None and (
            admin is None or number not in admin["group_ids"] or admin["role"] == "user"
        ):
            yield f"group {number} is led by user {group['admin_id']}, who cannot"
