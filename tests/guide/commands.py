"""The guide that callers of this API have: its commands word for word, and what it says of the answers."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Command:
    """One command. `shape` is the documented answer: its keys and JSON types count, its values do not.

    `state` names what the command assumes to be there, `filled` what stands for its placeholders.
    """

    heading: str
    text: str
    status: int = 200
    shape: Any = None
    state: str = "team"
    filled: dict[str, str] = field(default_factory=dict)

    def at(self, address: str) -> str:
        """The command for the server at that address."""
        text = self.text
        for placeholder, value in self.filled.items():
            text = text.replace(placeholder, value)
        return text.replace("http://localhost:7890", address)


def answer(text: str) -> Any:
    """A documented answer under `data`."""
    return {"success": True, "data": json.loads(text)}


HEALTH = {"status": "healthy", "timestamp": "2025-09-29T10:00:00Z"}

FIRST_STEPS = [
    Command("Verify health", "curl http://localhost:7890/health", shape=HEALTH),
    Command("Owner access", 'curl -H "X-Owner-Password: admin1234" http://localhost:7890/users'),
    Command(
        "Basic authentication by user id",
        'curl -u "USER_ID:password" http://localhost:7890/users/USER_ID',
        filled={"USER_ID": "3", "password": "mypassword"},
    ),
    Command("The same by example", 'curl -u "3:mypassword" http://localhost:7890/users/3'),
    Command(
        "Basic authentication by e-mail",
        'curl -u "user@email.com:password" http://localhost:7890/users/1',
        filled={"user@email.com:password": "admin@gmail.com:admin1234"},
    ),
    Command(
        "The same by example, as group admin",
        'curl -u "alice@company.com:alice123" http://localhost:7890/users/3',
    ),
]

USERS = [
    Command(
        "List all users",
        'curl -H "X-Owner-Password: admin1234" http://localhost:7890/users',
        shape=answer(
            """{"users": [{"id": 1, "full_name": "System Owner", "role": "owner", "group_ids": [],
                "email": "admin@gmail.com", "work_times": {}}], "count": 1}"""
        ),
    ),
    Command(
        "Create user",
        r"""curl -X POST \
  -H "X-Owner-Password: admin1234" \
  -H "Content-Type: application/json" \
  -d '{
    "full_name": "Alice Admin",
    "email": "alice@company.com",
    "password": "alice123",
    "role": "group_admin",
    "group_ids": [1],
    "work_times": {
      "Monday": 8.0,
      "Tuesday": 8.0,
      "Wednesday": 8.0,
      "Thursday": 8.0,
      "Friday": 8.0
    }
  }' \
  http://localhost:7890/users""",
        201,
        state="a group",
    ),
    Command("Get user details", 'curl -u "3:mypassword" http://localhost:7890/users/3'),
    Command(
        "Update user",
        r"""curl -X PUT \
  -u "3:mypassword" \
  -H "Content-Type: application/json" \
  -d '{"full_name": "John Updated"}' \
  http://localhost:7890/users/3""",
    ),
    Command(
        "Delete user",
        r"""curl -X DELETE \
  -H "X-Owner-Password: admin1234" \
  http://localhost:7890/users/5""",
    ),
    Command(
        "Search users",
        r"""curl -H "X-Owner-Password: admin1234" \
  "http://localhost:7890/users/search?q=john" """,
    ),
    Command(
        "Get user's work times",
        'curl -u "3:mypassword" http://localhost:7890/users/3/worktimes',
        shape=answer(
            """{"user_id": 3, "work_times": {"Monday": 8.0, "Tuesday": 8.0, "Wednesday": 8.0,
                "Thursday": 8.0, "Friday": 6.0}}"""
        ),
    ),
    Command(
        "Update user's work times",
        r"""curl -X PUT \
  -u "3:mypassword" \
  -H "Content-Type: application/json" \
  -d '{
    "work_times": {
      "Monday": 9.0,
      "Tuesday": 9.0,
      "Wednesday": 8.0,
      "Thursday": 8.0,
      "Friday": 6.0
    }
  }' \
  http://localhost:7890/users/3/worktimes""",
    ),
]

GROUP = """{"id": 1, "name": "Engineering", "admin_id": 2, "created_at": "2025-09-29T10:00:00Z",
            "updated_at": "2025-09-29T10:00:00Z"}"""

GROUPS = [
    Command(
        "List all groups",
        'curl -H "X-Owner-Password: admin1234" http://localhost:7890/groups',
        shape=answer(f'{{"groups": [{GROUP}], "count": 1}}'),
    ),
    Command(
        "Create group",
        r"""curl -X POST \
  -H "X-Owner-Password: admin1234" \
  -H "Content-Type: application/json" \
  -d '{
    "name": "Engineering",
    "admin_id": 2
  }' \
  http://localhost:7890/groups""",
        201,
        state="an admin",
    ),
    Command(
        "Get group details",
        'curl -H "X-Owner-Password: admin1234" http://localhost:7890/groups/1',
        shape=answer(
            f"""{GROUP[:-1]}, "admin": {{"id": 2, "full_name": "Alice Admin", "email": "alice@company.com"}},
                "users_count": 3, "tasks_count": 12}}"""
        ),
    ),
    Command(
        "Update group",
        r"""curl -X PUT \
  -H "X-Owner-Password: admin1234" \
  -H "Content-Type: application/json" \
  -d '{"name": "Engineering Team"}' \
  http://localhost:7890/groups/1""",
    ),
    Command(
        "Delete group",
        r"""curl -X DELETE \
  -H "X-Owner-Password: admin1234" \
  http://localhost:7890/groups/1""",
    ),
    Command("List group users", 'curl -H "X-Owner-Password: admin1234" http://localhost:7890/groups/1/users'),
    Command(
        "Add user to group",
        r"""curl -X POST \
  -H "X-Owner-Password: admin1234" \
  -H "Content-Type: application/json" \
  -d '{"user_id": 3}' \
  http://localhost:7890/groups/1/users""",
        201,
        state="a user outside",
    ),
    Command(
        "Remove user from group",
        r"""curl -X DELETE \
  -H "X-Owner-Password: admin1234" \
  http://localhost:7890/groups/1/users/3""",
    ),
    Command("Get group tasks", 'curl -H "X-Owner-Password: admin1234" http://localhost:7890/groups/1/tasks'),
    Command(
        "Get group statistics",
        'curl -H "X-Owner-Password: admin1234" http://localhost:7890/groups/1/stats',
        shape=answer(
            """{"group": {"id": 1, "name": "Engineering"}, "users_count": 3, "total_tasks": 12,
                "completed_tasks": 5, "pending_tasks": 7, "completion_rate": 41.67,
                "user_task_counts": {"Alice Admin": 4, "Charlie Developer": 5, "Diana Coder": 3}}"""
        ),
    ),
]
