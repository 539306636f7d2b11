"""Which web pages of other origins may read the answers."""

from __future__ import annotations

from flask import Response, request

SHOWN = (
    "Content-Disposition, ETag, Link, Location, Retry-After, Allow, WWW-Authenticate, "
    "X-Request-ID, Idempotency-Replayed, Preference-Applied, "
    "RateLimit, RateLimit-Policy, X-RateLimit-Limit, X-RateLimit-Remaining, X-RateLimit-Reset"
)
TAKEN = (
    "Authorization, Content-Type, If-Match, If-None-Match, Idempotency-Key, Prefer, "
    "X-CSRF-Token, X-Request-ID, X-Requested-With"
)
METHODS = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"


def is_listed(origin: str, origins: tuple[str, ...]) -> bool:
    """Whether it is among them by name."""
    return origin != "*" and origin in origins


def allow(response: Response, origins: tuple[str, ...]) -> None:
    """Adds what the browser wants to hear, if the page's origin is one of these (or `*` is among them).

    Cookies are only for pages whose origin is listed by name.
    """
    response.vary.add("Origin")
    origin = request.headers.get("Origin")
    if origin is None or not ("*" in origins or origin in origins):
        return
    response.headers["Access-Control-Allow-Origin"] = "*"
    if is_listed(origin, origins):
        response.headers["Access-Control-Allow-Origin"] = origin
        response.headers["Access-Control-Allow-Credentials"] = "true"
    response.headers["Access-Control-Expose-Headers"] = SHOWN
    if request.method == "OPTIONS" and "Access-Control-Request-Method" in request.headers:
        response.headers["Access-Control-Allow-Methods"] = METHODS
        response.headers["Access-Control-Allow-Headers"] = TAKEN
        response.headers["Access-Control-Max-Age"] = "600"
