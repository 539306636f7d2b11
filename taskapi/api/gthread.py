"""Gunicorn's threaded worker, whose answers to what is not even HTTP are problems too, and no HTML.

gunicorn "taskapi:create_app()" --worker-class taskapi.api.gthread.Worker
"""

from __future__ import annotations

from secrets import token_hex
from typing import Any

from gunicorn.workers.gthread import ThreadWorker  # type: ignore[import-untyped]

from taskapi.api.problems import CATALOGUE, MEDIA_TYPE, Problem, code_of
from taskapi.config import SettingsError, load_settings
from taskapi.factory import addresses_of
from taskapi.starting import require_safe_redis


class Worker(ThreadWorker):
    """Serves as its parent does; only the page that gunicorn writes itself is another."""

    @classmethod
    def check_config(cls, cfg: Any, log: Any) -> None:
        """Asked once, before the first process is made: what cannot be served well ends the whole start."""
        super().check_config(cfg, log)
        try:
            settings = load_settings()
        except SettingsError as wrong:
            raise SystemExit(f"taskapi: {wrong}") from wrong
        require_safe_redis(settings, addresses_of(settings)["redis"])

    def handle_error(self, req: Any, client: Any, addr: Any, exc: BaseException) -> None:
        """Answers a request that could not be read."""
        super().handle_error(req, _Retold(client), addr, exc)


class _Retold:
    """A connection on which gunicorn's own page becomes a problem of the same status."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    def sendall(self, page: bytes) -> None:
        """Sends the problem in place of the page."""
        self._client.sendall(retold(page))


def retold(page: bytes) -> bytes:
    """An answer with the status of this one, and a problem as its body."""
    line = page.partition(b"\r\n")[0]
    status = int(line.split()[1])
    code = code_of(status)
    request_id = token_hex(16)
    body = Problem(code, CATALOGUE[code][1] + ".").document(request_id)
    head = (
        f"Connection: close\r\nContent-Type: {MEDIA_TYPE}\r\nContent-Length: {len(body)}\r\n"
        f"X-Request-ID: {request_id}\r\nX-Content-Type-Options: nosniff\r\nCache-Control: no-store\r\n\r\n"
    )
    return line + b"\r\n" + head.encode() + body
