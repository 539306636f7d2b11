"""Finding tasks by what they are, counting them, changing several at once, and their tags."""

from __future__ import annotations

from tests.replay.attachments_files import MADE
from tests.replay.cases import Call, Case, refused

_FILLED = (
    Call(
        "POST /tasks",
        201,
        sent={
            "title": "Align camera",
            "priority": "high",
            "due_date": "2020-01-01",
            "tags": ["lab", "x-ray"],
        },
    ),
    Call(
        "POST /tasks",
        201,
        sent={"title": "Buy film", "description": "for the camera", "priority": "low", "tags": ["lab"]},
    ),
    Call(
        "POST /tasks",
        201,
        sent={"title": "Clean up", "priority": "high", "due_date": "2020-01-02", "completed": True},
    ),
)
_FOUND = (
    ("completed=true", ("Clean up",)),
    ("completed=false", ("Align camera", "Buy film")),
    ("priority=high", ("Align camera", "Clean up")),
    ("priority=high,low", ("Align camera", "Buy film", "Clean up")),
    ("tag=lab", ("Align camera", "Buy film")),
    ("tag=lab&tag=x-ray", ("Align camera",)),
    ("overdue=true", ("Align camera",)),
    ("search=camera", ("Align camera", "Buy film")),
    ("search=cam&completed=false&priority=low", ("Buy film",)),
    ("sort=-title", ("Clean up", "Buy film", "Align camera")),
    ("sort=-priority", ("Buy film", "Align camera", "Clean up")),
    ("sort=deadline", ("Align camera", "Clean up", "Buy film")),
    ("sort_by=created_at&order=desc", ("Clean up", "Buy film", "Align camera")),
    ("sort=updated_at", ("Align camera", "Buy film", "Clean up")),
    ("sort=due_date", ("Align camera", "Clean up", "Buy film")),
    ("sort=completed", ("Align camera", "Buy film", "Clean up")),
    ("sort=status", ("Align camera", "Buy film", "Clean up")),
    ("per_page=2", ("Align camera", "Buy film")),
    ("per_page=2&page=2", ("Clean up",)),
    ("per_page=2&page=3", ()),
)

FINDING = (
    *(
        Case(
            f"tasks are found with {query}",
            (
                *_FILLED,
                Call(
                    "GET /tasks",
                    200,
                    query=query,
                    told={"data": {"tasks": [{"title": name} for name in names]}},
                ),
            ),
        )
        for query, names in _FOUND
    ),
    Case(
        "several tasks are changed at once, and each tells what became of it",
        (
            MADE,
            Call(
                "PATCH /tasks/bulk",
                200,
                sent={"task_ids": ["$task", 999], "updates": {"completed": True, "priority": "low"}},
                told={
                    "data": {
                        "updated": 1,
                        "failed": 1,
                        "results": [
                            {"id": "$task", "status": 200, "success": True},
                            {"id": 999, "status": 404, "error": str},
                        ],
                    }
                },
            ),
            Call("GET /tasks/{id}", 200, ("$task",), told={"data": {"status": True, "priority": 3}}),
            Call("PATCH /tasks/bulk", 400, sent={"task_ids": []}, told=refused("invalid")),
        ),
    ),
    Case(
        "statistics tell how much is done, by priority and by tag, and change with the tasks",
        (
            *_FILLED,
            Call(
                "GET /tasks/stats",
                200,
                told={
                    "data": {
                        "total_tasks": 3,
                        "completed_tasks": 1,
                        "pending_tasks": 2,
                        "completion_rate": 33.33,
                        "overdue_tasks": 1,
                        "priority_counts": {"1": 2, "2": 0, "3": 1},
                        "tag_counts": {"lab": 2, "x-ray": 1},
                    }
                },
            ),
            Call(
                "POST /tasks",
                201,
                sent={"title": "x", "completed": True, "tags": ["lab"]},
                kept={"task": "data.id"},
            ),
            Call("GET /tasks/stats", 200, told={"data": {"completion_rate": 50.0, "tag_counts": {"lab": 3}}}),
            Call("DELETE /tasks/{id}", 200, ("$task",)),
            Call("GET /tasks/stats", 200, told={"data": {"total_tasks": 3, "tag_counts": {"lab": 2}}}),
        ),
    ),
)

TAGS = (
    Case(
        "tags are put on a task and taken off, and it is found by them",
        (
            MADE,
            Call(
                "POST /tasks/{id}/tags",
                200,
                ("$task",),
                sent={"tags": ["lab", "x-ray"]},
                told={"data": {"tags": ["lab", "x-ray"]}},
            ),
            Call(
                "POST /tasks/{id}/tags",
                200,
                ("$task",),
                sent={"tags": ["lab"]},
                told={"data": {"tags": ["lab", "x-ray"]}},
            ),
            Call("GET /tasks", 200, query="tag=x-ray", told={"data": {"total": 1}}),
            Call("DELETE /tasks/{id}/tags/{tag}", 200, ("$task", "x-ray"), told={"data": {"tags": ["lab"]}}),
            Call("DELETE /tasks/{id}/tags/{tag}", 404, ("$task", "x-ray"), told=refused("not_found")),
            Call("GET /tasks", 200, query="tag=x-ray", told={"data": {"total": 0}}),
            Call(
                "POST /tasks/{id}/tags",
                400,
                ("$task",),
                sent={"tags": [""]},
                told=refused("invalid", tags=[str]),
            ),
            Call("POST /tasks/{id}/tags", 404, ("999",), sent={"tags": ["lab"]}, told=refused("not_found")),
        ),
    ),
)
