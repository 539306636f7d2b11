"""Who may do what: one row per endpoint, one status per caller and state of what is called for.

`rows.py` says in which order the statuses stand, and names the lines of them that come again and again.
"""

from tests.api.rows import (
    EVERYBODY,
    FLAT,
    FLAT_ALONE,
    LEADERS,
    NONE,
    OWNER,
    OWNER_NONE,
    PASSWORD,
    SIGNED_IN,
    Row,
    anybody,
    group,
    task,
    task_of_user,
    user,
)

PUBLIC = [
    anybody("GET /", "302 302 302 302 302 302 302"),
    *(anybody(f"GET {path}", EVERYBODY) for path in ("/docs", "/redoc", "/docs/errors", "/openapi.json")),
    *(anybody(f"GET {path}", EVERYBODY) for path in ("/docs/ui/docs.js", "/health")),
    *(anybody(f"GET {path}", EVERYBODY) for path in ("/check_health", "/health/live", "/health/ready")),
    *(anybody(f"GET {path}", EVERYBODY) for path in ("/health/detailed", "/api/health/db")),
    *(
        anybody(f"POST {path}", "201 201 201 201 201 201 201", {"username": "{new}", "password": PASSWORD})
        for path in ("/auth/register", "/register", "/users/register")
    ),
    *(
        anybody(f"POST {path}", EVERYBODY, {"username": "self", "password": PASSWORD})
        for path in ("/auth/login", "/login", "/users/login")
    ),
    anybody("GET /api/check-limiter", EVERYBODY),
    anybody("GET /tasks/external-joke", "502 502 502 502 502 502 502"),
    anybody("POST /auth/refresh", EVERYBODY, {"refresh_token": "{refresh}"}),
]

ACCOUNT = [
    *(anybody(f"GET {path}", SIGNED_IN) for path in ("/auth/me", "/auth/sessions")),
    *(anybody(f"POST {path}", SIGNED_IN) for path in ("/auth/logout", "/logout")),
    anybody("DELETE /auth/sessions", SIGNED_IN),
    anybody("DELETE /auth/sessions/nonsense", NONE),
]

READ_USER = ("401 200 403 403 200 403 200", "401 401 403 403 403 403 404")
NEW_USER = {"full_name": "New", "password": PASSWORD}

USERS = [
    *(anybody(f"GET {path}", LEADERS) for path in ("/users", "/users/search?q=se")),
    group(
        "POST /users",
        "401 403 403 403 201 403 201",
        "401 403 403 403 403 403 400",
        body={**NEW_USER, "group_ids": ["{group}"]},
    ),
    anybody("POST /users", "401 403 403 403 403 403 201", {**NEW_USER, "role": "group_admin"}),
    user("GET /users/{user}", *READ_USER),
    Row("GET /users/{user}", {"fellow admin": "401 200 403 403 200 403 200"}),
    Row("GET /users/{user}", {"system owner": "401 200 403 403 403 403 200"}),
    user("PUT /users/{user}", *READ_USER, body={"full_name": "Another"}),
    user("PATCH /users/{user}", *READ_USER, body={"number": "1"}),
    user(
        "PUT /users/{user}",
        "401 403 403 403 403 403 200",
        "401 401 403 403 403 403 404",
        body={"role": "user"},
    ),
    Row("PUT /users/{user}", {"fellow admin": "401 200 403 403 403 403 200"}, {"full_name": "Another"}),
    user("DELETE /users/{user}", OWNER, "401 401 403 403 403 403 404", undo="POST /users/{user}/restore"),
    Row("DELETE /users/{user}", {"system owner": "401 403 403 403 403 403 403"}),
    user(
        "POST /users/{user}/restore",
        OWNER_NONE,
        "401 401 403 403 403 403 404",
        "401 401 403 403 403 403 200",
        undo="DELETE /users/{user}",
    ),
    user("GET /users/{user}/worktimes", *READ_USER),
    user("PUT /users/{user}/worktimes", *READ_USER, body={"work_times": {"Monday": 8}}),
    Row("PUT /users/{user}/worktimes", {"fellow admin": "401 200 403 403 403 403 200"}, {"Monday": 8}),
    user("GET /users/{user}/tasks", *READ_USER),
    user(
        "POST /users/{user}/tasks",
        "401 201 403 403 201 403 201",
        "401 401 403 403 403 403 404",
        body={"title": "t"},
    ),
]

GROUPS = [
    anybody("GET /groups", SIGNED_IN),
    anybody("POST /groups", "401 403 403 403 403 403 201", {"name": "{new}"}),
    group("GET /groups/{group}", "401 200 200 403 200 403 200", OWNER_NONE),
    group("PUT /groups/{group}", OWNER, OWNER_NONE, body={"name": "{new}"}),
    group("PATCH /groups/{group}", OWNER, OWNER_NONE, body={"name": "{new}"}),
    group("DELETE /groups/{group}", OWNER, OWNER_NONE, undo="POST /groups/{group}/restore"),
    group("POST /groups/{group}/restore", OWNER_NONE, OWNER_NONE, OWNER, undo="DELETE /groups/{group}"),
    group("GET /groups/{group}/users", "401 200 200 403 200 403 200", OWNER_NONE),
    group("GET /groups/{group}/tasks", "401 200 200 403 200 403 200", OWNER_NONE),
    group("GET /groups/{group}/stats", "401 200 200 403 200 403 200", OWNER_NONE),
    group(
        "POST /groups/{group}/users",
        "401 403 403 403 201 403 201",
        OWNER_NONE,
        body={"user_id": "{newcomer}"},
        undo="DELETE /groups/{group}/users/{newcomer}",
    ),
    user(
        "POST /groups/{group}/users",
        "401 403 403 403 200 403 200",
        "401 401 403 403 400 403 400",
        body={"user_id": "{user}"},
    ),
    Row(
        "POST /groups/{group}/users",
        {"lonely admin": "401 403 403 403 403 403 201"},
        {"user_id": "{user}"},
        undo="DELETE /groups/{group}/users/{user}",
    ),
    user(
        "DELETE /groups/{group}/users/{user}",
        "401 403 403 403 200 403 200",
        "401 401 403 403 404 403 404",
        undo="POST /groups/{group}/users",
        undo_body={"user_id": "{user}"},
    ),
    group("DELETE /groups/{group}/users/{newcomer}", "401 403 403 403 404 403 404", OWNER_NONE),
    Row(
        "DELETE /groups/{group}/users/{user}",
        {"fellow admin": "401 403 403 403 403 403 200"},
        undo="POST /groups/{group}/users",
        undo_body={"user_id": "{user}"},
    ),
]

