"""The product as an operator starts it: gunicorn, a worker and a beat, each with its output in a file."""

from __future__ import annotations

import http.client
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import orjson

from taskapi.config import PROJECT_ROOT

PATIENCE_SECONDS = 40


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    body: Any


@dataclass
class House:
    """The running parts, and what each has said."""

    port: int
    folder: Path
    parts: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def call(self, call: str, sent: Any = None, form: Any = None, **headers: str) -> Answer:
        """The answer to `"POST /tasks"`; of the names of headers `_` is `-`."""
        method, path = call.split()
        body, told = None, {name.replace("_", "-"): value for name, value in headers.items()}
        if sent is not None:
            body = sent if isinstance(sent, bytes) else orjson.dumps(sent)
            told["Content-Type"] = "application/json"
        if form is not None:
            body, told["Content-Type"] = urlencode(form).encode(), "application/x-www-form-urlencoded"
        line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_SECONDS)
        try:
            line.request(method, path, body, told)
            answer = line.getresponse()
            text = answer.read()
        finally:
            line.close()
        is_json = "json" in answer.headers.get("Content-Type", "")
        return Answer(answer.status, answer.headers, orjson.loads(text) if is_json else text)

    def said(self, *parts: str) -> str:
        """What these have written so far, or all."""
        return "".join((self.folder / part).read_text() for part in parts or self.parts)

    def lines(self, *parts: str) -> list[dict[str, Any]]:
        """The same as objects, whole lines alone."""
        return [orjson.loads(line) for part in parts or self.parts for line in self._whole(part)]

    def waited_for(self, part: str, is_it: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """The first such line of that part, as soon as there is one."""
        end = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < end:
            for line in self.lines(part):
                if is_it(line):
                    return line
            time.sleep(0.1)
        raise AssertionError(f"{part} never said it:\n{self.said(part)}")

    def stop(self) -> None:
        """Ends all parts as an operator does."""
        for program in self.parts.values():
            program.terminate()
        for program in self.parts.values():
            program.wait(PATIENCE_SECONDS)

    def _whole(self, part: str) -> list[str]:
        return self.said(part).split("\n")[:-1]


def commands(port: int, notes: Path) -> dict[str, tuple[str, ...]]:
    """How each part is started."""
    celery = ("celery", "--quiet", "-A", "celery_app")
    quiet = ("--without-gossip", "--without-mingle")
    worker = ("--worker-class", "taskapi.api.gthread.Worker", "--workers", "1", "--threads", "2")
    return {
        "api": (
            "gunicorn",
            "taskapi:create_app()",
            *worker,
            "--bind",
            f"127.0.0.1:{port}",
            "--no-control-socket",
        ),
        "worker": (*celery, "worker", "-c", "1", "-n", "w@logs", *quiet),
        "beat": (*celery, "beat", "-s", str(notes), "--pidfile="),
    }


@contextmanager
def opened(environment: Mapping[str, str], port: int, folder: Path, *parts: str) -> Iterator[House]:
    """These parts, or all, when the API answers and the worker is ready."""
    house = House(port, folder)
    with ExitStack() as stack:
        stack.callback(house.stop)
        known = commands(port, folder / "beat-notes")
        for part in parts or known:
            house.parts[part] = started(known[part], environment, folder / part)
        _wait(
            lambda: _answers(house) and ("worker" not in house.parts or " ready." in house.said("worker")),
            house,
        )
        yield house


def started(
    command: tuple[str, ...], environment: Mapping[str, str], output: Path
) -> subprocess.Popen[bytes]:
    """A program of the product that writes all it has to say into that file."""
    with output.open("ab") as lines:
        return subprocess.Popen(
            [sys.executable, "-m", *command],
            cwd=PROJECT_ROOT,
            env={**os.environ, **environment},
            stdout=lines,
            stderr=lines,
        )


def _answers(house: House) -> bool:
    try:
        return house.call("GET /health/live").status == 200
    except OSError:
        return False


def _wait(is_so: Callable[[], bool], house: House) -> None:
    end = time.monotonic() + PATIENCE_SECONDS
    while not is_so():
        assert time.monotonic() < end, house.said()
        assert all(program.poll() is None for program in house.parts.values()), house.said()
        time.sleep(0.1)
