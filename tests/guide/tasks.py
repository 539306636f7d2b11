"""The guide's commands about tasks and administration, and all of its commands in its own order."""

from __future__ import annotations

from tests.guide.commands import FIRST_STEPS, GROUPS, HEALTH, USERS, Command, answer

TASK = """"id": 1, "title": "Implement Login API", "status": false, "priority": 1, "deadline": "2025-10-15",
          "information": "Create REST API for authentication", "user_id": 3, "group_id": 1"""

TASKS = [
    Command(
        "Get user's tasks",
        'curl -u "3:mypassword" http://localhost:7890/users/3/tasks',
        shape=answer(
            f"""{{"user_id": 3, "tasks": [{{{TASK}, "created_at": "2025-09-29T10:00:00Z",
                 "updated_at": "2025-09-29T10:00:00Z"}}], "count": 1}}"""
        ),
    ),
    Command(
        "Create task",
        r"""curl -X POST \
  -u "3:mypassword" \
  -H "Content-Type: application/json" \
  -d '{
    "title": "Implement Login API",
    "priority": 1,
    "deadline": "2025-10-15",
    "information": "Create REST API for authentication",
    "group_id": 1
  }' \
  http://localhost:7890/users/3/tasks""",
        201,
    ),
    Command("Get specific task", 'curl -u "3:mypassword" http://localhost:7890/users/3/tasks/1'),
    Command(
        "Update task",
        r"""curl -X PUT \
  -u "3:mypassword" \
  -H "Content-Type: application/json" \
  -d '{
    "priority": 2,
    "information": "Updated: Critical bug"
  }' \
  http://localhost:7890/users/3/tasks/1""",
    ),
    Command(
        "Mark task as done",
        r"""curl -X PUT \
  -u "3:mypassword" \
  http://localhost:7890/users/3/tasks/1/done""",
    ),
    Command(
        "Delete task",
        r"""curl -X DELETE \
  -u "3:mypassword" \
  http://localhost:7890/users/3/tasks/1""",
    ),
    Command(
        "Global task search",
        r"""curl -H "X-Owner-Password: admin1234" \
  "http://localhost:7890/tasks/search?q=authentication" """,
        shape=answer(
            f'{{"query": "authentication", "results": [{{"user_id": 3, "task": {{{TASK}}}}}], "count": 1}}'
        ),
    ),
    Command(
        "Get task statistics",
        'curl -H "X-Owner-Password: admin1234" http://localhost:7890/tasks/stats',
        shape=answer(
            """{"total_tasks": 25, "completed_tasks": 10, "pending_tasks": 15, "completion_rate": 40.0,
                "user_task_counts": {"Alice Admin": 8, "Charlie Developer": 10, "Diana Coder": 7},
                "group_task_counts": {"1": 15, "2": 10}, "total_users": 5}"""
        ),
    ),
    Command(
        "Batch update tasks",
        r"""curl -X POST \
  -H "X-Owner-Password: admin1234" \
  -H "Content-Type: application/json" \
  -d '{
    "task_ids": [1, 2, 3],
    "updates": {"priority": 2},
    "action": "update"
  }' \
  http://localhost:7890/tasks/batch""",
    ),
    Command(
        "Advanced task filtering",
        r"""curl -H "X-Owner-Password: admin1234" \
  "http://localhost:7890/tasks/filter?status=pending&priority=1&group_id=1" """,
    ),
]


SYNCED = answer(
    """{"action": "force", "job_id": "1f2e", "state": "done", "synced": {}, "pending_changes": false,
        "duration_ms": 12.5}"""
)


def sync(heading: str, action: str) -> Command:
    """A sync as the reference has it."""
    text = rf"""curl -X POST \
  -H "X-Owner-Password: admin1234" \
  "http://localhost:7890/admin/sync?action={action}" """
    return Command(heading, text, shape=SYNCED)


def short_sync(heading: str, action: str) -> Command:
    """The same as the sections on operating have it."""
    text = rf"""curl -X POST -H "X-Owner-Password: admin1234" \
  "http://localhost:7890/admin/sync?action={action}" """
    return Command(heading, text, shape=SYNCED)


STATUS = answer(
    """{"running": true, "interval": "15m0s", "last_sync": "2025-09-29T10:00:00Z",
        "time_since_last_sync": "5m30s", "healthy": true, "dirty_types": ["tasks"],
        "pending_changes": true, "redis_status": "connected", "postgres_status": "connected"}"""
)
STATS = answer(
    """{"postgresql": {"users": 10, "groups": 3, "tasks": 45},
        "redis": {"users": 10, "groups": 3, "tasks": 47},
        "sync": {"running": true, "healthy": true, "pending_changes": true}}"""
)

ADMINISTRATION = [
    sync("Force sync to PostgreSQL", "force"),
    sync("Restore from PostgreSQL", "restore"),
    sync("Emergency backup", "backup"),
    Command(
        "Get system status",
        'curl -H "X-Owner-Password: admin1234" http://localhost:7890/admin/status',
        shape=STATUS,
    ),
    Command(
        "Get system statistics",
        'curl -H "X-Owner-Password: admin1234" http://localhost:7890/admin/stats',
        shape=STATS,
    ),
    Command("Health check", "curl http://localhost:7890/health", shape=HEALTH),
    short_sync("Manual sync: force", "force"),
    short_sync("Manual sync: restore", "restore"),
    short_sync("Manual sync: backup", "backup"),
    Command(
        "Sync status check",
        r"""curl -H "X-Owner-Password: admin1234" \
  "http://localhost:7890/admin/status" """,
        shape=STATUS,
    ),
    Command("Basic health", "curl http://localhost:7890/health", shape=HEALTH),
    Command(
        "Detailed status",
        r"""curl -H "X-Owner-Password: admin1234" \
  "http://localhost:7890/admin/status" """,
        shape=STATUS,
    ),
    Command(
        "System statistics",
        r"""curl -H "X-Owner-Password: admin1234" \
  "http://localhost:7890/admin/stats" """,
        shape=STATS,
    ),
]

TROUBLESHOOTING = [
    Command(
        "Sync service not running: status",
        r"""curl -H "X-Owner-Password: admin1234" \
  http://localhost:7890/admin/status""",
        shape=STATUS,
    ),
    short_sync("Sync service not running: force", "force"),
    Command(
        "Permission denied: user",
        r"""curl -H "X-Owner-Password: admin1234" \
  http://localhost:7890/users/{id}""",
        filled={"{id}": "3"},
    ),
    Command(
        "Permission denied: group membership",
        r"""curl -H "X-Owner-Password: admin1234" \
  http://localhost:7890/groups/{id}/users""",
        filled={"{id}": "1"},
    ),
    Command(
        "Data inconsistency: statistics",
        r"""curl -H "X-Owner-Password: admin1234" \
  http://localhost:7890/admin/stats""",
        shape=STATS,
    ),
    short_sync("Data inconsistency: force", "force"),
    short_sync("Data inconsistency: restore", "restore"),
]

COMMANDS = [*FIRST_STEPS, *USERS, *GROUPS, *TASKS]
OPERATING = [*ADMINISTRATION, *TROUBLESHOOTING]
