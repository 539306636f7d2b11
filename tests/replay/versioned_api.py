"""Clients of an API that has its version in its paths, tokens, probes, and a call to a server elsewhere."""

from __future__ import annotations

from tests.replay.cases import Call, Case, Limit, System, listed, refused
from tests.replay.versioned_operating import ELSEWHERE, OPERATING

OPERATIONS = listed(
    """
    POST /v1/auth/register
    POST /v1/auth/login
    POST /v1/tasks/
    GET /v1/tasks/
    GET /v1/tasks/{task_id}
    PUT /v1/tasks/{task_id}
    DELETE /v1/tasks/{task_id}
    GET /v1/tasks/external-joke
    GET /health
    GET /health/detailed
    GET /docs
    GET /redoc
    """
)
GRACE = {"username": "grace", "password": "nanosecond wire"}
MADE = Call("POST /v1/tasks/", 201, sent={"title": "Log the moth"}, kept={"task": "data.id"})
TOKENS = {"access_token": str, "refresh_token": str, "token_type": "bearer", "expires_in": 3600}

ACCOUNTS = (
    Case(
        "an account is made, and signing in to it gives a token",
        (
            Call("POST /v1/auth/register", 201, sent=GRACE, by="", headed={"Location": r"/v1/users/\d+"}),
            Call(
                "POST /v1/auth/login",
                200,
                sent=GRACE,
                by="",
                told={"success": True, **TOKENS, "data": {"user": {"username": "grace"}}},
                kept={"token": "access_token"},
            ),
            Call("GET /v1/tasks/", 200, by="", headers={"Authorization": "Bearer ${token}"}),
        ),
    ),
    Case(
        "the form of OAuth 2's password grant signs in",
        (
            Call("POST /v1/auth/register", 201, sent=GRACE, by=""),
            Call("POST /v1/auth/login", 200, form={"grant_type": "password", **GRACE}, by="", told=TOKENS),
        ),
    ),
    Case(
        "nobody is told passwords, nor which of name and password was wrong",
        (
            Call("POST /v1/auth/register", 201, sent=GRACE, by=""),
            Call("POST /v1/auth/register", 409, sent=GRACE, by="", told=refused("taken")),
            Call("POST /v1/auth/register", 400, sent={"username": "grace"}, by="", told=refused("invalid")),
            Call("POST /v1/auth/login", 401, sent=GRACE | {"password": "wrong wire"}, by=""),
            Call("POST /v1/auth/login", 400, sent={"username": "grace"}, by="", told=refused("invalid")),
        ),
    ),
    Case(
        "a missing token and a forged one are refused",
        tuple(
            Call(
                operation,
                401,
                ("1",) if "{" in operation else (),
                by="",
                headers=headers,
                told=refused("unauthorized"),
                headed={"WWW-Authenticate": "Bearer.*"},
            )
            for operation in OPERATIONS
            if "/v1/tasks/" in operation and "joke" not in operation
            for headers in ({}, {"Authorization": "Bearer a.b.c"})
        ),
    ),
    Case(
        "what one may do follows from one's role",
        (
            Call("GET /v1/users", 403, told=refused("forbidden")),
            Call("GET /v1/admin/status", 403, told=refused("forbidden")),
            Call("GET /v1/users", 200, by="owner", told={"data": {"total": 2}}),
            Call("PUT /v1/users/{id}", 200, ("$ada",), sent={"role": "admin"}, by="owner"),
            Call("GET /v1/users", 401, told=refused("unauthorized")),
        ),
    ),
)

