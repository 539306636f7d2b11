"""Query parameters that are not understood are refused by their names."""

from __future__ import annotations

import pytest

from tests.api.conftest import Person


@pytest.mark.parametrize(
    "query",
    [
        "unknown=1",
        "page=0",
        "page=-1",
        "page=1.5",
        "page=",
        "page=x",
        "page=1&page=2",
        "page=1&cursor=abc",
        "page=99999999999999999999",
        "per_page=0",
        "per_page=201",
        "per_page=\u0663",
        "cursor=%21%21",
        "cursor=nonsense",
        "status=done",
        "status=",
        "completed=1",
        "status=pending&completed=true",
        "priority=4",
        "priority=1,,2",
        "priority=1,1",
        "priority=1,high",
        "priority=1&priority=2",
        "tag=",
        "tag=a&tag=a",
        "overdue=maybe",
        "group_id=0",
        "group_id=x",
        "user_id=1e3",
        "deadline_from=2026-13-01",
        "created_to=yesterday",
        "scope=yours",
        "sort=tags",
        "sort=--id",
        "sort=id&sort_by=title",
        "sort_by=-id",
        "order=up",
        "fields=",
        "fields=id,,title",
        "fields=id,id",
        "fields=password",
        "search=",
        "search=%20",
        "search=%21",
        "search=" + "x" * 201,
        "Page=1",
        "%00=1",
        "tag=%00",
        "tag=%ff",
        "tag=%ed%a0%80",
        "&".join(f"p{number}=1" for number in range(101)),
    ],
)
def test_a_query_that_is_not_understood_is_400(user: Person, query: str) -> None:
    answer = user.get(f"/tasks?{query}")
    assert answer.status_code == 400
    assert answer.json["code"] in ("invalid", "malformed")


def test_a_wrong_parameter_is_named(user: Person) -> None:
    assert list(user.get("/tasks?per_page=0").json["errors"]) == ["per_page"]
    assert list(user.get("/tasks?size=5").json["errors"]) == ["size"]
    assert list(user.get("/tasks/1?page=5").json["errors"]) == ["page"]
    assert list(user.get("/auth/me?x=5").json["errors"]) == ["x"]
