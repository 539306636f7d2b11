"""What every answer carries, and the line that is logged of it."""

from __future__ import annotations

from time import perf_counter

import structlog
from flask import Flask, Response, request

from taskapi.api import cors, seen

log = structlog.get_logger("taskapi.request")


def register(app: Flask, origins: tuple[str, ...]) -> None:
    """Begins the notes of each request, and ends each answer with its headers and its line."""
    app.before_request(seen.begin)

    def finish(response: Response) -> Response:
        headers = response.headers
        headers["X-Request-ID"] = seen.request_id()
        headers["X-Content-Type-Options"] = "nosniff"
        if "Cache-Control" not in headers:
            headers["Cache-Control"] = "no-store"
        headers.extend(seen.limit_headers())
        if origins:
            cors.allow(response, origins)
        _log(response.status_code)
        return response

    app.after_request(finish)


def _log(status: int) -> None:
    notes = seen.noted()
    log.info(
        "request",
        method=request.method,
        path=request.path,
        status=status,
        ms=round((perf_counter() - notes.began) * 1000, 2),
        request_id=notes.request_id,
        user=notes.user_id or None,
    )
