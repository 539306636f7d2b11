"""The product itself under its roof: what `make run` starts."""

import json
import os
import signal
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.client import HTTPException
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from taskapi.embedded.notes import Note
from taskapi.embedded.ports import free_port
from tests.conftest import ROOT
from tests.embedded.conftest import wait_for

SECONDS = 60
PASSWORD = "the owner's own password"


@dataclass
class Whole:
    """`python3 run.py` on a home and a port of its own."""

    home: Path
    port: int
    supervisors: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def start(self) -> subprocess.Popen[bytes]:
        given = {"TASKAPI_HOME": str(self.home), "SERVER_PORT": str(self.port), "OWNER_PASSWORD": PASSWORD}
        given |= {"RATE_LIMIT_DEFAULT": ""}
        with (self.home / "terminal.txt").open("w") as terminal:
            supervisor = subprocess.Popen(
                [sys.executable, "run.py"], cwd=ROOT, env=os.environ | given, stdout=terminal, stderr=terminal
            )
        self.supervisors.append(supervisor)
        wait_for(lambda: "\ntaskapi ready  " in self.terminal() or supervisor.poll() is not None, SECONDS)
        assert supervisor.poll() is None, self.terminal()
        return supervisor

    def call(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", method=method)
        request.add_header("X-Owner-Password", PASSWORD)
        request.add_header("Content-Type", "application/json")
        with urllib.request.urlopen(
            request, json.dumps(body).encode() if body else None, timeout=10
        ) as answer:
            return json.load(answer)["data"]

    def all_tasks(self) -> Iterator[dict[str, Any]]:
        cursor = ""
        while cursor is not None:
            page = self.call("GET", f"/tasks?per_page=200{cursor and '&cursor='}{cursor}")
            yield from page["tasks"]
            cursor = page["next_cursor"]

    def terminal(self) -> str:
        return (self.home / "terminal.txt").read_text()

    def notes(self) -> list[Note]:
        return [note for path in (self.home / "run").glob("*.pid") if (note := Note.read(path))]


@pytest.fixture
def whole(home: Path) -> Iterator[Whole]:
    made = Whole(home, free_port())
    try:
        yield made
    finally:
        for each in made.supervisors:
            each.kill()
            each.wait()


def test_clean_stops_and_a_kill_of_everything_under_load_lose_nothing(whole: Whole):
    supervisor = whole.start()
    first = whole.call("POST", "/tasks", {"title": "Written before the clean stop"})
    notes = whole.notes()
    supervisor.terminate()
    assert supervisor.wait(SECONDS) == 0, whole.terminal()
    assert not [note for note in notes if note.still_runs()]
    assert "close failed" not in whole.terminal()

    supervisor = whole.start()
    second = whole.call("POST", "/tasks", {"title": "Written before the kill"})
    assert second["id"] == first["id"] + 1
    with under_load(whole) as acknowledged:
        wait_for(lambda: len(acknowledged) > 100, SECONDS)
        notes = whole.notes()
        for victim in (supervisor.pid, *(note.pid for note in notes)):
            os.kill(victim, signal.SIGKILL)
    wait_for(lambda: not [note for note in notes if note.still_runs()], SECONDS)

    whole.start()
    assert whole.call("GET", f"/tasks/{first['id']}") == first
    assert whole.call("GET", f"/tasks/{second['id']}") == second
    kept = {task["id"]: task for task in whole.all_tasks()}
    assert [task for task in acknowledged if kept.get(task["id"]) != task] == []
    whole.call("POST", "/admin/sync?action=force")
    stats = whole.call("GET", "/admin/stats")
    assert stats["postgresql"] == stats["redis"]
    assert stats["redis"]["tasks"] == len(kept)
    assert whole.call("POST", "/tasks", {"title": "New"})["id"] > max(kept)


@contextmanager
def under_load(whole: Whole) -> Iterator[list[dict[str, Any]]]:
    """Four clients that make tasks for as long as they are answered; gives what was acknowledged."""
    acknowledged: list[dict[str, Any]] = []

    def write(name: int) -> None:
        with suppress(OSError, HTTPException, ValueError):
            for number in count():
                acknowledged.append(whole.call("POST", "/tasks", {"title": f"{name}-{number}"}))

    writers = [threading.Thread(target=write, args=(name,)) for name in range(4)]
    for writer in writers:
        writer.start()
    yield acknowledged
    for writer in writers:
        writer.join(SECONDS)
