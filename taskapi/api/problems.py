"""The only error translator: every refusal and fault becomes `application/problem+json`."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import orjson
import structlog
from flask import Flask, Response, request
from marshmallow import ValidationError
from werkzeug.exceptions import HTTPException, MethodNotAllowed

from taskapi.api import seen
from taskapi.api.wiring import wired
from taskapi.domain.errors import Invalid, Limited, Refused, Taken, Unauthorized, Unavailable, UpstreamFailed

log = structlog.get_logger("taskapi.api")

MEDIA_TYPE = "application/problem+json"
CATALOGUE: dict[str, tuple[int, str]] = {
    "bad_request": (400, "Bad request"),
    "malformed": (400, "Request cannot be read"),
    "invalid": (400, "Invalid values"),
    "unauthorized": (401, "Not signed in"),
    "token_expired": (401, "Access token expired"),
    "forbidden": (403, "Not allowed"),
    "csrf_failed": (403, "CSRF check failed"),
    "not_found": (404, "Not found"),
    "method_not_allowed": (405, "Method not allowed"),
    "not_acceptable": (406, "Not acceptable"),
    "request_timeout": (408, "Request took too long"),
    "conflict": (409, "Conflict"),
    "taken": (409, "Already taken"),
    "idempotency_key_reused": (409, "Idempotency key reused"),
    "refused": (409, "Refused"),
    "stale": (412, "Record has changed"),
    "too_large": (413, "Body too large"),
    "uri_too_long": (414, "Address too long"),
    "unsupported_media_type": (415, "Unsupported media type"),
    "expectation_failed": (417, "Expectation failed"),
    "rate_limited": (429, "Too many requests"),
    "headers_too_large": (431, "Header fields too large"),
    "internal_error": (500, "Internal error"),
    "damaged_record": (500, "Damaged record"),
    "not_implemented": (501, "Not implemented"),
    "upstream_failed": (502, "The other server failed"),
    "unavailable": (503, "Service unavailable"),
    "upstream_timeout": (504, "The other server was too slow"),
    "full": (507, "No room left"),
}
# The first code of each status is the one for what HTTP itself has brought about.
_CODE_OF_STATUS = {status: code for code, (status, _) in reversed(CATALOGUE.items())}
# Of these each is told in the log, whoever it was.
_REFUSALS = frozenset({401, 403, 429})
# Details of a refusal that its answer tells too.
_TOLD = frozenset({"results"})


@dataclass(frozen=True, slots=True)
class Problem:
    """One answer with a status of 400 or more; `code` is a key of the catalogue."""

    code: str
    detail: str
    errors: dict[str, list[str]] = field(default_factory=dict)
    headers: tuple[tuple[str, str], ...] = ()
    members: dict[str, Any] = field(default_factory=dict)

    @property
    def status(self) -> int:
        """The HTTP status."""
        return CATALOGUE[self.code][0]

    def response(self) -> Response:
        """The problem as it is sent."""
        text = self.document(seen.request_id())
        answer = Response(text, self.status, content_type=MEDIA_TYPE)
        for name, value in self.headers:
            answer.headers.add(name, value)
        return answer

    def document(self, request_id: str) -> bytes:
        """Its body."""
        told = {
            "success": False,
            "type": f"/docs/errors#{self.code}",
            "title": CATALOGUE[self.code][1],
            "status": self.status,
            "detail": self.detail,
            "code": self.code,
            "request_id": request_id,
            "errors": self.errors,
        }
        return orjson.dumps(told | self.members)


def register(app: Flask) -> None:
    """Lets the app answer every exception with a problem."""
    app.register_error_handler(Exception, answer)


def answer(error: Exception) -> Response:
    """The response to an exception; what nobody expected is logged whole, and told as a mere 500."""
    problem = problem_of(error)
    if problem.status >= 500:
        _tell_failure(problem, error)
    elif problem.status in _REFUSALS:
        _tell_refusal(problem, error)
    return problem.response()


def _tell_failure(problem: Problem, error: Exception) -> None:
    """What is wrong here: a fault of ours with its trace, or a store that is away or full."""
    if problem.code == "internal_error":
        log.error("fault", code=problem.code, method=request.method, path=request.path, exc_info=error)
    elif problem.code == "damaged_record":
        log.error("damaged record", method=request.method, path=request.path, reason=str(error))
    else:
        log.warning("unavailable", code=problem.code, status=problem.status, reason=str(error))


def _tell_refusal(problem: Problem, error: Exception) -> None:
    """Who was refused, from where, and why; never what they gave as a name or a password."""
    details = error.details if isinstance(error, Refused) else {}
    has_failed = isinstance(error, Unauthorized) and not details.get("missing")
    log.info(
        "refused sign-in" if has_failed else "refused",
        code=problem.code,
        status=problem.status,
        reason=problem.detail,
        user=seen.noted().user_id or details.get("user_id"),
        address=request.remote_addr,
    )


def problem_of(error: Exception) -> Problem:
    """What the exception means to a caller."""
    if isinstance(error, Refused):
        return _of_refusal(error)
    if isinstance(error, ValidationError):
        return Problem("invalid", "The request is not valid.", flattened(error.normalized_messages()))
    if isinstance(error, HTTPException):
        return _of_http(error)
    return Problem("internal_error", "Something went wrong here. It has been logged under this request id.")


def _of_refusal(error: Refused) -> Problem:
    code = error.code if error.code in CATALOGUE else Refused.code
    detail = str(error) or CATALOGUE[code][1]
    if isinstance(error, Invalid):
        return Problem(code, detail, error.errors)
    if isinstance(error, Taken):
        return Problem(code, detail, {error.field: [detail]})
    if isinstance(error, Limited):
        return _of_limit(error, detail)
    if isinstance(error, Unavailable | UpstreamFailed):
        return Problem(code, detail, headers=(("Retry-After", _seconds(error.retry_after)),))
    if isinstance(error, Unauthorized):
        return Problem(code, detail, headers=challenges())
    return Problem(code, detail, members={name: error.details[name] for name in _TOLD & error.details.keys()})


def _of_limit(error: Limited, detail: str) -> Problem:
    wait = _seconds(error.retry_after)
    seen.limited(wired().policy, int(wait))
    return Problem(error.code, detail, headers=(("Retry-After", wait),), members={"retry_after": int(wait)})


def code_of(status: int) -> str:
    """The code of a status that HTTP itself has brought about."""
    return _CODE_OF_STATUS.get(status, "bad_request" if status < 500 else "internal_error")


def _of_http(error: HTTPException) -> Problem:
    code = code_of(error.code or 500)
    if code == "not_found":
        return Problem(code, f"There is nothing at {request.path}.")
    if isinstance(error, MethodNotAllowed):
        allowed = ", ".join(sorted(error.valid_methods or ()))
        return Problem(code, f"{request.path} takes {allowed}.", headers=(("Allow", allowed),))
    if code == "too_large":
        return Problem(code, f"The body is larger than {(request.max_content_length or 0) / 2**20:g} MiB.")
    return Problem(code, error.description or CATALOGUE[code][1])


def _seconds(wait: float) -> str:
    return str(max(1, math.ceil(wait)))


def challenges() -> tuple[tuple[str, str], ...]:
    """How to sign in, and whether a token was refused (RFC 6750).

    A page's script is not shown the challenge at which browsers ask for a password.
    """
    bearer = ("WWW-Authenticate", 'Bearer error="invalid_token"' if seen.noted().by_token else "Bearer")
    by_script = request.headers.get("Sec-Fetch-Mode", "navigate") != "navigate"
    if by_script or "Origin" in request.headers or "X-Requested-With" in request.headers:
        return (bearer,)
    return (bearer, ("WWW-Authenticate", 'Basic realm="taskapi", charset="UTF-8"'))


def flattened(messages: dict[Any, Any], under: str = "") -> dict[str, list[str]]:
    """Nested messages of a schema as {dotted field: [message]}."""
    found: dict[str, list[str]] = {}
    for name, below in messages.items():
        dotted = (under or "body") if name == "_schema" else f"{under}.{name}" if under else str(name)
        if isinstance(below, dict):
            found.update(flattened(below, dotted))
        else:
            found.setdefault(dotted, []).extend(str(each) for each in below)
    return found
