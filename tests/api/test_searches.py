"""Searching over HTTP: tasks by their words, users by their names."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from tests.api.conftest import Person
from tests.api.test_groups import joined, listed, made


@pytest.fixture
def admin(owner: Person, database_url: str) -> Person:
    """The admin of group 1, in which Bob has a task; the owner has one in no group."""
    group_id = made(owner)
    found = joined(owner, "alice", group_id, role="group_admin")
    joined(owner, "bob", group_id).task(title="Implement Login", information="REST for authentication")
    owner.task(title="Authenticate the painting")
    return found


def test_a_task_is_found_with_whose_it_is(owner: Person, admin: Person) -> None:
    data = owner.get("/v1/tasks/search?q=AUTHENTICAT").json["data"]
    assert [(hit["user_id"], hit["task"]["title"]) for hit in data["results"]] == [
        (3, "Implement Login"),
        (1, "Authenticate the painting"),
    ]
    assert (data["query"], data["count"], data["total"], data["complete"]) == ("AUTHENTICAT", 2, 2, True)
    assert data["results"][0]["task"] == owner.get("/tasks/1").json["data"]


def test_what_is_found_comes_in_pages(owner: Person, admin: Person) -> None:
    first = owner.get("/tasks/search?q=auth&per_page=1").json["data"]
    path = f"/tasks/search?q=auth&per_page=1&cursor={first['next_cursor']}"
    assert [hit["task"]["id"] for hit in listed(owner, path, "results")] == [2]
    assert listed(owner, "/tasks/search?q=auth&page=9", "results") == []
    assert listed(owner, "/tasks/search?q=auth&fields=user_id", "results") == [{"user_id": 3}, {"user_id": 1}]


def test_an_admin_finds_what_is_in_their_groups(admin: Person) -> None:
    assert [hit["task"]["id"] for hit in listed(admin, "/tasks/search?q=auth", "results")] == [1]


def test_every_list_of_tasks_can_be_searched(owner: Person, admin: Person) -> None:
    for path in ("/tasks", "/tasks/filter", "/users/3/tasks", "/groups/1/tasks"):
        assert [task["id"] for task in listed(owner, f"{path}?search=login", "tasks")] == [1]
        assert owner.get(f"{path}?search=login").json["data"]["complete"] is True
        assert listed(owner, f"{path}?search=logout", "tasks") == []


def test_users_are_found_by_how_their_names_begin(owner: Person, admin: Person) -> None:
    data = owner.get("/users/search?q=AL").json["data"]
    assert [user["id"] for user in data["users"]] == [admin.id]
    assert (data["query"], data["count"], data["total"]) == ("AL", 1, 1)
    assert [user["id"] for user in listed(owner, "/users/search?q=admin@", "users")] == [1]
    assert listed(admin, "/users/search?q=system", "users") == []


@pytest.mark.parametrize("query", ["", "?q=", "?q=%20", "?q=%21", "?q=" + "x" * 201, "?search=x", "?q=a&q=b"])
@pytest.mark.parametrize("path", ["/tasks/search", "/users/search"])
def test_a_search_for_nothing_is_400(owner: Person, path: str, query: str) -> None:
    assert owner.get(path + query).status_code == 400


def test_a_search_says_what_the_document_says(owner: Person, admin: Person, client: FlaskClient) -> None:
    paths = client.get("/openapi.json").json["paths"]
    for path in ("/tasks/search", "/users/search"):
        content = paths[path]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
        assert set(owner.get(f"{path}?q=a").json["data"]) == set(content["properties"]["data"]["properties"])
