"""The headers of answers, as documented."""

from __future__ import annotations

from typing import Any

from taskapi.api.openapi.endpoints import Endpoint
from taskapi.api.openapi.examples import REQUEST_ID

_TEXT = {"type": "string"}
_COUNT = {"type": "integer", "minimum": 0}

_KNOWN: dict[str, tuple[str, dict[str, Any], Any]] = {
    "X-Request-ID": ("The id under which it is logged: the caller's own, if it sent one.", _TEXT, REQUEST_ID),
    "ETag": ("The record's version; of anything else a weak hash.", _TEXT, '"4294967301"'),
    "Location": ("The path of what was made.", _TEXT, "/v1/tasks/1"),
    "Link": ("The pages around this one (RFC 8288).", _TEXT, '</v1/tasks?page=2>; rel="next"'),
    "RateLimit": ("What is left of the tightest limit, and when all is.", _TEXT, '"default";r=99;t=1'),
    "RateLimit-Policy": ("That limit: calls, and in how many seconds.", _TEXT, '"default";q=100;w=60'),
    "X-RateLimit-Limit": ("The calls of that limit.", _COUNT, 100),
    "X-RateLimit-Remaining": ("The calls that are left.", _COUNT, 99),
    "X-RateLimit-Reset": ("When all are there again, in Unix seconds.", _COUNT, 1895994900),
    "Retry-After": ("In how many seconds to try again.", {"type": "integer", "minimum": 1}, 12),
    "WWW-Authenticate": ("How to sign in; with an `error` if a token was refused.", _TEXT, "Bearer"),
    "Idempotency-Replayed": ("`true` where this is the first answer, sent again.", {"const": "true"}, "true"),
    "Preference-Applied": (
        "What was waited for.",
        {"enum": ["durability=postgres", "durability=redis"]},
        "durability=postgres",
    ),
}  # fmt: skip
_ALWAYS = ("X-Request-ID", "WWW-Authenticate", "Retry-After")
_OF_LIMITS = tuple(name for name in _KNOWN if "RateLimit" in name)


def components() -> dict[str, Any]:
    """All of them."""
    return {
        name: {"description": told, "required": name in _ALWAYS, "schema": schema, "example": example}
        for name, (told, schema, example) in _KNOWN.items()
    }


def of_success(endpoint: Endpoint, status: int) -> dict[str, Any]:
    """Those of an answer with a status below 400."""
    contract = endpoint.contract
    names = ["X-Request-ID"]
    if contract.returned is not None and not contract.bare:
        names.append("ETag")
    if contract.plural:
        names.append("Link")
    if status == 202 or (contract.location and status == contract.status):
        names.append("Location")
    if endpoint.is_unsafe:
        names += ["Idempotency-Replayed", "Preference-Applied"]
    if status == 503:
        names.append("Retry-After")
    return _referred([*names, *(() if contract.uncounted else _OF_LIMITS)])


def of_unchanged() -> dict[str, Any]:
    """Those of a 304."""
    return _referred(["X-Request-ID", "ETag", *_OF_LIMITS])


def of_refusal(status: int) -> dict[str, Any]:
    """Those of a problem."""
    later = {each: ["Retry-After"] for each in (502, 503, 504)}
    more = later | {401: ["WWW-Authenticate"], 429: ["Retry-After", *_OF_LIMITS]}
    return _referred(["X-Request-ID", *more.get(status, [])])


def _referred(names: list[str]) -> dict[str, Any]:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}
