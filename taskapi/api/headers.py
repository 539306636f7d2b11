"""What every answer carries, and the line that is logged of it."""

from __future__ import annotations

import logging
from time import perf_counter

import structlog
from flask import Flask, Response, request

from taskapi.api import cookies, cors, seen

log = structlog.get_logger("taskapi.request")


def register(app: Flask, origins: tuple[str, ...], log_level: str) -> None:
    """Ends each answer with its headers and, where such lines are wanted, its line in the log."""
    chatty = logging.getLevelName(log_level) <= logging.INFO

    def finish(response: Response) -> Response:
        notes = seen.noted()
        headers = response.headers
        headers.add("X-Request-ID", notes.request_id)
        headers.add("X-Content-Type-Options", "nosniff")
        if "Cache-Control" not in headers:
            headers.add("Cache-Control", "no-store")
        if notes.policy is not None:
            headers.extend(seen.limit_headers(notes, notes.policy))
        if notes.ambient == "cookie" and response.status_code == 401:
            cookies.take(response)
        if origins:
            cors.allow(response, origins)
        if chatty:
            _log(notes, response.status_code)
        return response

    app.after_request(finish)


def _log(notes: seen.Noted, status: int) -> None:
    log.info(
        "request",
        method=request.method,
        path=request.path,
        status=status,
        ms=round((perf_counter() - notes.began) * 1000, 2),
        request_id=notes.request_id,
        user=notes.user_id or None,
        address=request.remote_addr,
    )
