"""From what a service has answered to the bytes that are sent: stored records go out as they are."""

from __future__ import annotations

from typing import Any

import orjson
from flask import Response, request
from werkzeug.http import parse_list_header

from taskapi.api import cookies, preconditions, seen, tokens
from taskapi.api.contracts import Contract
from taskapi.api.inputs import Asked
from taskapi.api.links import links
from taskapi.api.wiring import settings, store, wired
from taskapi.services import durability
from taskapi.services.results import Listed, Login, Shown

DURABLE_SECONDS = 5.0
REVALIDATED = "private, no-cache"
_OPENING, _CLOSING = b'{"success":true,"data":', b"}"
Headers = list[tuple[str, str]]


def answer(contract: Contract, given: Any, asked: Asked) -> Response:
    """The response to what a view has returned: Shown, Listed, Login, or a ready Response."""
    if isinstance(given, Shown):
        return shown(contract, given, asked.fields)
    if isinstance(given, Listed):
        return _read(_page(given, asked), None, links(given, asked.page))
    if isinstance(given, Login):
        return _login(contract, given)
    ready: Response = given
    return ready


def shown(contract: Contract, record: Shown, fields: tuple[str, ...] = ()) -> Response:
    """One record. After a write the doorbell is rung, and PostgreSQL waited for if that is wanted."""
    body, version = record.body, record.version
    if fields:
        body, version = _narrowed(body, fields), None
    body = _OPENING + body + _CLOSING
    if request.method in ("GET", "HEAD"):
        return _read(body, version, [])
    headers = written(record)
    if version is not None:
        headers.append(("ETag", preconditions.strong(version)))
    if contract.location:
        headers.append(("Location", located(contract.location, record.id)))
    response = Response(body, contract.status, headers, content_type="application/json")
    if contract.signs_out:
        cookies.take(response)
    return response


def written(record: Shown) -> Headers:
    """Rings the doorbell for a write, waits as long as was asked for, and tells what came of it."""
    headers = [("Idempotency-Replayed", "true")] if record.replayed else []
    if not record.dirty:
        return headers
    wired().bell.ring()
    asked = _durability_asked()
    if asked or settings().durability == "postgres":
        done = durability.wait_until_committed(store(), record.dirty, DURABLE_SECONDS)
        headers.append(("Preference-Applied", f"durability={'postgres' if done else 'redis'}"))
    return headers


def located(path: str, record_id: int | str) -> str:
    """The path of a record, under the mount that was called."""
    prefix = "/v1" if request.path.startswith("/v1/") else ""
    return f"{request.script_root}{prefix}{path.format(id=record_id)}"


def _durability_asked() -> bool:
    """Whether it is a preference of its own, not the parameter of another."""
    preferences = parse_list_header(request.headers.get("Prefer", ""))
    return any(_plain(each.partition(";")[0]) == "durability=postgres" for each in preferences)


def _plain(preference: str) -> str:
    return preference.replace(" ", "").replace('"', "").lower()


def _read(body: bytes, version: int | None, headers: Headers) -> Response:
    tag = preconditions.weak(body) if version is None else preconditions.strong(version)
    headers = [*headers, ("ETag", tag), ("Cache-Control", REVALIDATED)]
    if preconditions.is_known(tag):
        return Response(status=304, headers=headers, content_type="application/json")
    return Response(body, 200, headers, content_type="application/json")


def _page(given: Listed, asked: Asked) -> bytes:
    """The body of a page: its records as stored, then the counts."""
    items = given.items
    if asked.fields:
        items = tuple(_narrowed(item, asked.fields) for item in items)
    beside = dict(given.beside) | {
        "count": len(items),
        "total": given.total,
        "next_cursor": given.next_cursor,
    }
    rest = orjson.dumps(beside)[1:]
    return b'%b{"%b":[%b],%b%b' % (_OPENING, given.name.encode(), b",".join(items), rest, _CLOSING)


def _narrowed(body: bytes, fields: tuple[str, ...]) -> bytes:
    """The record with those of its fields only; what it does not have is left out."""
    record = orjson.loads(body)
    return orjson.dumps({name: value for name, value in record.items() if name in fields})


def _login(contract: Contract, login: Login) -> Response:
    access, refresh = tokens.made(login.user_id, login.session, login.refresh_id)
    seen.noted().user_id = login.user_id
    told = {
        "success": True,
        "access_token": access,
        "refresh_token": refresh,
        "token_type": "bearer",
        "expires_in": settings().access_token_expire_minutes * 60,
    }
    by_cookie = cookies.are_wanted()
    if by_cookie:
        told["csrf_token"] = cookies.csrf_token(login.session)
    body = b'%b,"data":{"user":%b}}' % (orjson.dumps(told)[:-1], login.user.body)
    headers = written(login.user)
    if contract.location:
        headers.append(("Location", located(contract.location, login.user_id)))
    response = Response(body, contract.status, headers, content_type="application/json")
    if by_cookie:
        cookies.give(response, login)
    return response
