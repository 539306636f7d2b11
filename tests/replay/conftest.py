"""Apps with the settings of a case, a served one whose lines can be read, and a server elsewhere."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from taskapi import create_app
from taskapi.config import load_settings
from taskapi.embedded.ports import free_port
from taskapi.embedded.servers import Servers
from tests.api.conftest import OWNER_PASSWORD, data, plain_settings
from tests.conftest import ROOT, product_environment
from tests.embedded.conftest import wait_for

__all__ = ["data", "plain_settings"]

SECONDS = 20
LIMITS = ("RATE_LIMIT_DEFAULT", "RATE_LIMIT_AUTH", "RATE_LIMIT_BY_DATE", "RATE_LIMIT_CHECK")
UPSTREAM = {"setup": "Why?", "punchline": "Because."}
Environ = Mapping[str, str | None]


@dataclass(frozen=True)
class Served:
    """A running process: where it is, and the file of its lines."""

    address: str
    file: Path

    def lines(self) -> list[dict[str, Any]]:
        """What it has logged so far."""
        return [json.loads(line) for line in self.file.read_text().splitlines() if line.startswith("{")]


@pytest.fixture(scope="session")
def environment(servers: Servers, upstream: str) -> dict[str, str]:
    """The variables of these servers, without limits that would stop the tests."""
    off = dict.fromkeys((*LIMITS, "RATE_LIMIT_ANONYMOUS"), "")
    return {
        **product_environment(servers),
        **off,
        "OWNER_PASSWORD": OWNER_PASSWORD,
        "EXTERNAL_JOKE_URL": upstream,
    }


@pytest.fixture(scope="session")
def app_of(environment: dict[str, str]) -> Iterator[Callable[[Environ], Flask]]:
    """Makes an app whose variables differ as told; one for all who tell the same."""
    made: dict[str, Flask] = {}

    def make(different: Environ) -> Flask:
        told = {name: value for name, value in {**environment, **different}.items() if value is not None}
        return made.setdefault(repr(sorted(told.items())), create_app(load_settings(told, None)))

    yield make
    for app in made.values():
        app.extensions["taskapi.api"].bell.stop()


@pytest.fixture(scope="session")
def served(environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The product behind gunicorn, as it is in production but for its settings."""
    port, file = free_port(), tmp_path_factory.mktemp("served") / "lines"
    worker = ("--worker-class", "taskapi.api.gthread.Worker", "--workers", "2", "--threads", "2")
    where = ("--bind", f"127.0.0.1:{port}", "--no-control-socket")
    command = [sys.executable, "-m", "gunicorn", "taskapi:create_app()", *worker, *where]
    environ = {**os.environ, **environment, "LOG_FORMAT": "json"}
    with file.open("wb") as output:
        process = subprocess.Popen(command, cwd=ROOT, env=environ, stderr=output)
    try:
        wait_for(lambda: "Listening at" in file.read_text() or process.poll() is not None, SECONDS)
        yield Served(f"http://127.0.0.1:{port}", file)
    finally:
        process.terminate()
        assert process.wait(SECONDS) == 0


@pytest.fixture(scope="session")
def upstream() -> Iterator[str]:
    """The address of a server elsewhere that tells a joke."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Joker)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    server.server_close()


class _Joker(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        """Tells it."""
        body = json.dumps(UPSTREAM).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Says nothing."""
