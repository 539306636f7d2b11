"""One run: the product starts, is written to and struck, recovers, and is judged."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from redis import Redis

from taskapi.config import PROJECT_ROOT
from tests.chaos.client import NeverKnown, Tally
from tests.chaos.crew import Crew
from tests.chaos.faults import Faults
from tests.chaos.findings import WRONG, Findings, watched
from tests.chaos.house import House
from tests.chaos.plan import Plan
from tests.chaos.pulse import Pulse
from tests.chaos.stores import look
from tests.chaos.verdict import judge

LAST_ANSWER_SECONDS, CLEAN_SECONDS, PROOF_SECONDS = 60.0, 90.0, 120.0
PROOFS = ("compare", "scrub")


@dataclass
class Story:
    """A product that runs, those who write to it, and what was found."""

    plan: Plan
    folder: Path
    findings: Findings = field(default_factory=Findings)
    pulse: Pulse = field(default_factory=Pulse)
    seconds: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.tally = Tally(self.findings, self.pulse)
        self.house = House(self.folder, self.plan.dice("house"))
        self.crew = Crew(self.plan, self.tally, self.house.port)
        self.faults = Faults(
            self.house, self.pulse, self.plan.dice("faults"), self.plan.fault_pause, self.plan.only
        )

    @contextmanager
    def told(self) -> Iterator["Story"]:
        """The product is up inside, and nothing is left of it outside."""
        try:
            with self._timed("start"):
                self.house.start()
                self.crew.hire()
            yield self
        finally:
            with self._timed("stop"):
                self.house.stop()
                self.crew.close()

    def run(self) -> None:
        """Writes and strikes for as long as is planned; returns when every write is known."""
        over = threading.Event()
        crew = self.crew.start(over)
        striking = watched(self.findings, self.faults.strike_until_over)
        try:
            with self._timed("chaos"):
                striking.join(self.plan.seconds)
            self.house.require_alive()
        finally:
            with self._timed("last answers"):
                self.faults.over.set()
                self.tally.last_moment = time.monotonic() + LAST_ANSWER_SECONDS
                over.set()
                for thread in (striking, *crew):
                    thread.join()
                self.pulse.end()

    def judge(self) -> None:
        """Waits until both stores are clean, and tells all that is not as it must be."""
        self.tally.last_moment = time.monotonic() + CLEAN_SECONDS + PROOF_SECONDS
        with suppress(NeverKnown):  # told where it happened
            with self._timed("until clean"):
                self._wait_until_clean()
            with self._timed("proofs"):
                self._prove()
                seen = look(self.crew.owner, self.house.urls["postgres"])
                judge(self.crew.worlds(), seen, self.findings)

    def _wait_until_clean(self) -> None:
        end, pause = time.monotonic() + CLEAN_SECONDS, threading.Event()
        while not (self.house.is_whole and _is_clean(self._status()) and self._is_swept()):
            if time.monotonic() > end:
                self.findings.add(WRONG, f"not clean after {CLEAN_SECONDS:.0f} s: {self._status()}")
                return
            self.crew.owner.write("POST", "/admin/sync?action=force&wait=5")
            pause.wait(0.5)

    def _is_swept(self) -> bool:
        """Whether no cascade is under way."""
        with Redis.from_url(self.house.urls["redis"]) as redis:
            return not redis.exists("leaving")

    def _status(self) -> dict[str, Any]:
        status: dict[str, Any] = self.crew.owner.read("/admin/status").data
        return status

    def _prove(self) -> None:
        """The product's own proofs, side by side."""
        running = {name: self._command(name) for name in PROOFS}
        for name, program in running.items():
            said, _ = program.communicate(timeout=PROOF_SECONDS)
            if program.returncode != 0:
                self.findings.add(WRONG, f"flask {name}: {said}")

    def _command(self, name: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "flask", "--app", "taskapi:create_app", name]
        out = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
        environment = os.environ | self.house.environment()
        return subprocess.Popen(command, cwd=PROJECT_ROOT, env=environment, **out)

    @contextmanager
    def _timed(self, what: str) -> Iterator[None]:
        begun = time.monotonic()
        try:
            yield
        finally:
            self.seconds[what] = time.monotonic() - begun


def _is_clean(status: dict[str, Any]) -> bool:
    """Everything runs, nothing waits, and nothing was refused."""
    connected = status["redis_status"] == status["postgres_status"] == "connected"
    return bool(
        connected
        and status["running"]
        and len(status["workers"]) == 2
        and not status["pending_changes"]
        and not status["quarantine"]
    )
