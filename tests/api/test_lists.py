"""Lists: pages, links, filters and orders, as the query says."""

from __future__ import annotations

import unicodedata
from typing import Any

import pytest
from flask import Flask

from taskapi.store import jobs
from tests.api.conftest import PASSWORD, Person


@pytest.fixture
def filled(user: Person) -> Person:
    """A user with five tasks: 1 done, 2 and 3 overdue, 4 and 5 tagged."""
    user.task(title="one", completed=True, priority="high", deadline="2020-01-01")
    user.task(title="two", priority="high", deadline="2020-01-02")
    user.task(title="three", priority=3, deadline="2020-01-03")
    user.task(title="four", tags=["red", "round"])
    user.task(title="five", tags=["red"], estimate_hours=2)
    return user


def titles(person: Person, query: str = "", path: str = "/tasks") -> list[str]:
    """The titles on that page."""
    answer = person.get(f"{path}?{query}" if query else path)
    assert answer.status_code == 200, answer.json
    return [task["title"] for task in answer.json["data"]["tasks"]]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", ["one", "two", "three", "four", "five"]),
        ("status=all", ["one", "two", "three", "four", "five"]),
        ("status=completed", ["one"]),
        ("completed=true", ["one"]),
        ("status=pending&completed=false", ["two", "three", "four", "five"]),
        ("priority=1,3", ["one", "two", "three"]),
        ("priority=high", ["one", "two"]),
        ("tag=red", ["four", "five"]),
        ("tag=red&tag=round", ["four"]),
        ("overdue=true", ["two", "three"]),
        ("overdue=false", ["one", "four", "five"]),
        ("overdue=false&status=pending", ["four", "five"]),
        ("overdue=false&search=f", ["four", "five"]),
        ("deadline_from=2020-01-02&deadline_to=2020-01-02", ["two"]),
        ("created_to=2020-01-01", []),
        ("scope=mine&status=completed", ["one"]),
        ("group_id=9", None),
        ("user_id=1", None),
        ("search=T", ["two", "three"]),
        ("search=th&status=pending", ["three"]),
        ("search=wo", []),
        ("sort=-id", ["five", "four", "three", "two", "one"]),
        ("sort=title", ["five", "four", "one", "three", "two"]),
        ("sort=due_date&status=pending", ["two", "three", "four", "five"]),
        ("sort=-completed&priority=1", ["one", "two"]),
        ("sort_by=description&order=desc", ["one", "two", "three", "four", "five"]),
        ("sort_by=title&order=desc", ["two", "three", "one", "four", "five"]),
        ("order=desc", ["five", "four", "three", "two", "one"]),
        ("sort=estimate_hours", ["five", "one", "two", "three", "four"]),
        ("per_page=2", ["one", "two"]),
        ("per_page=2&page=3", ["five"]),
        ("page=9", []),
        ("priority=1&status=pending&overdue=true", ["two"]),
    ],
)
def test_a_list_has_what_the_query_describes(filled: Person, query: str, expected: list[str] | None) -> None:
    if expected is None:
        assert filled.get(f"/tasks?{query}").status_code == 403
    else:
        assert titles(filled, query) == expected


def test_every_way_to_ask_for_the_same_list_gives_it(filled: Person) -> None:
    mine = titles(filled)
    for path in ("/v1/tasks", "/tasks/", "/tasks/filter", f"/users/{filled.id}/tasks"):
        assert titles(filled, path=path) == mine
    of_user = filled.get(f"/users/{filled.id}/tasks").json["data"]
    assert (of_user["user_id"], of_user["count"], of_user["total"]) == (filled.id, 5, 5)


def test_pages_lead_to_each_other_by_number(filled: Person) -> None:
    links = filled.get("/tasks?per_page=2&page=2&status=all").headers["Link"]
    base = "/tasks?per_page=2&status=all"
    assert links == (
        f'<{base}>; rel="first", <{base}&page=1>; rel="prev", '
        f'<{base}&page=3>; rel="next", <{base}&page=3>; rel="last"'
    )
    assert 'rel="next"' not in filled.get("/tasks?per_page=2&page=3").headers["Link"]
    assert "Link" not in filled.get("/tasks").headers


@pytest.mark.parametrize(
    "query", ["per_page=2", "per_page=2&sort=-id", "per_page=2&sort=title", "per_page=3&tag=red"]
)
def test_cursors_lead_through_the_whole_list_once(filled: Person, query: str) -> None:
    seen, cursor = [], ""
    while True:
        answer = filled.get(f"/tasks?{query}{cursor}")
        data = answer.json["data"]
        assert data["count"] == len(data["tasks"])
        seen += [task["title"] for task in data["tasks"]]
        if data["next_cursor"] is None:
            break
        cursor = f"&cursor={data['next_cursor']}"
    assert seen == titles(filled, query.replace("per_page=2", "per_page=200"))
    assert len(set(seen)) == data["total"]


