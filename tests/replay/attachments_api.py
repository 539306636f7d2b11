"""Clients of an API whose tasks have tags and files, and can be filtered, searched, sorted and counted."""

from __future__ import annotations

from tests.replay.attachments_files import ATTACHED, FILES, MADE, UPLOAD, UPLOADED
from tests.replay.attachments_finding import FINDING, TAGS
from tests.replay.cases import Call, Case, Limit, System, listed, refused

OPERATIONS = listed(
    """
    POST /auth/register
    POST /auth/login
    GET /tasks
    POST /tasks
    GET /tasks/stats
    PATCH /tasks/bulk
    GET /tasks/{id}
    PATCH /tasks/{id}
    DELETE /tasks/{id}
    POST /tasks/{id}/tags
    DELETE /tasks/{id}/tags/{tag}
    POST /tasks/{id}/files
    GET /tasks/{id}/files
    GET /files/{id}
    DELETE /files/{id}
    GET /docs
    """
)
ROSA = {"username": "rosa", "password": "double helix"}


ACCOUNTS = (
    Case(
        "registering makes an account: 201, and signing in to it gives a token for an hour",
        (
            Call("POST /auth/register", 201, sent=ROSA, by="", headed={"Location": r"/users/\d+"}),
            Call(
                "POST /auth/login",
                200,
                sent=ROSA,
                by="",
                told={"access_token": str, "token_type": "bearer", "expires_in": 3600},
                kept={"token": "access_token"},
            ),
            Call("GET /tasks", 200, by="", headers={"Authorization": "Bearer ${token}"}),
            Call("POST /auth/register", 409, sent=ROSA, by="", told=refused("taken")),
            Call("POST /auth/login", 401, sent=ROSA | {"password": "single helix"}, by=""),
        ),
    ),
    Case(
        "registering with an e-mail address is enough, and so is signing in with it",
        (
            Call(
                "POST /auth/register",
                201,
                sent={"email": "rosa@example.org", "password": "double helix"},
                by="",
            ),
            Call(
                "POST /auth/login",
                200,
                form={"username": "rosa@example.org", "password": "double helix"},
                by="",
            ),
        ),
    ),
    Case(
        "everything but registering and signing in asks who calls",
        tuple(
            Call(operation, 401, ("1", "x")[: operation.count("{")], by="", told=refused("unauthorized"))
            for operation in OPERATIONS
            if "/auth/" not in operation and "/docs" not in operation
        ),
    ),
    Case(
        "who is not known is told 401, and who may not 403",
        (
            Call("GET /users/{id}/tasks", 401, ("1",), by="", told=refused("unauthorized")),
            Call("GET /users/{id}/tasks", 403, ("1",), told=refused("forbidden")),
            Call("GET /admin/status", 403, told=refused("forbidden")),
        ),
    ),
    Case(
        "the API shows itself to people",
        (Call("GET /docs", 200, by="", headed={"Content-Type": "text/html.*"}),),
    ),
)

