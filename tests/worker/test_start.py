"""What may not begin: in production, an API or a worker on a Redis that may lose what it acknowledged."""

import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from redis import Redis

from taskapi.config import PROJECT_ROOT
from taskapi.embedded.ports import free_port
from taskapi.embedded.servers import Servers
from tests.conftest import product_environment

SECONDS = 30
PRODUCTION = {
    "TASKAPI_ENV": "production",
    "OWNER_EMAIL": "owner@example.org",
    "OWNER_PASSWORD": "a horse in the rain",
    "SECRET_KEY": "k3" * 24,
    "LOG_FORMAT": "text",
}
SENTENCE = (
    "taskapi: Redis may lose what it has acknowledged: set appendfsync always (it is everysec),"
    " or set DURABILITY=postgres.\n"
)
NOWHERE = "redis://127.0.0.1:1/0"


@pytest.fixture
def careless(redis_data: Redis) -> Iterator[None]:
    """The data Redis does not fsync each write."""
    redis_data.config_set("appendfsync", "everysec")
    yield
    redis_data.config_set("appendfsync", "always")


def api(port: int) -> list[str]:
    worker = ("--worker-class", "taskapi.api.gthread.Worker", "--workers", "1", "--no-control-socket")
    return ["gunicorn", "taskapi:create_app()", *worker, "--bind", f"127.0.0.1:{port}"]


WORKER = [
    "celery",
    "-A",
    "celery_app",
    "worker",
    "-c",
    "1",
    "-l",
    "INFO",
    "--without-gossip",
    "--without-mingle",
]


@contextmanager
def started(
    servers: Servers, command: list[str], home: Path, **different: str
) -> Iterator[subprocess.Popen[str]]:
    """A program of the product, in production unless told otherwise; its lines go into one file."""
    given = {**os.environ, **product_environment(servers), **PRODUCTION, **different}
    with (home / "lines").open("w") as lines:
        program = subprocess.Popen(
            [sys.executable, "-m", *command],
            cwd=PROJECT_ROOT,
            env=given,
            stderr=lines,
            stdout=lines,
            text=True,
        )
    try:
        yield program
    finally:
        if program.poll() is None:
            program.send_signal(signal.SIGTERM)
            program.wait(SECONDS)


def status_of(port: int, path: str) -> int:
    """The status of an answer, waited for until the server is there."""
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as refused:
            return refused.code
        except OSError:
            time.sleep(0.05)
    raise AssertionError("it never answered")


@pytest.mark.parametrize("command", [api(free_port()), WORKER], ids=["api", "worker"])
def test_production_does_not_begin_on_an_unsafe_redis(
    servers: Servers, careless: None, redis_broker: Redis, tmp_path: Path, command: list[str]
):
    with started(servers, command, tmp_path) as program:
        assert program.wait(SECONDS) == 1
    lines = (tmp_path / "lines").read_text()
    assert SENTENCE in lines
    assert "Traceback" not in lines


def test_production_begins_where_every_write_waits_for_postgresql(
    servers: Servers, careless: None, tmp_path: Path
):
    port = free_port()
    with started(servers, api(port), tmp_path, DURABILITY="postgres"):
        assert status_of(port, "/health/live") == 200
    assert "an unsafe Redis" in (tmp_path / "lines").read_text()


def test_development_begins_with_a_warning(servers: Servers, careless: None, tmp_path: Path):
    port = free_port()
    with started(servers, api(port), tmp_path, TASKAPI_ENV="development"):
        assert status_of(port, "/health/live") == 200
    assert "set appendfsync always (it is everysec)" in (tmp_path / "lines").read_text()


def test_with_redis_away_production_begins_and_answers_503(servers: Servers, tmp_path: Path):
    port = free_port()
    with started(servers, api(port), tmp_path, REDIS_URL=NOWHERE):
        assert status_of(port, "/health") == 503


def test_a_wrong_setting_ends_the_api_and_is_told(servers: Servers, tmp_path: Path):
    with started(servers, api(free_port()), tmp_path, OWNER_PASSWORD="short") as program:
        assert program.wait(SECONDS) == 1
    assert "OWNER_PASSWORD is wrong" in (tmp_path / "lines").read_text()
