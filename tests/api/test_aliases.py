"""One view has one path of its own; every further one stands in the one table, and differs in nothing."""

from __future__ import annotations

import pytest
from flask import Flask
from werkzeug.routing import Rule

from taskapi.api import cookies
from taskapi.api.aliases import ALIASES
from taskapi.api.contracts import contract_of
from tests.api.conftest import Person

KNOWN = {(method, path) for method, path, _ in ALIASES}
PLAIN = {"HEAD", "OPTIONS"}


def routes(app: Flask) -> list[tuple[str, Rule]]:
    """Every method with its rule, of one mount."""
    return [
        (method, rule)
        for rule in app.url_map.iter_rules()
        if rule.endpoint.startswith("api.")
        for method in (rule.methods or set()) - PLAIN
    ]


def own_paths(app: Flask) -> dict[object, set[str]]:
    """The paths of each contract, without those of the table."""
    found: dict[object, set[str]] = {}
    for method, rule in routes(app):
        if (method, rule.rule) not in KNOWN:
            found.setdefault(contract_of(app.view_functions[rule.endpoint]), set()).add(rule.rule)
    return found


def test_no_view_has_a_second_path_outside_the_table(app: Flask) -> None:
    twice = {paths for paths in map(tuple, own_paths(app).values()) if len(paths) > 1}
    assert not twice


def test_every_path_of_the_table_is_a_further_one(app: Flask) -> None:
    assert len(KNOWN) == len(ALIASES)
    own = own_paths(app)
    for method, path, view in ALIASES:
        [rule] = [rule for known, rule in routes(app) if (known, rule.rule) == (method, path)]
        contract = contract_of(app.view_functions[rule.endpoint])
        assert contract is contract_of(view)
        assert contract in own, f"{path} is the only path of {view.__name__}"


def test_a_further_path_has_the_parts_of_the_first(app: Flask) -> None:
    own = {
        contract_of(app.view_functions[rule.endpoint]): rule.arguments
        for method, rule in routes(app)
        if (method, rule.rule) not in KNOWN
    }
    for method, path, view in ALIASES:
        [rule] = [rule for known, rule in routes(app) if (known, rule.rule) == (method, path)]
        assert rule.arguments == own[contract_of(view)]


def test_paths_that_give_cookies_are_paths(app: Flask) -> None:
    assert {rule.rule for _, rule in routes(app)} >= cookies.GIVING


@pytest.mark.parametrize("mount", ["", "/v1"])
def test_a_task_lives_its_life_under_the_further_paths(user: Person, mount: str) -> None:
    made = user.post(f"{mount}/tasks/create-task", {"title": "Sweep", "description": "the yard"})
    task = made.json["data"]
    assert (made.status_code, made.headers["Location"]) == (201, f"{mount}/tasks/{task['id']}")
    path = f"{mount}/tasks/update-task/{task['id']}"
    assert user.put(path, {"title": "x"}, headers={"If-Match": '"1"'}).status_code == 412
    changed = user.put(path, {"priority": "high"}, headers={"If-Match": made.headers["ETag"]})
    assert (changed.json["data"]["priority"], changed.json["data"]["information"]) == (1, "the yard")
    gone = user.delete(f"{mount}/tasks/delete/{task['id']}")
    assert (gone.status_code, gone.json["data"]) == (200, {"id": task["id"], "deleted": True})
    assert user.get(f"/tasks/{task['id']}").status_code == 404
    assert user.get("/tasks/trash").json["data"]["total"] == 1
    assert user.post(f"/tasks/{task['id']}/restore").json["data"]["title"] == "Sweep"
