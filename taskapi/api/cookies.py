"""Sessions by cookie: which cookies name them, when a request is believed to be meant, who is given them.

The cookie `session` holds a token that scripts cannot read. `csrf_token` holds the proof that belongs to that
session: a page that can show it is one of ours, for no other page can read it, and nobody can make one up.
"""

from __future__ import annotations

import hmac
from urllib.parse import urlsplit

from flask import Response, request

from taskapi.api import cors, seen, tokens
from taskapi.api.callers import SESSION
from taskapi.api.errors import CsrfFailed
from taskapi.api.operations import SAFE, canonical_path
from taskapi.api.wiring import settings, wired
from taskapi.domain.callers import Claim
from taskapi.services.results import Login

CSRF, HEADER = "csrf_token", "X-CSRF-Token"
GIVING = frozenset({"/login", "/register"})
"""The paths that always give cookies; others that sign in do for `?session=cookie`."""
_TOLD_BY_BROWSERS = ("HTTP_ORIGIN", "HTTP_REFERER", "HTTP_SEC_FETCH_SITE")
_OWN_PAGE = frozenset({"same-origin", "none"})


def csrf_token(session: str) -> str:
    """The proof that belongs to a session."""
    return hmac.new(wired().secret, f"csrf {session}".encode(), "sha256").hexdigest()


def require_meant(claim: Claim) -> None:
    """Raises CsrfFailed for what a page of somebody else may have made a browser send.

    A browser adds its cookies by itself, so that what changes something by cookie must show the proof of the
    session. It adds a name and a password likewise once it was asked for them; and a sign-in that gives
    cookies has no session yet: both must come from a page that is allowed to. Clients other than browsers
    send none of the headers by which pages are told.
    """
    if request.method in SAFE or not _is_from_browser():
        return
    ambient = seen.noted().ambient
    if ambient == "cookie":
        given, due = request.headers.get(HEADER, ""), csrf_token(claim.session or "")
        if not hmac.compare_digest(given.encode(), due.encode()):
            raise CsrfFailed(f"Send the value of the cookie {CSRF} as {HEADER}.")
    elif ambient == "basic" and not (_is_allowed_page() or "*" in settings().cors_origins):
        raise CsrfFailed("Pages of this origin may change nothing by Basic: list it in CORS_ORIGINS.")
    elif are_wanted() and not _is_allowed_page():
        raise CsrfFailed("Pages of this origin get no cookies: list it in CORS_ORIGINS, or use /auth/login.")


def are_wanted() -> bool:
    """Whether whoever signs in with this request is given cookies."""
    asked = request.args.get("session") == "cookie" or canonical_path() in GIVING
    return asked or seen.noted().ambient == "cookie"


def give(response: Response, login: Login) -> None:
    """Sets both cookies for a session that has begun or gone on.

    A session that was named by the cookie before goes on: its tokens may be in use.
    """
    life = settings().refresh_token_expire_days * 86400
    _set(response, SESSION, tokens.made_cookie(login.user_id, login.session, life), life)
    _set(response, CSRF, csrf_token(login.session), life)


def take(response: Response) -> None:
    """Makes the browser forget both cookies."""
    for name in (SESSION, CSRF):
        _set(response, name, "", 0)


def _set(response: Response, name: str, value: str, seconds: int) -> None:
    response.set_cookie(
        name,
        value,
        max_age=seconds,
        secure=settings().production or request.is_secure,
        httponly=name == SESSION,
        samesite="Lax",
    )


def _is_from_browser() -> bool:
    return any(name in request.environ for name in _TOLD_BY_BROWSERS)


def _is_allowed_page() -> bool:
    """Whether the page is one of this very origin, or of one that is listed by name."""
    if request.headers.get("Sec-Fetch-Site") in _OWN_PAGE:
        return True
    origin = request.headers.get("Origin") or _origin_of(request.headers.get("Referer", ""))
    return cors.is_listed(origin, settings().cors_origins) or _is_own(origin.lower())


def _is_own(origin: str) -> bool:
    """Whether it is where this request went to. Behind a proxy that is not trusted, https looks like http."""
    scheme, _, host = origin.partition("://")
    return scheme in ("https", request.scheme) and host != "" and host == request.host.lower()


def _origin_of(address: str) -> str:
    try:
        parts = urlsplit(address)
    except ValueError:
        return ""
    return f"{parts.scheme}://{parts.netloc}"
