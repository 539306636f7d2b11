"""Clients of an API whose users are known by a cookie, and whose tasks are read through a cache."""

from __future__ import annotations

import re

from tests.replay.cases import Call, Case, Limit, System, listed, refused

OPERATIONS = listed(
    """
    POST /register
    POST /login
    POST /logout
    GET /tasks
    POST /tasks
    GET /tasks/:id
    PUT /tasks/:id
    DELETE /tasks/:id
    GET /check_health
    """
)
ALAN = {"username": "alan", "password": "enigma machine"}
MADE = Call(
    "POST /tasks", 201, sent={"title": "Wind the clock"}, kept={"task": "data.id", "tag": "data.version"}
)
COOKIE = r"session=[^;]+; .*HttpOnly.*SameSite=Lax.*"

ACCOUNTS = (
    Case(
        "an account is made, and signed in to with a cookie that scripts cannot read",
        (
            Call("POST /register", 201, sent=ALAN, by="", headed={"Set-Cookie": COOKIE}),
            Call(
                "POST /login",
                200,
                sent=ALAN,
                by="",
                told={
                    "success": True,
                    "csrf_token": str,
                    "data": {"user": {"username": "alan", "role": "user"}},
                },
                headed={"Set-Cookie": COOKIE},
            ),
            Call("GET /tasks", 200, by="", told={"data": {"tasks": [], "count": 0, "total": 0}}),
        ),
    ),
    Case(
        "a form signs in too",
        (Call("POST /register", 201, form=ALAN, by=""), Call("POST /login", 200, form=ALAN)),
    ),
    Case(
        "an account needs a name that is free and a password that is long enough",
        (
            Call("POST /register", 201, sent=ALAN, by=""),
            Call("POST /register", 409, sent=ALAN, by="", told=refused("taken")),
            Call(
                "POST /register",
                400,
                sent={"username": "al", "password": "short"},
                by="",
                told=refused("invalid", username=[str], password=[str]),
            ),
        ),
    ),
    Case(
        "a wrong password is refused like an unknown name",
        (
            Call("POST /register", 201, sent=ALAN, by=""),
            Call(
                "POST /login",
                401,
                sent=ALAN | {"password": "wrong guess"},
                by="",
                told=refused("unauthorized"),
            ),
            Call("POST /login", 401, sent={"username": "nobody", "password": "wrong guess"}, by=""),
        ),
    ),
    Case(
        "signing out ends the session, and the cookie is good for nothing any more",
        (
            Call("GET /tasks", 200),
            Call("POST /logout", 200, headed={"Set-Cookie": r"session=;.*Max-Age=0.*"}),
            Call("GET /tasks", 401, told=refused("unauthorized")),
        ),
    ),
    Case(
        "a session holds in every process, and is over in every one",
        (
            MADE,
            Call("GET /tasks/:id", 200, ("$task",)),
            Call("POST /logout", 200),
            Call("GET /tasks/:id", 401, ("$task",)),
        ),
        served=True,
        logged=({"event": "request", "method": "POST", "path": "/logout", "status": 200, "level": "info"},),
    ),
)

