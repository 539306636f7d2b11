"""Every endpoint declares what it asks for, takes and answers; the API document says the same."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.routing import Rule

from taskapi.api import routes
from taskapi.api.contracts import contract_of, public
from taskapi.api.serving import Noun
from taskapi.domain.rights import MATRIX, Right
from tests.api.conftest import PASSWORD, Person

UNSAFE = {"POST", "PUT", "PATCH", "DELETE"}


def rules(app: Flask, *, mount: str = "api.") -> list[Rule]:
    """The routes of one mount."""
    return [rule for rule in app.url_map.iter_rules() if rule.endpoint.startswith(mount)]


def test_every_route_declares_a_right_that_is_in_the_table(app: Flask) -> None:
    for rule in app.url_map.iter_rules():
        assert contract_of(app.view_functions[rule.endpoint]).right in MATRIX, rule


def test_a_view_without_a_right_cannot_be_mounted() -> None:
    def view() -> None:
        """Declares nothing."""

    with pytest.raises(TypeError, match="view names no right"):
        Noun("odd", __name__).add_url_rule("/odd", view_func=view)


def test_only_what_everybody_may_do_is_public(app: Flask) -> None:
    open_paths = {
        rule.rule
        for rule in rules(app)
        if contract_of(app.view_functions[rule.endpoint]).right is Right.PUBLIC
    }
    told = "/ /docs /docs/ui/<asset> /redoc /docs/errors /openapi.json /health"
    told += " /check_health /health/live /health/ready /health/detailed /api/health/db"
    signing_in = "/auth/register /auth/login /auth/refresh /register /login /users/register /users/login"
    others = "/tasks/external-joke /api/check-limiter"
    assert open_paths == {*told.split(), *signing_in.split(), *others.split()}


def test_every_route_that_is_not_public_refuses_a_stranger(app: Flask, client: FlaskClient) -> None:
    for rule in app.url_map.iter_rules():
        if contract_of(app.view_functions[rule.endpoint]).right is not Right.PUBLIC:
            path = re.sub(r"<[^>]+>", "1", rule.rule)
            for method in (rule.methods or set()) - {"OPTIONS"}:
                assert client.open(path, method=method).status_code == 401, (method, path)


def test_both_mounts_have_the_same_routes(app: Flask) -> None:
    def told(mount: str, prefix: str) -> set[tuple[str, frozenset[str]]]:
        return {
            (rule.rule.removeprefix(prefix) or "/", frozenset(rule.methods or ()))
            for rule in rules(app, mount=mount)
        }

    assert told("api.", "") == told("v1.", "/v1")


def test_no_path_redirects_for_a_slash(client: FlaskClient) -> None:
    for path in ("/health", "/v1/health", "/docs", "/openapi.json"):
        assert client.get(path).status_code == client.get(path + "/").status_code == 200
    assert client.post("/auth/login/", json={}).status_code == 400


def test_every_write_with_a_version_minds_the_condition(app: Flask) -> None:
    for rule in rules(app):
        contract = contract_of(app.view_functions[rule.endpoint])
        of_a_record = re.search(r"_id>(/worktimes|/done|/tags.*)?$", rule.rule)
        has_version = "session" not in rule.rule and not rule.rule.startswith("/groups/<int:group_id>/users")
        if of_a_record and has_version and (rule.methods or set()) & UNSAFE:
            assert contract.conditional, rule


def test_every_route_is_in_the_document_and_on_the_page(app: Flask, client: FlaskClient) -> None:
    document, page = client.get("/openapi.json").json, client.get("/redoc").text
    for rule in rules(app):
        path = re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule)
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}:
            operation = document["paths"][path][method.lower()]
            assert operation["summary"], rule
            assert f"<code>{method} {path}</code>" in page
            assert f'id="{operation["operationId"]}"' in page


def test_the_document_is_sound(client: FlaskClient) -> None:
    document = client.get("/openapi.json").json
    assert document["openapi"] == "3.1.0"
    operations = [operation for path in document["paths"].values() for operation in path.values()]
    names = [operation["operationId"] for operation in operations]
    assert len(set(names)) == len(names)
    for reference in re.findall(r'"\$ref": ?"#/components/schemas/(\w+)"', json.dumps(document)):
        assert reference in document["components"]["schemas"]
    for path, methods in document["paths"].items():
        for operation in methods.values():
            declared = {one["name"] for one in operation["parameters"] if one.get("in") == "path"}
            assert declared == set(re.findall(r"{(\w+)}", path))


def test_what_a_task_shows_is_what_the_document_says(client: FlaskClient, user: Any) -> None:
    schemas = client.get("/openapi.json").json["components"]["schemas"]
    assert set(user.task()) == set(schemas["TaskOut"]["properties"]) - {"deleted_at", "deleted_with"}
    assert set(user.get("/auth/me").json["data"]) == set(schemas["UserOut"]["properties"])


def test_a_view_is_one_statement_or_few() -> None:
    for noun in routes.NOUNS:
        tree = ast.parse(Path(str(noun.__file__)).read_text())
        for function in tree.body:
            if isinstance(function, ast.FunctionDef) and function.decorator_list:
                assert len(function.body) <= 5, function.name


def test_public_declares_no_more_than_that() -> None:
    @public
    def view() -> None:
        """Everybody's."""

    assert contract_of(view).right is Right.PUBLIC


def test_what_the_document_says_of_sessions_is_what_is_answered(user: Person, client: FlaskClient) -> None:
    document = client.get("/openapi.json").json
    schemas, paths = document["components"]["schemas"], document["paths"]
    session = user.get("/auth/sessions").json["data"]["sessions"][0]
    assert set(session) == set(schemas["SessionOut"]["properties"])
    answered = client.post("/login", json={"username": "ada", "password": PASSWORD}).json
    told = paths["/auth/login"]["post"]["responses"]["200"]["content"]["application/json"]["schema"]
    assert set(answered) == set(told["properties"])
    assert schemas["DeletedSession"]["properties"]["id"]["type"] == "string"
