"""Every refusal is a problem document, whatever was wrong."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from taskapi.api import problems
from taskapi.domain import errors
from taskapi.store.client import Store
from tests.api.conftest import Person

MEMBERS = {"success", "type", "title", "status", "detail", "code", "request_id", "errors"}
DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "ERRORS.md"


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nothing/here", 404, "not_found"),
        ("GET", "/v1/nothing", 404, "not_found"),
        ("GET", "/tasks/0", 404, "not_found"),
        ("GET", "/tasks/-1", 404, "not_found"),
        ("GET", "/tasks/1e3", 404, "not_found"),
        ("GET", "/tasks/" + "9" * 5000, 404, "not_found"),
        ("GET", "/tasks/%00", 404, "not_found"),
        ("GET", "/tasks/%ff%fe", 404, "not_found"),
        ("GET", "/../../etc/passwd", 404, "not_found"),
        ("PUT", "/tasks", 405, "method_not_allowed"),
        ("TRACE", "/tasks", 405, "method_not_allowed"),
        ("BREW", "/tasks", 405, "method_not_allowed"),
        ("GET", "/tasks", 401, "unauthorized"),
        ("POST", "/auth/login", 415, "unsupported_media_type"),
        ("GET", "/tasks/1?x=1", 401, "unauthorized"),
    ],
)
def test_what_is_refused_is_told_as_a_problem(
    client: FlaskClient, method: str, path: str, status: int, code: str
) -> None:
    answer = client.open(path, method=method)
    assert answer.status_code == status
    assert answer.content_type == "application/problem+json"
    assert set(answer.json) == MEMBERS
    assert answer.json["code"] == code
    assert answer.json["status"] == status
    assert answer.json["success"] is False
    assert answer.json["request_id"] == answer.headers["X-Request-ID"]
    assert answer.json["type"] == f"/docs/errors#{code}"


def test_a_wrong_method_is_told_the_right_ones(client: FlaskClient) -> None:
    assert client.put("/v1/tasks").headers["Allow"] == "GET, HEAD, OPTIONS, POST"


def test_a_fault_is_told_as_500_without_its_detail(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app.extensions["taskapi.api"].callers, "claim", _broken)
    answer = app.test_client().get("/tasks")
    assert answer.status_code == 500
    assert answer.json["code"] == "internal_error"
    assert b"secret detail" not in answer.data


def _broken(*_: object) -> None:
    raise RuntimeError("secret detail")


def test_each_refusal_of_the_domain_has_its_status(app: Flask) -> None:
    cases: dict[errors.Refused, int] = {
        errors.Invalid({"title": ["no"]}): 400,
        errors.Unauthorized("no"): 401,
        errors.Forbidden("no"): 403,
        errors.NotFound("no"): 404,
        errors.Conflict("no"): 409,
        errors.Moved("no"): 409,
        errors.KeyReused("no"): 409,
        errors.Taken("email"): 409,
        errors.Stale("no"): 412,
        errors.Limited(2.5): 429,
        errors.Unavailable("no", 3): 503,
        errors.Full("no"): 507,
        errors.Refused("no"): 409,
    }
    with app.test_request_context("/"):
        told = {error: problems.answer(error) for error in cases}
    assert {type(error): answer.status_code for error, answer in told.items()} == {
        type(error): status for error, status in cases.items()
    }
    assert all(set(answer.get_json()) >= MEMBERS for answer in told.values())


def test_a_taken_value_is_named(app: Flask) -> None:
    with app.test_request_context("/"):
        assert problems.answer(errors.Taken("email")).get_json()["errors"] == {
            "email": ["This email is already taken."]
        }


def test_a_limit_and_an_outage_say_when_to_come_back(app: Flask) -> None:
    with app.test_request_context("/"):
        limited = problems.answer(errors.Limited(2.2))
        away = problems.answer(errors.Unavailable("away", 0.2))
    assert limited.headers["Retry-After"] == "3"
    assert limited.get_json()["retry_after"] == 3
    assert away.headers["Retry-After"] == "1"


def test_a_browser_script_is_not_shown_the_basic_challenge(client: FlaskClient) -> None:
    plain = client.get("/tasks").headers.getlist("WWW-Authenticate")
    assert plain == ["Bearer", 'Basic realm="taskapi", charset="UTF-8"']
    scripts = ({"Origin": "https://a.example"}, {"X-Requested-With": "x"}, {"Sec-Fetch-Mode": "cors"})
    for header in scripts:
        assert client.get("/tasks", headers=header).headers.getlist("WWW-Authenticate") == ["Bearer"]
    typed = client.get("/tasks", headers={"Sec-Fetch-Mode": "navigate"})
    assert typed.headers.getlist("WWW-Authenticate") == plain


def test_the_callers_request_id_is_kept_if_it_is_one(client: FlaskClient) -> None:
    assert client.get("/nope", headers={"X-Request-ID": "a.b_c-1"}).headers["X-Request-ID"] == "a.b_c-1"
    for odd in ("", "a b", "x" * 65, "ä", '"'):
        answer = client.get("/nope", headers={"X-Request-ID": odd})
        assert re.fullmatch("[0-9a-f]{32}", answer.headers["X-Request-ID"])


def test_every_code_is_documented_and_no_other() -> None:
    rows = dict(re.findall(r"^\| `(\w+)` \| (\d+) \|", DOCUMENT.read_text(), re.MULTILINE))
    assert rows == {code: str(status) for code, (status, _) in problems.CATALOGUE.items()}


def test_every_refusal_of_the_domain_is_in_the_catalogue() -> None:
    pending, found = [errors.Refused], set()
    while pending:
        kind = pending.pop()
        pending += kind.__subclasses__()
        found.add(kind.code)
    assert found <= set(problems.CATALOGUE)


def test_with_the_store_closed_nothing_is_served_but_503(
    client: FlaskClient, data: Store, user: Person
) -> None:
    data.redis.hset("meta", "state", "closed")
    for answer in (user.get("/tasks"), user.post("/tasks", {"title": "x"}), client.get("/health/ready")):
        assert answer.status_code == 503
        assert answer.headers["Retry-After"] == "1"
    assert client.get("/health").json["status"] == "unhealthy"
    assert client.get("/health/live").status_code == 200


def test_a_full_store_is_507(user: Person, data: Store) -> None:
    data.redis.hset("ids", "task:ceiling", 0)
    assert user.post("/tasks", {"title": "x"}).status_code == 507