TASKS = (
    Case(
        "a task is made, read, changed and deleted",
        (
            Call(
                "POST /tasks",
                201,
                sent={"title": "Wind the clock", "description": "every Sunday", "completed": False},
                told={
                    "success": True,
                    "data": {"title": "Wind the clock", "status": False, "user_id": "$ada"},
                },
                headed={"Location": r"/tasks/\d+"},
                kept={"task": "data.id"},
            ),
            Call(
                "GET /tasks/:id",
                200,
                ("$task",),
                told={"data": {"id": "$task", "information": "every Sunday"}},
            ),
            Call(
                "PUT /tasks/:id", 200, ("$task",), sent={"completed": True}, told={"data": {"status": True}}
            ),
            Call("GET /tasks", 200, told={"data": {"tasks": [{"id": "$task", "status": True}], "count": 1}}),
            Call("DELETE /tasks/:id", 200, ("$task",), told={"data": {"id": "$task", "deleted": True}}),
            Call("GET /tasks/:id", 404, ("$task",), told=refused("not_found")),
            Call("GET /tasks", 200, told={"data": {"tasks": []}}),
        ),
    ),
    Case(
        "what was read stays good until it is changed, and not a moment longer",
        (
            MADE,
            Call("GET /tasks/:id", 304, ("$task",), headers={"If-None-Match": '"${tag}"'}),
            Call("PUT /tasks/:id", 200, ("$task",), sent={"title": "Stop the clock"}),
            Call(
                "GET /tasks/:id",
                200,
                ("$task",),
                headers={"If-None-Match": '"${tag}"'},
                told={"data": {"title": "Stop the clock"}},
            ),
            Call("DELETE /tasks/:id", 200, ("$task",)),
            Call("GET /tasks/:id", 404, ("$task",), headers={"If-None-Match": '"${tag}"'}),
        ),
    ),
    Case(
        "what is not sent of a task is not touched",
        (
            MADE,
            Call(
                "PUT /tasks/:id",
                200,
                ("$task",),
                sent={"priority": 1},
                told={"data": {"title": "Wind the clock"}},
            ),
        ),
    ),
    Case(
        "a task without a title, or with what no task has, is refused by field",
        (
            Call("POST /tasks", 400, sent={}, told=refused("invalid", title=[str])),
            Call(
                "POST /tasks",
                400,
                sent={"title": "x", "colour": "red"},
                told=refused("invalid", colour=[str]),
            ),
            MADE,
            Call(
                "PUT /tasks/:id",
                400,
                ("$task",),
                sent={"priority": 9},
                told=refused("invalid", priority=[str]),
            ),
        ),
    ),
    Case(
        "nobody gets at the tasks of another",
        (
            MADE,
            Call("GET /tasks/:id", 404, ("$task",), by="bob", told=refused("not_found")),
            Call("PUT /tasks/:id", 404, ("$task",), sent={}, by="bob"),
            Call("DELETE /tasks/:id", 404, ("$task",), by="bob"),
            Call("GET /tasks", 200, by="bob", told={"data": {"tasks": []}}),
            Call("GET /tasks/:id", 200, ("$task",), told={"data": {"title": "Wind the clock"}}),
        ),
    ),
    Case(
        "without a session there is nothing to be had",
        tuple(
            Call(operation, 401, ("1",) if ":id" in operation else (), by="", told=refused("unauthorized"))
            for operation in OPERATIONS
            if "/tasks" in operation
        ),
    ),
)

OPERATING = (
    Case(
        "whether it serves is told to everybody",
        (
            Call(
                "GET /check_health", 200, by="", told={"status": "healthy", "timestamp": re.compile(r"\S+Z")}
            ),
        ),
    ),
    Case(
        "each request is a line of JSON that tells what became of it",
        (
            Call(
                "GET /tasks/:id",
                404,
                ("77",),
                headers={"X-Request-ID": "a-clock"},
                kept={"sent": "request_id"},
            ),
        ),
        served=True,
        logged=(
            {"event": "request", "path": "/tasks/77", "status": 404, "request_id": "a-clock", "user": int},
        ),
    ),
)

LIMITS = (
    Limit(
        "a user has a hundred requests a minute, which come back one by one",
        Call("GET /tasks", 200),
        100,
        {"RATE_LIMIT_DEFAULT": None},
        '"default";q=100;w=60',
        spared=Call("GET /tasks", 200, by="bob"),
        wait=1,
    ),
)

SYSTEM = System(
    "sessions",
    "/register",
    "/login",
    by_cookie=True,
    operations=OPERATIONS,
    statuses=(400, 401, 404, 429),
    cases=(*ACCOUNTS, *TASKS, *OPERATING),
    limits=LIMITS,
)
