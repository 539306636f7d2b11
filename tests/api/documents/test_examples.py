"""Every example of the document is carried out, and every refusal that can be brought about."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from werkzeug.test import TestResponse

from tests.api.conftest import Person
from tests.api.documents.conftest import TEXT, World
from tests.api.documents.document import Json, Operation, operations

MULTIPART, PROBLEM = "multipart/form-data", "application/problem+json"
CARRIED = frozenset({"read_backup", "list_backups", "list_refused", "retry_refused", "discard_refused"})
"""What needs PostgreSQL to have been written to."""

BEFORE = {
    **dict.fromkeys(
        ("register", "register_2", "register_3"),
        ("PATCH", "/users/2", {"username": "augusta", "email": None}),
    ),
    "restore_task": ("DELETE", "/tasks/1", None),
    "restore_user": ("DELETE", "/users/2", None),
    "restore_group": ("DELETE", "/groups/1", None),
}
"""What the owner does before, so that there is something to do."""

NONE = dict.fromkeys(("user_id", "group_id", "task_id", "file_id", "session_id", "job_id", "backup_id"), 999)
Make = Callable[[], World]


@pytest.fixture
def document(make_world: Make) -> Json:
    """The document."""
    found: Json = make_world().client.get("/openapi.json").json
    return found


def test_every_example_that_changes_something_is_answered_as_documented(
    document: Json, make_world: Make, database_url: str
) -> None:
    flaws: list[str] = []
    for operation in operations(document):
        if operation.method != "GET" and operation.name not in CARRIED:
            for media in operation.told.get("requestBody", {}).get("content", {None: {}}):
                world = make_world()
                flaws += judged(operation, sent(operation, world, bound(operation, world), media))
    assert not flaws


def test_every_example_that_reads_is_answered_as_documented(
    document: Json, make_world: Make, database_url: str
) -> None:
    world, flaws = make_world(), []
    for operation in operations(document):
        if operation.method == "GET" and operation.name not in CARRIED:
            parts = bound(operation, world)
            flaws += judged(operation, sent(operation, world, parts))
            for name, value in operation.query(required=False).items():
                flaws += judged(operation, sent(operation, world, parts, more={name: value}))
    assert not flaws


def test_every_example_about_what_was_carried_is_answered_as_documented(
    document: Json, carried_world: World
) -> None:
    flaws = []
    for operation in operations(document):
        if operation.name in CARRIED:
            parts = bound(operation, carried_world)
            flaws += judged(operation, sent(operation, carried_world, parts))
    assert not flaws


def test_every_refusal_that_can_be_brought_about_is_answered_as_documented(
    document: Json, make_world: Make, database_url: str
) -> None:
    world, flaws, seen = make_world(), [], set()
    for operation in operations(document):
        for status, answer in refused(operation, world):
            seen.add(status)
            if answer.status_code != status or answer.mimetype != PROBLEM:
                flaws.append(f"{operation.name}: {answer.status_code}, not {status}: {answer.text[:200]}")
            flaws += operation.flaws(answer)
    assert not flaws
    assert seen == {400, 401, 404, 412, 413, 415}


def refused(operation: Operation, world: World) -> Iterator[tuple[int, TestResponse]]:
    """Requests that must be refused, with the status that is due."""
    told, caller = operation.responses, person(operation, world)
    parts, call = bound(operation, world), world.client.open
    url = operation.url(parts)

    def ask(**more: Any) -> TestResponse:
        headers = {**(caller.headers if caller else {}), **more.pop("headers", {})}
        query = operation.query(required=True) | more.pop("query_string", {})
        return call(url, method=operation.method, headers=headers, query_string=query, **more)

    if 401 in told and caller is not None:
        yield 401, call(url, method=operation.method)
    if 400 in told:
        yield 400, ask(query_string={"colour": "red"}, **body(operation))
    if 404 in told and 202 not in told and caller is not None and "_id}" in operation.path:
        yield (
            404,
            call(operation.url(NONE), method=operation.method, headers=caller.headers, **body(operation)),
        )
    if 412 in told and operation.name not in BEFORE and operation.name not in CARRIED:
        yield 412, ask(headers={"If-Match": '"1"'}, **body(operation))
    if 415 in told:
        yield 415, ask(data=b"<a/>", headers={"Content-Type": "application/xml"})
        if MULTIPART not in operation.told["requestBody"]["content"]:
            yield 413, ask(data=b" " * (2**20 + 1), headers={"Content-Type": "application/json"})


def judged(operation: Operation, answer: TestResponse) -> list[str]:
    """What is wrong with the answer to an example: it must be a success, and as documented."""
    if answer.status_code >= 400:
        return [f"{operation.name}: {answer.status_code} {answer.text[:300]}"]
    return operation.flaws(answer)


def sent(
    operation: Operation, world: World, parts: Json, media: str | None = None, more: Json | None = None
) -> TestResponse:
    """The answer to the example, with further parameters of the query."""
    if operation.name in BEFORE:
        method, path, fields = BEFORE[operation.name]
        assert world.owner.call(method, path, fields).status_code == 200
    query = operation.query(required=True) | (more or {})
    if "cursor" in query:
        query["cursor"] = cursor(operation, world, parts) or query["cursor"]
    if "wait" in operation.query(required=False):
        query["wait"] = 0
    caller = person(operation, world)
    headers = {} if caller is None else caller.headers
    return world.client.open(
        operation.url(parts),
        method=operation.method,
        headers=headers,
        query_string={name: _written(value) for name, value in query.items()},
        **body(operation, media, parts),
    )


def cursor(operation: Operation, world: World, parts: Json) -> str | None:
    """A cursor that the list itself gives; the one of the document is for lists in the order of ids."""
    caller = person(operation, world)
    assert caller is not None
    query = operation.query(required=True) | {"per_page": 1}
    found = caller.get(operation.url(parts), query_string=query).json["data"]["next_cursor"]
    return None if found is None else str(found)


def person(operation: Operation, world: World) -> Person | None:
    """Who calls."""
    return world.caller(operation.told.get("x-right"))


def bound(operation: Operation, world: World) -> Json:
    """What no document can foresee: names that are made at random."""
    parts: Json = {}
    if "{session_id}" in operation.path:
        parts["session_id"] = world.ada.get("/auth/sessions").json["data"]["sessions"][0]["id"]
    if "{job_id}" in operation.path:
        parts["job_id"] = world.owner.post("/admin/sync?action=force&wait=0").json["data"]["job_id"]
    if operation.name == "read_backup":
        backups = world.owner.get("/admin/backups").json["data"]["backups"]
        parts |= {"backup_id": backups[0]["id"]} if backups else {}
    if operation.name == "refresh":
        parts["refresh_token"] = world.signed_in["refresh_token"]
    return parts


def body(operation: Operation, media: str | None = None, parts: Json | None = None) -> Json:
    """What a request has for its body, as the arguments of a call."""
    content = operation.told.get("requestBody", {}).get("content", {})
    if not content:
        return {}
    media = media or next(iter(content))
    if media == MULTIPART:
        return {"data": {"file": (io.BytesIO(TEXT), "report.txt")}, "content_type": media}
    example = dict(content[media]["example"])
    example |= {name: value for name, value in (parts or {}).items() if name in example}
    return {"json": example} if media == "application/json" else {"data": example, "content_type": media}


def _written(value: Any) -> Any:
    """A value as a query has it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return ",".join(map(str, value)) if isinstance(value, list) else value
