"""Every refusal that an endpoint can answer with: most follow from its contract, the rest it declares."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from taskapi.api.openapi import headers
from taskapi.api.openapi.endpoints import Endpoint
from taskapi.api.openapi.examples import REQUEST_ID
from taskapi.api.problems import CATALOGUE, MEDIA_TYPE
from taskapi.domain.rights import MATRIX, Reach, Right

_NAMES_OTHERS = frozenset({"user_id", "group_id"})

_USUAL: dict[str, tuple[str, str]] = {
    "malformed": (
        "The request cannot be read: its body, a header, or its query.",
        "The body is not JSON: Expecting value at line 1, column 1.",
    ),
    "invalid": ("A field or parameter is unknown or missing, or its value is.", "The request is not valid."),
    "unauthorized": (
        "No credentials, wrong ones, or such that have ended.",
        "Sign in first: no credentials were given.",
    ),
    "token_expired": (
        "The access token was good, and has expired: `POST /auth/refresh` gives another.",
        "This access token has expired: get another with the refresh token.",
    ),
    "forbidden": ("The caller has no right to this.", "You may not do this."),
    "csrf_failed": ("The session cookie came without the token of its page.", "Send X-CSRF-Token."),
    "not_found": (
        "There is no such record, or none that the caller may know of.",
        "There is no such record.",
    ),
    "conflict": (
        "Somebody was faster, or the record's state does not allow it.",
        "The record was changed at the same time. Try again.",
    ),
    "taken": ("A name that must be unique belongs to another record.", "This name is already taken."),
    "idempotency_key_reused": (
        "The idempotency key was sent before, with another request.",
        "This idempotency key was used for another request.",
    ),
    "refused": ("The state of the system does not allow it.", "This cannot be done now."),
    "stale": ("The record has not the version of `If-Match`.", "The record has changed since you read it."),
    "too_large": ("The body is too large.", "The body is larger than 1 MiB."),
    "unsupported_media_type": (
        "The body is of another media type, or compressed.",
        "Send the body as application/json, in UTF-8.",
    ),
    "rate_limited": (
        "Too many requests: `Retry-After` says when again.",
        "Too many requests. Try again in 12 s.",
    ),
    "internal_error": (
        "A fault of the server, which has logged it.",
        "Something went wrong here. It has been logged under this request id.",
    ),
    "damaged_record": (
        "What the data store has of the record is damaged; others are not affected.",
        "What the data store has of task 7 is damaged; it was logged, and can be mended.",
    ),
    "unavailable": (
        "A store is away or not yet verified: `Retry-After` says when again.",
        "The data store does not answer.",
    ),
    "full": ("There is no room for more. What takes records away still passes.", "There is no room left."),
}
"""Of each code: when, as long as an endpoint does not say otherwise, and the `detail` of an example."""

_MEMBERS: dict[str, dict[str, Any]] = {
    "invalid": {"errors": {"colour": ["There is no such parameter here."]}},
    "taken": {"errors": {"name": ["This name is already taken."]}},
    "rate_limited": {"retry_after": 12},
}


def components(endpoints: Iterable[Endpoint]) -> dict[str, Any]:
    """The responses to which these endpoints refer by name."""
    groups = {
        tuple(group) for endpoint in endpoints for group in _by_status(endpoint).values() if _is_usual(group)
    }
    return {_name(codes): _response(dict.fromkeys(codes, "")) for codes in sorted(groups)}


def of_endpoint(endpoint: Endpoint) -> dict[str, Any]:
    """All responses of an endpoint with a status of 400 or more."""
    return {
        str(status): {"$ref": f"#/components/responses/{_name(group)}"}
        if _is_usual(group)
        else _response(group)
        for status, group in _by_status(endpoint).items()
    }


def codes_of(endpoint: Endpoint) -> dict[str, str]:
    """The codes with which it can refuse, in the order of their statuses, and when: "" for what is usual."""
    found = {**dict.fromkeys(_derived(endpoint), ""), **endpoint.contract.refused}
    return {code: found[code] for code in CATALOGUE if code in found}


def when(code: str) -> str:
    """When a code is answered, usually."""
    return _USUAL[code][0] if code in _USUAL else CATALOGUE[code][1] + "."


def problem(code: str, detail: str = "") -> dict[str, Any]:
    """An example of the problem that is answered."""
    status, title = CATALOGUE[code]
    usual = _USUAL.get(code, ("", title + "."))[1]
    return {
        "success": False,
        "type": f"/docs/errors#{code}",
        "title": title,
        "status": status,
        "detail": detail or usual,
        "code": code,
        "request_id": REQUEST_ID,
        "errors": {},
        **_MEMBERS.get(code, {}),
    }


def _by_status(endpoint: Endpoint) -> dict[int, dict[str, str]]:
    found: dict[int, dict[str, str]] = {}
    for code, said in codes_of(endpoint).items():
        found.setdefault(CATALOGUE[code][0], {})[code] = said
    return found


def _is_usual(group: dict[str, str]) -> bool:
    return not any(group.values())


def _name(codes: Iterable[str]) -> str:
    return "-or-".join(codes)


def _derived(endpoint: Endpoint) -> Iterator[str]:
    """What follows from the contract, the method and the path."""
    contract = endpoint.contract
    if not contract.any_query:
        yield from ("malformed", "invalid")
    if not endpoint.is_public:
        yield from ("unauthorized", "token_expired")
    if _may_be_forbidden(endpoint):
        yield "forbidden"
    if endpoint.path_names:
        yield "not_found"
    if endpoint.is_unsafe:
        yield from _of_writes(endpoint)
    if contract.conditional:
        yield "stale"
    if contract.body is not None or contract.receives_file:
        yield from ("too_large", "unsupported_media_type")
    if not contract.uncounted:
        yield from ("rate_limited", "unavailable", "damaged_record")
    yield "internal_error"


def _of_writes(endpoint: Endpoint) -> Iterator[str]:
    yield from ("conflict", "idempotency_key_reused", "csrf_failed")
    if endpoint.method != "DELETE":
        yield "full"


def _may_be_forbidden(endpoint: Endpoint) -> bool:
    """Whether a role has nothing of the right, or it is decided by whom path, query or body name."""
    contract = endpoint.contract
    if contract.right is None or contract.right is Right.PUBLIC:
        return False
    named = {*endpoint.path_names, *_fields(contract.query), *_fields(contract.body)}
    return Reach.NOBODY in MATRIX[contract.right].values() or bool(_NAMES_OTHERS & named)


def _fields(schema: Any) -> Iterable[str]:
    return () if schema is None else schema.fields


def _response(group: dict[str, str]) -> dict[str, Any]:
    """The response of one status; `group` are its codes."""
    [status] = {CATALOGUE[code][0] for code in group}
    return {
        "description": " ".join(said or when(code) for code, said in group.items()),
        "headers": headers.of_refusal(status),
        "content": {
            MEDIA_TYPE: {
                "schema": {
                    "$ref": "#/components/schemas/Problem",
                    "properties": {"status": {"const": status}, "code": {"enum": list(group)}},
                },
                "examples": {
                    code: {"summary": CATALOGUE[code][1], "value": problem(code, said)}
                    for code, said in group.items()
                },
            }
        },
    }
