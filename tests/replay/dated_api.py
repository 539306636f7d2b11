"""Clients of an API whose task paths end in what is done, and which tells the tasks of a day."""

from __future__ import annotations

from tests.replay.cases import Call, Case, Limit, System, listed, refused

OPERATIONS = listed(
    """
    POST /users/register
    POST /users/login
    GET /tasks/task/<string:date>
    POST /tasks/create-task
    PUT /tasks/update-task/<int:task_id>
    DELETE /tasks/delete/<int:task_id>
    GET /api/health/db
    GET /api/check-limiter
    """
)
ADMIN = {"username": "admin", "password": "admin123", "role": "admin"}
SIGN_IN = {"username": "admin", "password": "admin123"}
UPDATE, DELETE = "PUT /tasks/update-task/<int:task_id>", "DELETE /tasks/delete/<int:task_id>"
OF_THE_DAY = "GET /tasks/task/<string:date>"
MADE = Call("POST /tasks/create-task", 201, sent={"title": "Water the ferns"}, kept={"task": "data.id"})

ACCOUNTS = (
    Case(
        "whoever registers as admin is a user who asks to be one, and signs in for a token",
        (
            Call(
                "POST /users/register",
                201,
                sent=ADMIN,
                by="",
                told={"success": True, "data": {"user": {"role": "user", "requested_role": "group_admin"}}},
            ),
            Call(
                "POST /users/login",
                200,
                sent=SIGN_IN,
                by="",
                told={"access_token": str, "token_type": "bearer"},
                kept={"token": "access_token"},
            ),
            Call(
                OF_THE_DAY,
                404,
                ("2025-04-06",),
                by="",
                headers={"Authorization": "Bearer ${token}"},
                told=refused("not_found"),
            ),
        ),
    ),
    Case(
        "the owner grants the role that was asked for, and it opens what it opens",
        (
            Call("POST /users/register", 201, sent=ADMIN, by="", kept={"admin": "data.user.id"}),
            Call("GET /users", 403, by="ada"),
            Call(
                "PUT /users/{id}",
                200,
                ("$admin",),
                sent={"role": "admin"},
                by="owner",
                told={"data": {"role": "group_admin"}},
            ),
            Call("POST /users/login", 200, sent=SIGN_IN, by="", kept={"token": "access_token"}),
            Call("GET /users", 200, by="", headers={"Authorization": "Bearer ${token}"}),
        ),
    ),
    Case(
        "a name is taken once, and a wrong password opens nothing",
        (
            Call("POST /users/register", 201, sent=ADMIN, by=""),
            Call("POST /users/register", 409, sent=ADMIN, by="", told=refused("taken")),
            Call("POST /users/login", 401, sent=SIGN_IN | {"password": "admin124"}, by=""),
            Call("POST /users/register", 400, sent={"username": "admin"}, by="", told=refused("invalid")),
        ),
    ),
    Case(
        "without a token, or with one that is none, there is no task",
        tuple(
            Call(operation, 401, at, by="", headers=headers, told=refused("unauthorized"))
            for operation, at in (
                (OF_THE_DAY, ("2025-04-06",)),
                ("POST /tasks/create-task", ()),
                (UPDATE, ("1",)),
                (DELETE, ("1",)),
            )
            for headers in ({}, {"Authorization": "Bearer <your-jwt-token>"})
        ),
    ),
)