def test_a_link_to_the_next_page_by_cursor_works(filled: Person) -> None:
    first = filled.get("/tasks?per_page=2").json["data"]["next_cursor"]
    link = filled.get(f"/tasks?per_page=2&cursor={first}").headers["Link"]
    address = link.split(", ")[1].split(">")[0][1:]
    assert [task["title"] for task in filled.get(address).json["data"]["tasks"]] == ["five"]


def test_fields_narrow_each_record_of_a_list(filled: Person, owner: Person) -> None:
    tasks = filled.get("/tasks?fields=title,id&per_page=1").json["data"]["tasks"]
    assert tasks == [{"id": 1, "title": "one"}]
    assert owner.get("/users?fields=id").json["data"]["users"] == [{"id": 1}, {"id": filled.id}]


def test_the_trash_lists_what_can_be_taken_back(filled: Person) -> None:
    assert filled.delete("/tasks/2").json["data"] == {"id": 2, "deleted": True}
    assert titles(filled, path="/tasks/trash") == ["two"]
    assert "two" not in titles(filled)
    assert filled.post("/tasks/2/restore").json["data"]["title"] == "two"
    assert titles(filled, path="/tasks/trash") == []
    assert filled.delete("/tasks/2?permanent=true").status_code == 200
    assert filled.post("/tasks/2/restore").status_code == 404


def test_done_is_done(filled: Person) -> None:
    for path in ("/tasks/2/done", f"/users/{filled.id}/tasks/3/done"):
        done = filled.put(path).json["data"]
        assert done["status"] is True
        assert done["completed_at"] is not None


def by_cursor(person: Person, path: str, plural: str) -> list[dict[str, Any]]:
    """All records of a list, page by page, as the links lead on."""
    seen: list[dict[str, Any]] = []
    address = path
    while True:
        answer = person.get(address)
        assert answer.status_code == 200, answer.json
        data = answer.json["data"]
        seen += data[plural]
        if data["next_cursor"] is None:
            return seen
        address = f"{path}&cursor={data['next_cursor']}"


def test_jobs_have_pages_that_lead_on(owner: Person, app: Flask) -> None:
    made = [jobs.create(app.extensions["taskapi.jobs"], "force").id for _ in range(51)]
    first = owner.get("/admin/jobs")
    assert (first.json["data"]["count"], first.json["data"]["total"]) == (50, 51)
    assert '</admin/jobs?page=2>; rel="next"' in first.headers["Link"]
    assert owner.get("/admin/jobs?page=2").json["data"]["count"] == 1
    through = by_cursor(owner, "/admin/jobs?per_page=20&fields=id", "jobs")
    assert sorted(job["id"] for job in through) == sorted(made)
    assert set(through[0]) == {"id"}
    assert owner.get("/admin/jobs?cursor=unknown").status_code == 400


def test_sessions_have_pages_that_lead_on(user: Person) -> None:
    for _ in range(4):
        user.client.post("/login", json={"username": "ada", "password": PASSWORD})
    whole = user.get("/auth/sessions").json["data"]
    assert (whole["count"], whole["total"], whole["next_cursor"]) == (5, 5, None)
    first = user.get("/auth/sessions?per_page=2&page=2").json["data"]["sessions"]
    assert first == whole["sessions"][2:4]
    through = by_cursor(user, "/auth/sessions?per_page=2&fields=id,current", "sessions")
    assert through == [{"id": one["id"], "current": one["current"]} for one in whole["sessions"]]
    assert user.get("/auth/sessions?cursor=unknown").status_code == 400


NARROWED = ["/auth/me?fields=id", "/users/1/worktimes?fields=user_id", "/admin/status?fields=epoch"]


@pytest.mark.parametrize("path", NARROWED)
def test_fields_narrow_every_record(owner: Person, path: str) -> None:
    assert set(owner.get(path).json["data"]) == {path.partition("=")[2]}


@pytest.mark.parametrize("query", ["sort=tags", "sort=-tags", "sort_by=tags"])
def test_the_refusal_to_sort_by_tags_says_why(user: Person, query: str) -> None:
    answer = user.get(f"/tasks?{query}")
    assert answer.status_code == 400
    assert "several tags" in answer.json["errors"][query.partition("=")[0]][0]


def test_a_tag_is_found_however_its_letters_are_composed(user: Person) -> None:
    tag = unicodedata.normalize("NFD", "café")
    user.task(tags=[tag])
    for form in ("NFC", "NFD"):
        found = user.get("/tasks", query_string={"tag": unicodedata.normalize(form, tag)})
        assert found.json["data"]["total"] == 1