TASKS = (
    Case(
        "a task is made, read, changed and deleted, whether or not the path ends in a slash",
        (
            Call(
                "POST /v1/tasks/",
                201,
                sent={"title": "Log the moth", "description": "Relay 70", "completed": True},
                told={"data": {"title": "Log the moth", "status": True, "information": "Relay 70"}},
                headed={"Location": r"/v1/tasks/\d+"},
                kept={"task": "data.id"},
            ),
            Call(
                "GET /v1/tasks/{task_id}", 200, ("$task",), told={"data": {"id": "$task", "user_id": "$ada"}}
            ),
            Call("GET /v1/tasks/{task_id}/", 200, ("$task",)),
            Call(
                "PUT /v1/tasks/{task_id}",
                200,
                ("$task",),
                sent={"title": "Tape it in"},
                told={"data": {"status": True}},
            ),
            Call(
                "GET /v1/tasks/",
                200,
                told={"data": {"tasks": [{"title": "Tape it in"}], "count": 1, "total": 1}},
            ),
            Call("DELETE /v1/tasks/{task_id}", 200, ("$task",), told={"data": {"deleted": True}}),
            Call("GET /v1/tasks/{task_id}", 404, ("$task",), told=refused("not_found")),
        ),
    ),
    Case(
        "a list comes in pages, by number or from where the last one ended",
        (
            *(Call("POST /v1/tasks/", 201, sent={"title": f"Moth {number}"}) for number in range(3)),
            Call(
                "GET /v1/tasks/",
                200,
                query="per_page=2",
                told={"data": {"tasks": [{"title": "Moth 0"}, {"title": "Moth 1"}], "count": 2, "total": 3}},
                headed={"Link": r'.*rel="next".*'},
                kept={"cursor": "data.next_cursor"},
            ),
            Call(
                "GET /v1/tasks/",
                200,
                query="per_page=2&cursor=${cursor}",
                told={"data": {"tasks": [{"title": "Moth 2"}], "next_cursor": None}},
            ),
            Call(
                "GET /v1/tasks/",
                200,
                query="per_page=2&page=2",
                told={"data": {"tasks": [{"title": "Moth 2"}]}},
            ),
            Call("GET /v1/tasks/", 400, query="per_page=0", told=refused("invalid", per_page=[str])),
        ),
    ),
    Case(
        "what is done can be listed in the order in which it was made",
        (
            Call("POST /v1/tasks/", 201, sent={"title": "First", "completed": True}),
            Call("POST /v1/tasks/", 201, sent={"title": "Open"}),
            Call("POST /v1/tasks/", 201, sent={"title": "Second", "completed": True}),
            Call(
                "GET /tasks",
                200,
                query="completed=true&sort=created_at",
                told={"data": {"tasks": [{"title": "First"}, {"title": "Second"}]}},
            ),
        ),
    ),
    Case(
        "many tasks are changed in one call",
        (
            MADE,
            Call(
                "POST /v1/tasks/batch",
                200,
                sent={"task_ids": ["$task"], "action": "mark_done"},
                told={"data": {"updated": 1, "failed": 0, "results": [{"id": "$task", "success": True}]}},
            ),
        ),
    ),
    Case(
        "another's task does not exist",
        (
            MADE,
            *(
                Call(f"{method} /v1/tasks/{{task_id}}", 404, ("$task",), by="bob", sent=sent)
                for method, sent in (("GET", None), ("PUT", {"title": "x"}), ("DELETE", None))
            ),
        ),
    ),
    Case(
        "the next version of the API will not be in the way of this one",
        (
            Call("POST /tasks", 201, sent={"title": "Log the moth"}, kept={"task": "data.id"}),
            Call("GET /v1/tasks/{task_id}", 200, ("$task",), told={"data": {"title": "Log the moth"}}),
            Call("GET /v2/tasks", 404, told=refused("not_found")),
        ),
    ),
)

SPARED = Call("GET /health", 200, by="")
LIMITS = (
    Limit(
        "an address has five sign-ins a minute",
        Call("POST /v1/auth/login", 401, sent=GRACE, by=""),
        5,
        {"RATE_LIMIT_AUTH": None},
        '"login";q=5;w=60',
        SPARED,
    ),
    Limit(
        "as many as RATE_LIMIT says, in RATE_PERIOD seconds",
        Call("POST /v1/auth/register", 400, sent={"username": "grace"}, by=""),
        3,
        {"RATE_LIMIT_AUTH": None, "RATE_LIMIT": "3", "RATE_PERIOD": "30"},
        '"register";q=3;w=30',
        SPARED,
        wait=31,
    ),
    Limit(
        "a caller has a hundred requests a minute",
        Call("GET /v1/tasks/", 200),
        100,
        {"RATE_LIMIT_DEFAULT": None},
        '"default";q=100;w=60',
        SPARED,
    ),
)

SYSTEM = System(
    "versioned",
    "/v1/auth/register",
    "/v1/auth/login",
    by_cookie=False,
    operations=OPERATIONS,
    statuses=(400, 401, 403, 404, 429, 502),
    cases=(*ACCOUNTS, *TASKS, *ELSEWHERE, *OPERATING),
    limits=LIMITS,
)