TASKS = (
    Case(
        "a task is made, read, changed in part and deleted",
        (
            Call(
                "POST /tasks",
                201,
                sent={
                    "title": "Develop photo 51",
                    "description": "fibre B",
                    "priority": "high",
                    "tags": ["x-ray"],
                },
                told={"data": {"status": False, "priority": 1, "information": "fibre B", "tags": ["x-ray"]}},
                kept={"task": "data.id"},
            ),
            Call("GET /tasks/{id}", 200, ("$task",), told={"data": {"title": "Develop photo 51"}}),
            Call(
                "PATCH /tasks/{id}",
                200,
                ("$task",),
                sent={"title": "Measure it"},
                told={"data": {"priority": 1, "tags": ["x-ray"]}},
            ),
            Call("DELETE /tasks/{id}", 200, ("$task",), told={"data": {"deleted": True}}),
            Call("GET /tasks/{id}", 404, ("$task",), told=refused("not_found")),
            Call("PATCH /tasks/{id}", 404, ("$task",), sent={"title": "x"}, told=refused("not_found")),
            Call("DELETE /tasks/{id}", 404, ("$task",), told=refused("not_found")),
        ),
    ),
    Case(
        "what is sent as completed is completed from the beginning",
        (
            Call(
                "POST /tasks",
                201,
                sent={"title": "x", "completed": True},
                told={"data": {"status": True, "completed_at": str}},
            ),
            Call(
                "POST /tasks",
                201,
                sent={"title": "y", "completed": False},
                told={"data": {"status": False, "completed_at": None}},
            ),
        ),
    ),
    Case(
        "input is checked by field",
        (
            Call("POST /tasks", 400, sent={"title": ""}, told=refused("invalid", title=[str])),
            Call("POST /tasks", 400, sent={"title": "x" * 201}, told=refused("invalid", title=[str])),
            Call(
                "POST /tasks",
                400,
                sent={"title": "x", "priority": "huge"},
                told=refused("invalid", priority=[str]),
            ),
            Call("GET /tasks", 400, query="priority=huge", told=refused("invalid", priority=[str])),
            Call("GET /tasks", 400, query="colour=red", told=refused("invalid", colour=[str])),
        ),
    ),
    Case(
        "nobody sees or changes what is another's, by whatever path",
        (
            MADE,
            UPLOADED,
            *(
                Call(operation, 404, at, sent=sent, by="bob", told=refused("not_found"))
                for operation, at, sent in (
                    ("GET /tasks/{id}", ("$task",), None),
                    ("PATCH /tasks/{id}", ("$task",), {"title": "x"}),
                    ("DELETE /tasks/{id}", ("$task",), None),
                    ("POST /tasks/{id}/tags", ("$task",), {"tags": ["x"]}),
                    ("DELETE /tasks/{id}/tags/{tag}", ("$task", "x"), None),
                    ("GET /tasks/{id}/files", ("$task",), None),
                    ("GET /files/{id}", ("$file",), None),
                    ("DELETE /files/{id}", ("$file",), None),
                )
            ),
            Call(UPLOAD, 404, ("$task",), file=FILES[2], by="bob"),
            Call("GET /tasks", 200, by="bob", told={"data": {"tasks": [], "total": 0}}),
            Call("GET /tasks/stats", 200, by="bob", told={"data": {"total_tasks": 0, "tag_counts": {}}}),
            Call(
                "PATCH /tasks/bulk",
                200,
                sent={"task_ids": ["$task"], "updates": {"completed": True}},
                by="bob",
                told={"data": {"updated": 0, "failed": 1, "results": [{"status": 404, "success": False}]}},
            ),
            Call(
                "GET /tasks/{id}",
                200,
                ("$task",),
                told={"data": {"title": "Develop photo 51", "status": False}},
            ),
        ),
    ),
)

LIMITS = (
    Limit(
        "passwords can be guessed five times a minute",
        Call("POST /auth/login", 401, sent=ROSA, by=""),
        5,
        {"RATE_LIMIT_AUTH": None},
        '"login";q=5;w=60',
    ),
    Limit(
        "accounts can be made five times a minute",
        Call("POST /auth/register", 400, sent={"username": "rosa"}, by=""),
        5,
        {"RATE_LIMIT_AUTH": None},
        '"register";q=5;w=60',
    ),
    Limit(
        "a user can make a hundred tasks a minute",
        Call("POST /tasks", 201, sent={"title": "x"}),
        100,
        {"RATE_LIMIT_DEFAULT": None},
        '"default";q=100;w=60',
        spared=Call("GET /tasks", 200, by="bob"),
    ),
)

SYSTEM = System(
    "attachments",
    "/auth/register",
    "/auth/login",
    by_cookie=False,
    operations=OPERATIONS,
    statuses=(400, 401, 403, 404, 409, 413, 415, 429),
    cases=(*ACCOUNTS, *TASKS, *FINDING, *TAGS, *ATTACHED),
    limits=LIMITS,
)
