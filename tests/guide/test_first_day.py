"""A fresh system in the order in which a team would set it up, with the guide's own commands and curl."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from taskapi.store.client import Store
from tests.guide.commands import Command
from tests.guide.conftest import Answer
from tests.guide.tasks import COMMANDS

OWNER = '-H "X-Owner-Password: admin1234"'
ALICE = "-u alice@company.com:alice123"
CHARLIE = '-u "3:mypassword"'


class Day:
    """Says what is to be done, and gets the data of the answer."""

    def __init__(self, curl: Callable[[Command], Answer]) -> None:
        self.curl = curl
        self.guide = {command.heading: command for command in COMMANDS}

    def by_the_guide(self, heading: str, status: int | None = None) -> Any:
        """A command of the guide, as it is written."""
        command = self.guide[heading]
        return self._required(command, command.status if status is None else status)

    def call(
        self, who: str, method: str, path: str, body: str = "", status: int = 200, heading: str = "own"
    ) -> Any:
        """A command of the same form."""
        sent = f"-H 'Content-Type: application/json' -d '{body}'" if body else ""
        return self._required(
            Command(heading, f"curl -X {method} {who} {sent} 'http://localhost:7890{path}'"), status
        )

    def _required(self, command: Command, status: int) -> Any:
        answer = self.curl(command)
        assert answer.status == status, (command.text, answer.body)
        return answer.body.get("data", answer.body)


@pytest.fixture
def day(store: Store, curl: Callable[[Command], Answer]) -> Day:
    """The first one."""
    return Day(curl)


def test_a_team_is_set_up_and_works(day: Day) -> None:
    assert day.by_the_guide("Verify health")["status"] == "healthy"
    assert day.by_the_guide("List all users")["count"] == 1
    _people_and_group(day)
    _tasks(day)
    _overview(day)
    _an_end(day)


def test_what_comes_too_early_is_refused_and_leaves_no_trace(day: Day) -> None:
    day.by_the_guide("Create group", 400)
    day.by_the_guide("Create user", 400)
    day.by_the_guide("Add user to group", 404)
    day.by_the_guide("Create task", 401)
    day.by_the_guide("Delete user", 404)
    assert day.by_the_guide("Batch update tasks")["failed"] == 3
    assert day.by_the_guide("List all users")["count"] == 1
    assert day.by_the_guide("List all groups") == {"groups": [], "count": 0, "total": 0, "next_cursor": None}


def _people_and_group(day: Day) -> None:
    """An admin first, then the group that they lead, then who is in it."""
    alice = day.call(
        OWNER,
        "POST",
        "/users",
        '{"full_name": "Alice Admin", "email": "alice@company.com", "password": "alice123",'
        ' "role": "group_admin"}',
        201,
    )
    assert (alice["id"], alice["group_ids"]) == (2, [])
    group = day.by_the_guide("Create group")
    assert (group["id"], group["admin_id"]) == (1, 2)
    assert day.by_the_guide("Create group", 409)["code"] == "taken"
    charlie = '{"full_name": "Charlie Developer", "password": "mypassword", "role": "user"}'
    assert day.call(OWNER, "POST", "/users", charlie, 201)["id"] == 3
    assert day.by_the_guide("Add user to group")["group_ids"] == [1]
    assert day.by_the_guide("Add user to group", 200)["group_ids"] == [1]
    diana = '{"full_name": "Diana Coder", "password": "diana123", "email": "diana@company.com"}'
    assert day.call(ALICE, "POST", "/users", diana, 201)["group_ids"] == [1]
    day.by_the_guide("Update user's work times")
    assert day.by_the_guide("Get user's work times")["work_times"]["Monday"] == 9.0


def _tasks(day: Day) -> None:
    """The member's own, one from the admin, and a batch over all."""
    first = day.by_the_guide("Create task")
    assert (first["id"], first["user_id"], first["group_id"]) == (1, 3, 1)
    assert day.by_the_guide("Get specific task") == first
    review = '{"title": "Review the login", "priority": "low"}'
    assert day.call(ALICE, "POST", "/users/3/tasks", review, 201)["group_id"] == 1
    assert day.call("-u diana@company.com:diana123", "POST", "/tasks", '{"title": "Test it"}', 201)["id"] == 3
    assert day.by_the_guide("Update task")["priority"] == 2
    batch = day.by_the_guide("Batch update tasks")
    assert [result["status"] for result in batch["results"]] == [200, 200, 200]
    mine = day.call(
        CHARLIE,
        "POST",
        "/tasks/batch",
        '{"task_ids": [1, 2, 3], "updates": {"priority": 1}}',
        heading="own tasks",
    )
    assert [result["status"] for result in mine["results"]] == [200, 200, 404]
    assert day.by_the_guide("Mark task as done")["status"] is True


def _overview(day: Day) -> None:
    """What everybody sees of it."""
    assert day.by_the_guide("Advanced task filtering")["count"] == 1
    assert day.by_the_guide("Get user's tasks")["count"] == 2
    assert day.by_the_guide("Get group tasks")["count"] == 3
    assert day.by_the_guide("Get group details")["tasks_count"] == 3
    statistics = day.by_the_guide("Get group statistics")
    assert (statistics["users_count"], statistics["completion_rate"]) == (3, 33.33)
    assert statistics["user_task_counts"] == {"Alice Admin": 0, "Charlie Developer": 2, "Diana Coder": 1}
    assert day.by_the_guide("Get task statistics")["total_users"] == 4
    found = day.call(ALICE, "GET", "/tasks/search?q=login")
    assert [hit["task"]["id"] for hit in found["results"]] == [1, 2]
    day.call(CHARLIE, "GET", "/tasks/search?q=login", status=403)


def _an_end(day: Day) -> None:
    """Who leaves their only group loses the tasks in it; the group goes last."""
    day.by_the_guide("Remove user from group")
    assert day.by_the_guide("Get user's tasks")["count"] == 0
    day.by_the_guide("Get specific task", 404)
    day.by_the_guide("Delete group")
    assert day.by_the_guide("List all groups")["count"] == 0
    day.by_the_guide("Get group statistics", 404)
    day.call(ALICE, "GET", "/groups/1", status=403)
    assert day.by_the_guide("Get task statistics")["total_tasks"] == 0