TASKS = (
    Case(
        "a task is made, changed and deleted by paths that say so",
        (
            Call(
                "POST /tasks/create-task",
                201,
                sent={
                    "title": "Water the ferns",
                    "description": "both",
                    "priority": "high",
                    "due_date": "2030-04-06",
                },
                told={
                    "data": {
                        "priority": 1,
                        "deadline": "2030-04-06",
                        "information": "both",
                        "user_id": "$ada",
                    }
                },
                headed={"Location": r"/tasks/\d+"},
                kept={"task": "data.id"},
            ),
            Call(
                UPDATE,
                200,
                ("$task",),
                sent={"completed": True, "priority": "low"},
                told={"data": {"status": True, "priority": 3, "title": "Water the ferns"}},
            ),
            Call(DELETE, 200, ("$task",), told={"data": {"id": "$task", "deleted": True}}),
            Call(UPDATE, 404, ("$task",), sent={"title": "x"}, told=refused("not_found")),
            Call(DELETE, 404, ("$task",), told=refused("not_found")),
        ),
    ),
    Case(
        "what is deleted lies in the trash, and can be taken back",
        (
            MADE,
            Call(DELETE, 200, ("$task",)),
            Call("GET /tasks/trash", 200, told={"data": {"tasks": [{"id": "$task", "deleted_at": str}]}}),
            Call("POST /tasks/{id}/restore", 200, ("$task",), told={"data": {"title": "Water the ferns"}}),
            Call("GET /tasks", 200, told={"data": {"total": 1}}),
        ),
    ),
    Case(
        "a task is refused by field, and another's is not there",
        (
            Call("POST /tasks/create-task", 400, sent={}, told=refused("invalid", title=[str])),
            Call(
                "POST /tasks/create-task",
                400,
                sent={"title": "x", "due_date": "06.04.2025"},
                told=refused("invalid", due_date=[str]),
            ),
            MADE,
            Call(
                UPDATE, 400, ("$task",), sent={"priority": "urgent"}, told=refused("invalid", priority=[str])
            ),
            Call(UPDATE, 404, ("$task",), sent={"title": "x"}, by="bob"),
            Call(DELETE, 404, ("$task",), by="bob"),
        ),
    ),
)

DAYS = (
    Case(
        "the tasks of a day are those that were made, due or done on it",
        (
            MADE,
            Call("POST /tasks/create-task", 201, sent={"title": "Repot", "due_date": "2025-04-06"}),
            Call(
                OF_THE_DAY, 200, ("2025-04-06",), told={"data": {"tasks": [{"title": "Repot"}], "count": 1}}
            ),
            Call(OF_THE_DAY, 200, ("$today",), told={"data": {"count": 2}}),
            Call("GET /tasks/by-date/{date}", 200, ("2025-04-06",), told={"data": {"count": 1}}),
            Call(OF_THE_DAY, 404, ("2025-04-06",), by="bob", told=refused("not_found")),
        ),
        cached=("task:2025-04-06:*", 3600),
    ),
    Case(
        "what was remembered of a day does not hide what has changed since",
        (
            MADE,
            Call(OF_THE_DAY, 200, ("$today",), told={"data": {"tasks": [{"title": "Water the ferns"}]}}),
            Call(UPDATE, 200, ("$task",), sent={"title": "Mist the ferns"}),
            Call(OF_THE_DAY, 200, ("$today",), told={"data": {"tasks": [{"title": "Mist the ferns"}]}}),
            Call(DELETE, 200, ("$task",)),
            Call(OF_THE_DAY, 404, ("$today",)),
        ),
    ),
    Case(
        "a date is a year, a month and a day",
        tuple(
            Call(OF_THE_DAY, 400, (text,), told=refused("invalid"))
            for text in ("06-04-2025", "2025-4-6", "2025-02-30", "today", "20250406")
        ),
    ),
)

OPERATING = (
    Case(
        "whether PostgreSQL answers is told",
        (Call("GET /api/health/db", 200, by="", told={"status": "healthy"}),),
    ),
    Case(
        "a path is there for trying the limit",
        (Call("GET /api/check-limiter", 200, by="", told={"data": {"status": "ok"}}),),
    ),
)

LIMITS = (
    Limit(
        "the tasks of a day may be asked for five times a minute",
        Call(OF_THE_DAY, 404, ("2025-04-06",)),
        5,
        {"RATE_LIMIT_BY_DATE": None},
        '"by_date";q=5;w=60',
        spared=Call(OF_THE_DAY, 404, ("2025-04-06",), by="bob"),
    ),
    Limit(
        "the limit can be tried five times a minute",
        Call("GET /api/check-limiter", 200, by=""),
        5,
        {"RATE_LIMIT_CHECK": None},
        '"check";q=5;w=60',
        spared=Call("GET /tasks", 200),
    ),
    Limit(
        "a caller has a hundred requests a minute in all",
        Call("POST /tasks/create-task", 400, sent={}),
        100,
        {"RATE_LIMIT_DEFAULT": None},
        '"default";q=100;w=60',
        spared=Call("GET /tasks", 200, by="bob"),
    ),
)

SYSTEM = System(
    "dated",
    "/users/register",
    "/users/login",
    by_cookie=False,
    operations=OPERATIONS,
    statuses=(400, 401, 404, 429),
    cases=(*ACCOUNTS, *TASKS, *DAYS, *OPERATING),
    limits=LIMITS,
)
