"""The documentation that the API gives of itself, without asking any other server."""

from __future__ import annotations

from flask import Response, current_app

from taskapi.api import openapi, pages
from taskapi.api.contracts import any_query, public, uncounted
from taskapi.api.serving import Noun
from taskapi.domain.callers import Claim

bp = Noun("docs", __name__)
_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)


@bp.get("/")
@public
@uncounted
@any_query
def read_root(_: Claim) -> Response:
    """Leads to the documentation."""
    return Response(status=302, headers={"Location": "/docs"}, content_type="application/json")


@bp.get("/openapi.json")
@public
@uncounted
@any_query
def read_openapi(_: Claim) -> Response:
    """The whole API as an OpenAPI 3.1 document."""
    return Response(openapi.document(current_app), content_type="application/json")


@bp.get("/docs")
@public
@uncounted
@any_query
def read_docs(_: Claim) -> Response:
    """All endpoints on one page."""
    return _page(pages.endpoints(current_app))


@bp.get("/docs/errors")
@public
@uncounted
@any_query
def read_errors(_: Claim) -> Response:
    """Every error code and what it means."""
    return _page(pages.errors())


def _page(html: str) -> Response:
    headers = {"Content-Security-Policy": _POLICY, "Cache-Control": "no-cache"}
    return Response(html, headers=headers, content_type="text/html; charset=utf-8")
