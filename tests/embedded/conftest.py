"""A supervisor in a program of its own, on a home and a port of its own."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from taskapi.embedded.notes import Note
from taskapi.embedded.ports import free_port
from taskapi.embedded.servers import stop
from tests.conftest import ROOT, fastest_folder

SECONDS = 30


@dataclass
class Roof:
    """What a developer has in one terminal."""

    home: Path
    port: int
    started: list[subprocess.Popen[str]] = field(default_factory=list)

    def start(self, **more: str) -> subprocess.Popen[str]:
        """Starts the stand-in product; `more` are variables for it."""
        log = (self.home / "terminal.txt").open("w")
        variables = {
            "TASKAPI_ENV": "development",
            "TASKAPI_HOME": str(self.home),
            "SERVER_PORT": str(self.port),
        }
        command = [sys.executable, "-m", "tests.embedded.roof"]
        with log:
            roof = subprocess.Popen(
                command, cwd=ROOT, env={**os.environ, **variables, **more}, stdout=log, stderr=log, text=True
            )
        self.started.append(roof)
        return roof

    def start_and_wait(self, **more: str) -> subprocess.Popen[str]:
        """The same, and waits for the ready line."""
        roof = self.start(**more)
        wait_for(lambda: "taskapi ready" in self.terminal() or roof.poll() is not None)
        assert roof.poll() is None, self.terminal()
        return roof

    def refuse(self, **more: str) -> str:
        """Starts it, expects it to end with 1, and returns what it said."""
        roof = self.start(**more)
        assert roof.wait(SECONDS) == 1, self.terminal()
        return self.terminal()

    def terminal(self) -> str:
        return (self.home / "terminal.txt").read_text()

    def diary(self) -> list[str]:
        """What the stand-ins did, in order."""
        path = self.home / "diary"
        return path.read_text().splitlines() if path.exists() else []

    def running(self) -> dict[str, Note]:
        """Every part that was noted down and still runs."""
        notes = {path.stem: Note.read(path) for path in (self.home / "run").glob("*.pid")}
        return {name: note for name, note in notes.items() if note is not None and note.still_runs()}


@pytest.fixture
def home() -> Iterator[Path]:
    """A folder for a home; not below pytest's own, which is private, so root's servers could not reach it."""
    path = Path(tempfile.mkdtemp(prefix="taskapi-own-", dir=fastest_folder()))
    path.chmod(0o711)
    yield path
    stop(path)
    shutil.rmtree(path)


@pytest.fixture
def roof(home: Path) -> Iterator[Roof]:
    made = Roof(home, free_port())
    try:
        yield made
    finally:
        for each in made.started:
            each.send_signal(signal.SIGTERM)
            each.wait(SECONDS)


def wait_for(condition: Callable[[], bool], seconds: float = SECONDS) -> None:
    """Until the condition holds; a test that waits in vain fails."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.05)
