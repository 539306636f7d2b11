"""Whatever is sent, the answer is no fault of the server."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from tests.api.conftest import Person

JSON = {"Content-Type": "application/json"}

values = some.recursive(
    some.none() | some.booleans() | some.integers() | some.floats() | some.text(),
    lambda inner: some.lists(inner, max_size=4) | some.dictionaries(some.text(), inner, max_size=4),
    max_leaves=12,
)
NAMES = (
    "title",
    "status",
    "priority",
    "deadline",
    "tags",
    "user_id",
    "group_id",
    "estimate_hours",
    "due_date",
)
quick = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@quick
@given(some.dictionaries(some.sampled_from(NAMES) | some.text(max_size=8), values, max_size=5))
def test_whatever_object_is_sent_is_answered_without_a_fault(user: Person, sent: dict[str, Any]) -> None:
    body = json.dumps(sent).encode()
    assert user.call("POST", "/tasks", data=body, headers=JSON).status_code in (201, 400, 403)


OF_TEAMS = ("name", "admin_id", "user_id", "task_ids", "updates", "action")
TAKEN = ("/groups", "/groups/1/users", "/tasks/batch", "/tasks/batch?atomic=true")


@quick
@given(some.sampled_from(TAKEN), some.dictionaries(some.sampled_from(OF_TEAMS), values, max_size=4))
def test_whatever_is_sent_to_groups_and_batches_is_answered_without_a_fault(
    owner: Person, path: str, sent: dict[str, Any]
) -> None:
    body = json.dumps(sent).encode()
    assert owner.call("POST", path, data=body, headers=JSON).status_code in (200, 201, 400, 404, 409)
    method, change = ("PATCH", "/tasks/bulk") if "batch" in path else ("PUT", "/groups/1")
    assert owner.call(method, change, data=body, headers=JSON).status_code in (200, 400, 404, 409)


@quick
@given(some.text(max_size=12))
def test_whatever_is_searched_for_is_answered_without_a_fault(
    owner: Person, database_url: str, text: str
) -> None:
    for path in ("/tasks/search?q=", "/users/search?q=", "/tasks?search="):
        assert owner.get(path + quote(text)).status_code in (200, 400)


@quick
@given(some.binary(max_size=60))
def test_whatever_bytes_are_sent_are_answered_without_a_fault(user: Person, body: bytes) -> None:
    for path in ("/tasks", "/auth/login", "/auth/register", "/auth/refresh"):
        assert 400 <= user.call("POST", path, data=body, headers=JSON).status_code < 500
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    assert 400 <= user.call("POST", "/auth/login", data=body, headers=form).status_code < 500


@quick
@given(some.binary(max_size=40), some.binary(max_size=40))
def test_whatever_path_and_query_are_asked_are_answered_without_a_fault(
    client: FlaskClient, path: bytes, query: bytes
) -> None:
    environ = {"PATH_INFO": "/" + path.decode("latin-1"), "QUERY_STRING": query.decode("latin-1")}
    assert client.get("/", environ_overrides=environ).status_code < 500
    listed = client.get("/tasks", environ_overrides={"QUERY_STRING": query.decode("latin-1")})
    assert 400 <= listed.status_code < 500


headers = some.text(
    some.characters(min_codepoint=32, max_codepoint=255, exclude_characters="\x7f"), max_size=40
)
NAMED = (
    "If-Match",
    "If-None-Match",
    "Idempotency-Key",
    "Prefer",
    "X-Request-ID",
    "Accept",
    "Content-Type",
    "Cookie",
)


@quick
@given(some.sampled_from(NAMED), headers)
def test_whatever_header_is_sent_is_answered_without_a_fault(user: Person, name: str, value: str) -> None:
    assert user.put("/tasks/1", {"title": "x"}, headers={name: value}).status_code < 500
    assert user.get("/tasks", headers={name: value}).status_code < 500
    assert user.client.get("/tasks", headers={"Authorization": value}).status_code == 401
