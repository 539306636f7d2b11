"""A record of which Redis has no readable text: it is told as what it is, and holds up no other."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient
from structlog.testing import capture_logs

from taskapi.store.client import Store
from tests.api.conftest import Person

BROKEN = ["broken", "", "[]", "{", '{"id":1,"title":"t"}']
WITH_OTHER_FIELDS = '{"id":1,"nothing":2,"version":4294967300}'
PATHS = ["/tasks/1", "/tasks/1/files"]


@pytest.mark.parametrize("text", [*BROKEN, WITH_OTHER_FIELDS])
def test_it_is_told_as_damaged_and_in_one_line(data: Store, user: Person, text: str) -> None:
    assert user.task()["id"] == 1
    data.redis.set("task:1", text)
    for method, path in [*(("GET", path) for path in PATHS), ("PUT", "/tasks/1"), ("DELETE", "/tasks/1")]:
        with capture_logs() as lines:
            answer = user.call(method, path, {"title": "new"} if method == "PUT" else None)
        assert (answer.status_code, answer.json["code"]) == (500, "damaged_record"), (path, answer.data)
        assert "task" in answer.json["detail"]
        errors = [line for line in lines if line["log_level"] == "error"]
        assert [line["event"] for line in errors] == ["damaged record"]
        assert "exc_info" not in errors[0]
    assert data.redis.get("task:1") == text.encode()


@pytest.mark.parametrize("text", BROKEN)
def test_lists_leave_it_out_and_go_on(data: Store, user: Person, text: str) -> None:
    for title in "abcdef":
        user.task(title=title)
    for broken in (2, 3):
        data.redis.set(f"task:{broken}", text)

    with capture_logs() as lines:
        found, cursor = [], ""
        while cursor is not None:
            page = user.get(f"/tasks?per_page=2&cursor={cursor}" if cursor else "/tasks?per_page=2").json
            found += [task["title"] for task in page["data"]["tasks"]]
            cursor = page["data"]["next_cursor"]

    assert found == ["a", "d", "e", "f"]
    assert {line["event"] for line in lines if line["log_level"] == "error"} == {
        "damaged records are left out of a list"
    }
    assert [task["title"] for task in user.get("/tasks?search=e").json["data"]["tasks"]] == ["e"]


def test_a_whole_page_of_them_ends_the_list(data: Store, user: Person) -> None:
    for title in "ab":
        user.task(title=title)
    for broken in (1, 2):
        data.redis.set(f"task:{broken}", "broken")
    page = user.get("/tasks").json["data"]
    assert (page["tasks"], page["next_cursor"], page["total"]) == ([], None, 2)


def test_a_caller_whose_own_record_is_damaged_is_told_so(
    data: Store, user: Person, client: FlaskClient
) -> None:
    data.redis.set(f"user:{user.id}", "broken")
    assert user.get("/tasks").json["code"] == "damaged_record"
    assert client.get("/health").status_code == 200
