"""The documentation that the API gives of itself, without asking any other server."""

from __future__ import annotations

from flask import Response, current_app

from taskapi.api import answers, openapi, pages, preconditions, reference, swagger
from taskapi.api.contracts import any_query, declared, public, sends, uncounted
from taskapi.api.serving import Noun
from taskapi.domain.callers import Claim
from taskapi.domain.errors import NotFound

bp = Noun("docs", __name__)
HTML = "text/html; charset=utf-8"
_ALONE = "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
_PLAIN = f"default-src 'none'; style-src 'unsafe-inline'; {_ALONE}"
_SCRIPTED = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    f"connect-src 'self'; {_ALONE}"
)


@bp.get("/")
@public
@uncounted
@any_query
@declared(status=302, location="/docs")
def read_root(_: Claim) -> Response:
    """Leads to the documentation."""
    return Response(
        status=302, headers={"Location": answers.located("/docs", 0)}, content_type="application/json"
    )


@bp.get("/openapi.json")
@public
@uncounted
@any_query
@sends("application/json")
def read_openapi(_: Claim) -> Response:
    """The whole API as an OpenAPI 3.1 document."""
    return _sent(openapi.document(current_app), "application/json")


@bp.get("/docs")
@public
@uncounted
@any_query
@sends("text/html")
def read_docs(_: Claim) -> Response:
    """All endpoints on one page, to be tried out."""
    return _sent(swagger.page(answers.located("", 0)).encode(), HTML, _SCRIPTED)


@bp.get("/docs/ui/<asset>")
@public
@uncounted
@any_query
@sends("*/*")
def read_asset(_: Claim, asset: str) -> Response:
    """A script or style of that page."""
    if asset not in swagger.ASSETS:
        raise NotFound(f"The page has no file {asset[:80]!a}.")
    return _sent(swagger.asset(asset), swagger.ASSETS[asset])


@bp.get("/docs/errors")
@public
@uncounted
@any_query
@sends("text/html")
def read_errors(_: Claim) -> Response:
    """Every error code and what it means."""
    return _sent(pages.errors().encode(), HTML, _PLAIN)


@bp.get("/redoc")
@public
@uncounted
@any_query
@sends("text/html")
def read_reference(_: Claim) -> Response:
    """The reference: everything on one page, without scripts."""
    return _sent(reference.page(current_app).encode(), HTML, _PLAIN)


def _sent(body: bytes, media: str, policy: str | None = None) -> Response:
    """What changes with the product alone: it may be kept, and is asked about again."""
    tag = preconditions.weak(body)
    headers = {"ETag": tag, "Cache-Control": "no-cache"}
    if policy is not None:
        headers |= {"Content-Security-Policy": policy, "Referrer-Policy": "same-origin"}
    if preconditions.is_known(tag):
        return Response(status=304, headers=headers, content_type=media)
    return Response(body, headers=headers, content_type=media)
