"""The product itself under its roof: what `make run` starts."""

import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
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


def test_clean_stops_and_a_kill_leave_nothing_running_and_nothing_lost(whole: Whole):
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
    notes = whole.notes()
    supervisor.kill()
    wait_for(lambda: not [note for note in notes if note.still_runs()], SECONDS)

    whole.start()
    assert whole.call("GET", f"/tasks/{first['id']}") == first
    assert whole.call("GET", f"/tasks/{second['id']}") == second
