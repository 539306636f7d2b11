"""What people are told of a mistake: what it was, and what to write instead."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.conftest import Person


@pytest.mark.parametrize(
    ("sent", "field", "told"),
    [
        ({"estimate_hours": 1e7}, "estimate_hours", "Must be from 0 to 1000000."),
        ({"version": 3}, "version", "Is read-only: leave it out."),
        ({"id": 3}, "id", "Is read-only: leave it out."),
        ({"colour": 3}, "colour", "Unknown field."),
        ({"tags": ["a", ""]}, "tags", "Entry 2: Must have 1 to 50 characters."),
    ],
)
def test_a_field_that_is_refused_is_told_why(
    user: Person, sent: dict[str, Any], field: str, told: str
) -> None:
    task = user.task()
    answer = user.call("PATCH", f"/tasks/{task['id']}", json=sent)
    assert (answer.status_code, answer.json["errors"]) == (400, {field: [told]})


def test_the_entry_of_a_batch_that_is_none_is_told(user: Person) -> None:
    sent = {"task_ids": [9, "x"], "updates": {"priority": 1}}
    answer = user.call("PATCH", "/tasks/bulk", json=sent)
    assert answer.json["errors"] == {"task_ids": ["Entry 2: Must be a whole number."]}


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("limit=5", "There is no such parameter here: there is per_page."),
        ("offset=5", "There is no such parameter here: there is page and cursor."),
        ("tags=a", "There is no such parameter here: there is tag."),
        ("q=a", "There is no such parameter here: there is search."),
        ("colour=a", "There is no such parameter here."),
        ("priority=1&priority=2", "Is there more than once: write several parted by commas."),
        ("page=1&page=2", "Is there more than once."),
    ],
)
def test_a_parameter_that_is_refused_names_the_one_that_was_meant(
    user: Person, query: str, told: str
) -> None:
    [[sentence]] = user.get(f"/tasks?{query}").json["errors"].values()
    assert sentence == told


def test_what_a_body_may_weigh_is_told(user: Person) -> None:
    answer = user.call("POST", "/tasks", data=b"x" * (1 << 20 | 1), content_type="application/json")
    assert (answer.status_code, answer.json["detail"]) == (413, "The body is larger than 1 MiB.")


def test_who_may_not_give_somebody_a_task_is_told_whom(user: Person) -> None:
    answer = user.post("/tasks", {"title": "x", "user_id": 1})
    assert (answer.status_code, answer.json["detail"]) == (403, "You may not do this for user 1.")
