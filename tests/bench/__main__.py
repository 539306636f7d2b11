"""Prints the speed of the hot operations as multiples of a bare Flask app under the same server.

make bench                       # ARGS="--tasks 100000 --seconds 5"
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from taskapi.domain.callers import Claim
from taskapi.domain.clock import timestamp
from taskapi.domain.records import Task
from taskapi.embedded import servers as embedded
from taskapi.embedded.home import lock_home, open_home
from taskapi.services.owner import ensure_owner
from taskapi.store import client, state
from taskapi.store.plans import Change
from taskapi.store.records import save
from tests.bench.load import Measured, Requests, measure
from tests.conftest import ROOT, product_environment

QUIET = {"RATE_LIMIT_DEFAULT": "", "RATE_LIMIT_AUTH": "", "LOG_LEVEL": "ERROR"}
COLUMNS = ("per second", "x hello", "goal", "median ms", "p99 ms", "refused")
GOALS = {"GET a task": 1.2, "page of 50": 1.0, "create": 0.6, "update": 0.6}


def main() -> None:
    """Starts the servers, fills the store, measures each operation beside the baseline."""
    asked = _arguments()
    home = open_home(Path(tempfile.mkdtemp(prefix="taskapi-bench-")))
    with lock_home(home):
        running = embedded.start(home.path, embedded.free_ports(), durable=True)
        try:
            environment = product_environment(running) | {
                "RATE_LIMIT_DEFAULT": "",
                "RATE_LIMIT_AUTH": "",
                "LOG_LEVEL": "ERROR",
            }
            tasks = _filled(running.urls["redis"], asked.tasks)
            with (
                _served("tests.bench.hello:app") as hello,
                _served("taskapi:create_app()", environment) as api,
            ):
                _report(asked, _operations(api, tasks), hello, api)
        finally:
            running.stop()
            shutil.rmtree(home.path)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--tasks", type=int, default=10_000, help="tasks in the store (default: %(default)s)")
    parser.add_argument(
        "--seconds", type=float, default=4, help="for each measurement (default: %(default)s)"
    )
    return parser.parse_args()


def _filled(redis_url: str, count: int) -> list[int]:
    """A store with that many tasks, spread evenly over the users; returns the ids of the users."""
    store = client.connect(redis_url)
    ids = {"user": (0, 1000), "group": (0, 1000), "task": (0, 100_000_000)}
    assert state.open_for(store, state.look(store).run, "bench", 1, 0, ids)
    ensure_owner(store, "admin@gmail.com", "admin1234")
    for start in range(0, count, 500):
        save(
            store,
            Claim(0),
            [Change(None, _task(start + n), "created") for n in range(min(500, count - start))],
        )
    return list(range(1, count + 1))


def _task(number: int) -> Task:
    values = {"title": f"Task {number}", "information": "x" * 120, "user_id": 1, "priority": number % 3 + 1}
    return Task(**values, status=number % 2 == 0, created_at=timestamp(), updated_at=timestamp())


def _operations(port: int, tasks: list[int]) -> dict[str, Requests]:
    """The requests of each operation, as the owner sends them with a Bearer token."""
    token = _token(port)

    def sent(method: str, path: str, body: dict | None = None) -> bytes:
        text = json.dumps(body).encode() if body else b""
        head = f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n"
        kind = f"Content-Type: application/json\r\nContent-Length: {len(text)}\r\n" if body else ""
        return f"{head}{kind}\r\n".encode() + text

    def many(make) -> Requests:
        def requests(number: int) -> Iterator[bytes]:
            turn = number * 101
            while True:
                turn += 1
                yield make(tasks[turn % len(tasks)], turn)

        return requests

    return {
        "GET a task": many(lambda task, _: sent("GET", f"/v1/users/1/tasks/{task}")),
        "page of 50": many(lambda task, turn: sent("GET", f"/v1/users/1/tasks?page={turn % 20 + 1}")),
        "pending, high": many(lambda task, turn: sent("GET", "/v1/tasks?status=pending&priority=1")),
        "create": many(lambda task, turn: sent("POST", "/v1/users/1/tasks", {"title": f"New {turn}"})),
        "update": many(
            lambda task, turn: sent(
                "PUT", f"/v1/users/1/tasks/{task}", {"title": f"Changed {turn} {time.time()}"}
            )
        ),
    }


def _report(asked: argparse.Namespace, operations: dict[str, Requests], hello: int, api: int) -> None:
    baseline = measure(hello, _hello, asked.seconds)
    print(f"{asked.tasks} tasks in the store; 16 connections; gunicorn with 2 workers of 4 threads")
    print(
        f"{'':18}{'per second':>12}{'x hello':>10}{'goal':>8}{'median ms':>12}{'p99 ms':>10}{'refused':>10}"
    )
    _line("Flask, hello", baseline, baseline, None)
    for name, requests in operations.items():
        _line(name, measure(api, requests, asked.seconds), baseline, GOALS.get(name))


def _line(name: str, found: Measured, baseline: Measured, goal: float | None) -> None:
    values = [f"{found.rate:.0f}", f"{found.rate / baseline.rate:.2f}", goal or ""]
    values += [f"{found.median_ms:.2f}", f"{found.p99_ms:.2f}", found.refused]
    print(f"{name:18}" + "".join(f"{value:>12}" for value in values))


def _hello(_: int) -> Iterator[bytes]:
    while True:
        yield b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"


def _token(port: int) -> str:
    body = json.dumps({"username": "admin@gmail.com", "password": "admin1234"}).encode()
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/v1/auth/login", body, {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)["access_token"]


@contextmanager
def _served(app: str, environment: dict[str, str] | None = None) -> Iterator[int]:
    """Gunicorn with that app, on a free port."""
    port = embedded.free_ports().postgres
    command = [sys.executable, "-m", "gunicorn", app, "-b", f"127.0.0.1:{port}", "-w", "2", "-k", "gthread",
               "--threads", "4", "--log-level", "error"]  # fmt: skip
    server = subprocess.Popen(command, cwd=ROOT, env=os.environ | (environment or {}))
    try:
        _wait_for(port, server)
        yield port
    finally:
        server.terminate()
        server.wait(20)


def _wait_for(port: int, server: subprocess.Popen) -> None:
    for _ in range(200):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=1):
                return
        except OSError:
            if server.poll() is not None:
                raise SystemExit("The server did not start.") from None
            time.sleep(0.1)
    raise SystemExit("The server did not answer.")


if __name__ == "__main__":
    main()
