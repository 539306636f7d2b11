"""The examples of the document fit together: each to its answer, and one to the next."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from taskapi.services.owner import ensure_owner
from taskapi.store.client import Store
from tests.api.conftest import OWNER_PASSWORD, Person, bearer
from tests.api.documents.document import Json, operations
from tests.api.documents.test_examples import Make, body, judged, sent


@pytest.fixture
def document(client: FlaskClient) -> Json:
    """The document."""
    found: Json = client.get("/openapi.json").json
    return found


@pytest.mark.parametrize("before", ["/auth/", "/users/", "/"])
def test_a_newcomer_may_send_one_example_after_the_other(
    data: Store, client: FlaskClient, before: str
) -> None:
    ensure_owner(data, "admin@gmail.com", OWNER_PASSWORD)
    known = {(each.method, each.path): each for each in operations(client.get("/openapi.json").json)}
    owner = Person(client, {"X-Owner-Password": OWNER_PASSWORD}, {"id": 1})

    def answer(method: str, path: str, who: Person | None = None) -> Json:
        operation = known[method, path]
        headers = {} if who is None else who.headers
        told = client.open(operation.url({}), method=method, headers=headers, **body(operation))
        assert judged(operation, told) == []
        found: Json = told.json
        return found

    registered = answer("POST", f"{before}register")
    signed_in = answer("POST", f"{before}login")
    assert signed_in["data"]["user"]["id"] == registered["data"]["user"]["id"]
    newcomer = Person(client, bearer(signed_in["access_token"]), signed_in["data"]["user"])
    for path in ("/tasks", "/tasks/create-task", "/users/{user_id}/tasks"):
        answer("POST", path, newcomer)
    answer("PATCH", "/tasks/{task_id}", newcomer)
    answer("PATCH", "/tasks/bulk", newcomer)
    for path in ("/users", "/groups"):
        answer("POST", path, owner)


def test_a_sign_in_example_holds_for_who_was_registered(document: Json) -> None:
    by_path = {each.path: each for each in operations(document) if each.method == "POST"}
    for before in ("/auth/", "/users/", "/"):
        registered, signed_in = (body(by_path[f"{before}{word}"])["json"] for word in ("register", "login"))
        assert signed_in.items() <= registered.items()


def test_an_example_of_an_answer_is_the_one_to_its_request(document: Json) -> None:
    for operation in operations(document):
        for status, told in operation.responses.items():
            example = told.get("content", {}).get("application/json", {}).get("example", {})
            request, data = body(operation).get("json", {}), example.get("data", {})
            for name, value in request.items():
                assert data.get(name, value) == value, (operation.name, status, name)


def test_a_job_is_told_by_its_own_name_and_one_that_goes_on_as_such(document: Json) -> None:
    actions = {
        "sync": "force",
        "undo_restore": "undo",
        "restore_backup": "restore",
        "verify_backup": "verify",
    }
    told = {each.name: each.responses for each in operations(document) if each.name in actions}
    for name, action in actions.items():
        over, going_on = (
            told[name][status]["content"]["application/json"]["example"]["data"] for status in (200, 202)
        )
        assert (over["action"], over["state"]) == (action, "done")
        assert (going_on["action"], going_on["state"], going_on["duration_ms"]) == (action, "queued", None)
        assert over["synced"] == ({"users": 1, "tasks": 3} if name == "sync" else {})
        assert going_on["synced"] == {}


@pytest.mark.parametrize("path", ["/auth/login", "/users/login", "/login"])
def test_a_sign_in_is_as_documented_with_cookies_and_without(
    document: Json, make_world: Make, path: str
) -> None:
    [operation] = [each for each in operations(document) if each.path == path]
    world = make_world()
    plain, cookies = (sent(operation, world, {}, more=more) for more in ({}, {"session": "cookie"}))
    assert judged(operation, plain) == judged(operation, cookies) == []
    assert ("csrf_token" in plain.json, "csrf_token" in cookies.json) == (path == "/login", True)
