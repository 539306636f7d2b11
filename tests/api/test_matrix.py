"""The table of rights, cell by cell: every endpoint, every caller, every state of what is called for."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from redis import Redis
from werkzeug.test import TestResponse

from tests.api.conftest import Person, basic
from tests.api.matrix import ROWS
from tests.api.rows import CALLERS, PASSWORD, Row

NOBODY = 999
PLAIN = frozenset({"HEAD", "OPTIONS"})


@dataclass
class World:
    """Two groups with their people, one group and one user in the trash, and a user in no group."""

    people: dict[str, Person]
    places: dict[str, dict[str, int]]
    redis: Redis
    made: int = 0

    @property
    def owner(self) -> Person:
        """The owner of the system."""
        return self.people["owner"]

    def caller(self, name: str, state: str) -> Person:
        """Who calls; "self" is whom the state is about."""
        return self.people.get(f"{name}, {state}", self.people[name])

    def place(self, state: str, *, has_file: bool = False) -> dict[str, Any]:
        """What the words in braces stand for; a task, and a file of it, is made anew for every cell."""
        self.made += 1
        found: dict[str, Any] = {
            **self.places["exists"],
            **self.places.get(state, {}),
            "new": f"new{self.made}",
        }
        if "task" in state:
            found["task"], found["file"] = self.task(state, has_file=has_file)
        return found

    def task(self, state: str, *, has_file: bool) -> tuple[int, int]:
        """The ids of a new task in that state and of its file."""
        if state == "no task":
            return NOBODY, NOBODY
        group_id = None if state == "task in no group" else self.places["exists"]["group"]
        owner_id = self.people["self"].id
        found: int = self.owner.task(user_id=owner_id, group_id=group_id, tags=["first"])["id"]
        sent = called(self.owner, f"POST /tasks/{found}/files", b"x", {}) if has_file else None
        if state == "trashed task":
            assert self.owner.delete(f"/tasks/{found}").status_code == 200
        return found, sent.json["data"]["id"] if sent else NOBODY

    def written(self) -> Any:
        """What was changed last."""
        return self.redis.xinfo_stream("journal")["last-generated-id"]


@pytest.fixture
def world(owner: Person, client: FlaskClient, database_url: str, redis_data: Redis) -> World:
    """The world of all cells."""
    blue, red, grey = (owner.post("/groups", {"name": name}).json["data"]["id"] for name in ("b", "r", "g"))

    def person(name: str, *group_ids: int, role: str = "user") -> Person:
        sent = {"username": name, "password": PASSWORD, "role": role, "group_ids": group_ids}
        answer = owner.post("/users", sent)
        assert answer.status_code == 201, answer.json
        return Person(client, basic(name, PASSWORD), answer.json["data"])

    people = {
        "anonymous": Person(client, {}, {}),
        "self": person("self", blue, grey),
        "same_group": person("same_group", blue, grey),
        "other_group": person("other_group", red),
        "its_admin": person("its_admin", blue, grey, role="group_admin"),
        "anothers_admin": person("anothers_admin", red, role="group_admin"),
        "owner": owner,
        "self, trashed user": person("gone", blue),
        "self, no user": Person(client, basic(str(NOBODY), PASSWORD), {"id": NOBODY}),
        "self, fellow admin": person("fellow", blue, role="group_admin"),
        "self, lonely admin": person("lonely", role="group_admin"),
        "self, system owner": owner,
    }
    for group_id, admin in ((blue, "its_admin"), (red, "anothers_admin"), (grey, "its_admin")):
        assert owner.put(f"/groups/{group_id}", {"admin_id": people[admin].id}).status_code == 200
    assert owner.delete(f"/groups/{grey}").status_code == 200
    assert owner.delete(f"/users/{people['self, trashed user'].id}").status_code == 200
    places = {name.removeprefix("self, "): {"user": each.id} for name, each in people.items() if ", " in name}
    exists = {
        "user": people["self"].id,
        "group": blue,
        "newcomer": person("newcomer").id,
        "task": NOBODY,
        "file": NOBODY,
    }
    groups = {"no group": {"group": NOBODY}, "trashed group": {"group": grey}}
    return World(people, {"exists": exists, **places, **groups}, redis_data)


def test_every_cell_of_the_matrix_is_answered_as_the_table_says(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong = [told for row in ROWS for told in differences(world, row)]
    cells = sum(len(row.cells) for row in ROWS)
    with capsys.disabled():
        print(f" {cells} cells of the matrix ", end="")
    assert not wrong, "\n" + "\n".join(wrong)
    assert cells >= 600


def test_every_route_has_a_row_and_every_row_a_route(app: Flask) -> None:
    adapter = app.url_map.bind("localhost")
    calls = [(row.call.split()[0], path_of(row)) for row in ROWS]
    has = {(method, adapter.match(path, method, return_rule=True)[0].rule) for method, path in calls}
    assert {(method, rule.rule) for rule, method in methods(app) if rule.endpoint.startswith("api.")} == has


def methods(app: Flask) -> Iterator[tuple[Any, str]]:
    """Every rule with each of its methods."""
    for rule in app.url_map.iter_rules():
        yield from ((rule, method) for method in (rule.methods or set()) - PLAIN)


def path_of(row: Row) -> str:
    """A path that the row is about."""
    path = row.call.split()[1].partition("?")[0]
    return path.format(user=1, group=1, task=1, file=1, newcomer=1)


def differences(world: World, row: Row) -> Iterator[str]:
    """What is answered otherwise than the row says; a refusal that wrote something is one too."""
    for number, (state, caller, expected) in enumerate(row.cells):
        place = world.place(state, has_file="{file}" in row.call)
        before = world.written()
        mount = "/v1" if number % 2 else ""
        answer = called(world.caller(caller, state), row.call, row.body, place, mount)
        status = status_of(row, answer)
        told = f"{row.call} {row.body or ''} of {state}, by {caller}: {status}, not {expected}"
        if status != expected:
            yield f"{told}: {answer.text[:300]}"
        if status >= 400 and world.written() != before:
            yield f"{told}: it was refused, and something was written"
        if row.undo and status < 300:
            undone(world, row, place)


def called(caller: Person, call: str, body: Any, place: dict[str, Any], mount: str = "") -> TestResponse:
    """The answer to a call in which every word in braces was filled in."""
    method, path = call.split()
    address = mount + path.format(**place)
    if isinstance(body, bytes):
        return caller.call(method, address, data={"file": (io.BytesIO(body), "a.txt")})
    return caller.call(method, address, filled(body, caller, place))


def filled(body: Any, caller: Person, place: dict[str, Any]) -> Any:
    """The body likewise; a number stays a number."""
    if body is None:
        return None
    if "{refresh}" in json.dumps(body):
        signed_in = caller.client.post("/auth/login", json={"username": "self", "password": PASSWORD})
        return {"refresh_token": signed_in.json["refresh_token"]}
    text = json.dumps(body)
    for name, value in place.items():
        text = text.replace(f'"{{{name}}}"', json.dumps(value))
    return json.loads(text)


def status_of(row: Row, answer: TestResponse) -> int:
    """The status, or that of the batch's one item."""
    if not row.per_item or answer.status_code != 200:
        return answer.status_code
    [result] = answer.json["data"]["results"]
    assert result["success"] == (result["status"] == 200)
    found: int = result["status"]
    return found


def undone(world: World, row: Row, place: dict[str, Any]) -> None:
    """The owner takes back what has succeeded."""
    answer = called(world.owner, row.undo, row.undo_body, place)
    assert answer.status_code in (200, 201), (row.call, answer.json)


def test_the_columns_are_the_callers() -> None:
    for row in ROWS:
        for line in row.states.values():
            assert len(line.split()) == len(CALLERS)
