"""Gunicorn's threaded worker, whose answers to what is not even HTTP are problems too, and no HTML.

gunicorn "taskapi:create_app()" --worker-class taskapi.api.gthread.Worker
"""

from __future__ import annotations

import logging
import re
import time
from contextlib import suppress
from secrets import token_hex
from typing import Any

from gunicorn.workers.gthread import _DEFER, ThreadWorker  # type: ignore[import-untyped]

from taskapi import logs
from taskapi.api import seen
from taskapi.api.patience import PatientSocket
from taskapi.api.problems import CATALOGUE, MEDIA_TYPE, Problem, code_of
from taskapi.config import SettingsError, load_settings
from taskapi.factory import addresses_of
from taskapi.starting import require_safe_redis

FIRST_BYTE_SECONDS = 0.02
"""For the first byte of a connection; without one it is watched, and takes no thread."""

LINGER_SECONDS, LINGER_BYTES = 5.0, 32 << 20
"""For the rest of a body that nobody wanted: whoever is cut off while they send never sees the answer."""

_UNREADABLE = re.compile(r"Invalid request from ip=[0-9a-fA-F.:]*[0-9a-fA-F]|Invalid request from ip=")


class Worker(ThreadWorker):
    """Serves as its parent does, but gunicorn's own page is another, and its log is ours."""

    @classmethod
    def setup(cls) -> None:
        """Called whenever gunicorn has read its configuration: its own lines go the way of all others."""
        with suppress(SettingsError):  # told by `check_config`, which is called next
            logs.take_over(load_settings(), "api", seen.around)
            _adopt(logging.getLogger("gunicorn.error"))

    @classmethod
    def check_config(cls, cfg: Any, log: Any) -> None:
        """Asked once, before the first process is made: what cannot be served well ends the whole start."""
        super().check_config(cfg, log)
        try:
            settings = load_settings()
        except SettingsError as wrong:
            raise SystemExit(f"taskapi: {wrong}") from wrong
        require_safe_redis(settings, addresses_of(settings)["redis"])
        logs.tell_start(settings)

    def enqueue_req(self, conn: Any) -> None:
        """Has a thread serve the connection, which is not waited for without end."""
        if not isinstance(conn.sock, PatientSocket):
            conn.sock = PatientSocket(conn.sock)
        super().enqueue_req(conn)

    def handle(self, conn: Any) -> Any:
        """Serves one request, once there is a beginning of one."""
        if not conn.initialized and not conn.wait_for_data(FIRST_BYTE_SECONDS):
            return _DEFER
        return super().handle(conn)

    def _keepalive_after(self, conn: Any, keepalive: bool) -> bool:
        """Whether the connection can serve another request. The rest of the body is read in any case."""
        until = time.monotonic() + LINGER_SECONDS
        return bool(conn.parser.finish_body(deadline=until, max_bytes=LINGER_BYTES) and keepalive)

    def handle_error(self, req: Any, client: Any, addr: Any, exc: BaseException) -> None:
        """Answers a request that could not be read."""
        super().handle_error(req, _Retold(client), addr, exc)


def _adopt(logger: logging.Logger) -> None:
    """What gunicorn says is written by us, without what a request that it could not read had in it."""
    for handler in list(logger.handlers):
        logger.removeHandler(handler)
    logger.propagate = True
    if _without_request not in logger.filters:
        logger.addFilter(_without_request)


def _without_request(record: logging.LogRecord) -> bool:
    """A line of headers that is no header may hold a password all the same."""
    told = _UNREADABLE.match(str(record.msg))
    if told is not None:
        record.msg, record.args = f"{told[0]}: it cannot be read", ()
        record.levelno, record.levelname = logging.INFO, "INFO"
    return True


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