TASKS = [
    anybody("GET /tasks", SIGNED_IN),
    user("GET /tasks?user_id={user}", "401 200 403 403 200 403 200", "401 401 403 403 403 403 200"),
    group("GET /tasks?group_id={group}", "401 200 200 403 200 403 200", "401 403 403 403 403 403 200"),
    *(anybody(f"GET {path}", SIGNED_IN) for path in ("/tasks/filter", "/tasks/trash", "/tasks/stats")),
    anybody("GET /tasks/search?q=t", LEADERS),
    *(anybody(f"GET /tasks/{path}/2001-01-01", NONE) for path in ("by-date", "task")),
    user(
        "POST /tasks",
        "401 201 403 403 201 403 201",
        "401 401 403 403 403 403 400",
        body={"title": "t", "user_id": "{user}"},
    ),
    task("GET /tasks/{task}", FLAT, NONE, FLAT_ALONE),
    task("PUT /tasks/{task}", FLAT, NONE, FLAT_ALONE, {"title": "another"}),
    task("PATCH /tasks/{task}", FLAT, NONE, FLAT_ALONE, {"title": "another"}),
    task("PUT /tasks/{task}/done", FLAT, NONE, FLAT_ALONE),
    task("POST /tasks/{task}/tags", FLAT, NONE, FLAT_ALONE, {"tags": ["red"]}),
    task("DELETE /tasks/{task}/tags/first", FLAT, NONE, FLAT_ALONE),
    task("DELETE /tasks/{task}", FLAT, NONE, FLAT_ALONE),
    user(
        "POST /tasks/create-task",
        "401 201 403 403 201 403 201",
        "401 401 403 403 403 403 400",
        body={"title": "t", "user_id": "{user}"},
    ),
    task("PUT /tasks/update-task/{task}", FLAT, NONE, FLAT_ALONE, {"title": "another"}),
    task("DELETE /tasks/delete/{task}", FLAT, NONE, FLAT_ALONE),
    task("DELETE /tasks/delete/{task}?permanent=true", FLAT, FLAT, FLAT_ALONE),
    task("DELETE /tasks/{task}?permanent=true", FLAT, FLAT, FLAT_ALONE),
    task("POST /tasks/{task}/restore", NONE, FLAT, NONE),
    *(
        task(call, FLAT, NONE, FLAT_ALONE, {"task_ids": ["{task}"], **what}, per_item=True)
        for call in ("POST /tasks/batch", "PATCH /tasks/bulk")
        for what in ({"updates": {"priority": 3}}, {"action": "mark_done"}, {"action": "delete"})
    ),
    task(
        "POST /tasks/{task}/files", *(each.replace("200", "201") for each in (FLAT, NONE, FLAT_ALONE)), b"x"
    ),
    task("GET /tasks/{task}/files", FLAT, NONE, FLAT_ALONE),
    task("GET /files/{file}", FLAT, NONE, FLAT_ALONE),
    task("DELETE /files/{file}", FLAT, NONE, FLAT_ALONE),
    task_of_user("GET /users/{user}/tasks/{task}"),
    task_of_user("PUT /users/{user}/tasks/{task}", {"title": "another"}),
    task_of_user("PATCH /users/{user}/tasks/{task}", {"title": "another"}),
    task_of_user("PUT /users/{user}/tasks/{task}/done"),
    task_of_user("DELETE /users/{user}/tasks/{task}"),
]

OWNER_LATER = "401 403 403 403 403 403 202"
ADMINISTRATION = [
    *(anybody(f"GET {path}", OWNER) for path in ("/admin/status", "/admin/stats", "/admin/jobs")),
    anybody("GET /admin/jobs/nonsense", OWNER_NONE),
    anybody("GET /admin/quarantine", OWNER),
    *(
        anybody(f"POST /admin/quarantine/{name}/{what}", OWNER_NONE)
        for name in ("user/1", "nonsense/1")
        for what in ("retry", "discard")
    ),
    *(
        anybody(f"POST /admin/sync?action={action}&wait=0", OWNER_LATER)
        for action in ("force", "restore", "backup")
    ),
    anybody("POST /admin/restore/undo?wait=0", OWNER_LATER),
    anybody("GET /admin/backups", OWNER),
    anybody("GET /admin/backups/nonsense", OWNER_NONE),
    *(anybody(f"POST /admin/backups/nonsense/{verb}?wait=0", OWNER_LATER) for verb in ("verify", "restore")),
]

# After this one nobody has the password that they had.
FAREWELL = [
    anybody(
        "PUT /auth/password",
        "401 200 200 200 200 200 409",
        {"current_password": PASSWORD, "new_password": "another horse"},
    )
]

ROWS = [*PUBLIC, *ACCOUNT, *USERS, *GROUPS, *TASKS, *ADMINISTRATION, *FAREWELL]
