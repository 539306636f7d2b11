"""The whole product on real processes under a supervisor of our own, which starts again whatever has died."""

import os
import random
import threading
import time
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from taskapi.config import VARIABLES, load_settings
from taskapi.embedded import servers as embedded
from taskapi.embedded.children import Child, Program, wait_until_ready
from taskapi.embedded.home import lock_home, open_home
from taskapi.embedded.plan import Plan, product_plan
from taskapi.embedded.ports import free_port

OWNER_PASSWORD = "the owner's own password"
START_SECONDS = 60.0
TICK = 0.05
LONGEST_WAKE, AGAIN_AFTER = 1.0, 0.5
"""How many seconds what a dead part leaves behind may go on at most, and until it is tried again."""

GIVEN = {
    "TASKAPI_ENV": "development",
    "OWNER_PASSWORD": OWNER_PASSWORD,
    "SYNC_INTERVAL": "20s",
    "ACCESS_TOKEN_EXPIRE_MINUTES": "1440",
    "LOG_FORMAT": "text",
} | dict.fromkeys(
    (
        "RATE_LIMIT_DEFAULT",
        "RATE_LIMIT_AUTH",
        "RATE_LIMIT_BY_DATE",
        "RATE_LIMIT_CHECK",
        "RATE_LIMIT_ANONYMOUS",
    ),
    "",
)


_OF_THE_PLAN = {"DATABASE_URL", "REDIS_URL", "BROKER_URL"}


class NotStarted(Exception):
    """The product did not come up; `str()` says what it said."""


@dataclass
class House:
    """Servers, API, two workers and beat in one folder, all started, watched and ended by one thread."""

    folder: Path
    dice: random.Random
    port: int = field(default_factory=free_port)
    urls: dict[str, str] = field(default_factory=dict)
    deaths: Counter[str] = field(default_factory=Counter)
    programs: dict[str, Program] = field(default_factory=dict)
    _children: dict[str, Child] = field(default_factory=dict)
    _due: dict[str, float] = field(default_factory=dict)
    _asked: dict[int, float] = field(default_factory=dict)
    _struck: set[str] = field(default_factory=set)
    _ready: threading.Event = field(default_factory=threading.Event)
    _over: threading.Event = field(default_factory=threading.Event)
    _failure: BaseException | None = None
    _thread: threading.Thread | None = None

    def start(self) -> None:
        """Returns when everything serves. Raises NotStarted."""
        # The kernel ends children with the thread that started them, so one thread does it all.
        self._thread = threading.Thread(target=self._live, name="house")
        self._thread.start()
        self._ready.wait()
        if self._failure is not None:
            self.stop()
            raise NotStarted(f"{self._failure}\n{self.last_words()}") from self._failure

    def stop(self) -> None:
        """Ends everything."""
        self._over.set()
        if self._thread is not None:
            self._thread.join()

    def pid(self, name: str) -> int | None:
        """The part's first process, None while it is dead."""
        child = self._children.get(name)
        return child.pid if child is not None and child.exit_code() is None else None

    def has_replaced(self, name: str, pid: int) -> bool:
        """Whether that process of the part is gone with all that it had started, and another begins."""
        child = self._children.get(name)
        return child is None or child.pid != pid

    def require_alive(self) -> None:
        """Raises what has ended the supervisor, if anything has."""
        if self._failure is not None:
            raise self._failure

    def strike(self, name: str) -> None:
        """Somebody is about to end it: that it dies is no news then."""
        self._struck.add(name)

    def restart(self, name: str, pid: int) -> None:
        """Asks that process of the part to end by the book; when its patience is over, it is killed."""
        self.strike(name)
        program = self.programs[name]
        self._asked[pid] = time.monotonic() + program.patience
        with suppress(ProcessLookupError):
            os.kill(pid, program.stop_signal)

    @property
    def is_whole(self) -> bool:
        """Whether every part runs."""
        return all(self.pid(name) is not None for name in self.programs)

    def environment(self) -> dict[str, str]:
        """The variables of the product's own programs."""
        return dict(self.programs["api"].environment)

    def last_words(self, lines: int = 12) -> str:
        """The ends of all logs."""
        logs = sorted((self.folder / "logs").glob("*.log"))
        ends = ((log, log.read_text(errors="replace").splitlines()[-lines:]) for log in logs)
        return "\n".join(f"--- {log}\n" + "\n".join(f"  {line[:300]}" for line in end) for log, end in ends)

    def _live(self) -> None:
        home = open_home(self.folder)
        try:
            with lock_home(home):
                try:
                    self._start()
                    self._ready.set()
                    while not self._over.wait(TICK):
                        self._look_after()
                finally:
                    self._end()
        except BaseException as failure:  # noqa: BLE001 - it is raised again where the house was asked for
            self._failure = failure
        finally:
            self._ready.set()

    def _start(self) -> None:
        given = GIVEN | {"TASKAPI_HOME": str(self.folder), "SERVER_PORT": str(self.port)}
        servers = embedded.start(self.folder, embedded.free_ports(), durable=True)
        self.urls, self.programs = servers.urls, dict(servers.programs)
        self._children |= servers.children
        plan = product_plan(load_settings(given, None), servers.home, servers.urls)
        for program in plan.before:
            self._run(_with(program, given))
        for program in _parts(plan):
            self.programs[program.name] = _with(program, given)
            self._begin(program.name)
        for name in ("worker", "worker-2", "api"):
            if not wait_until_ready(self._children[name], START_SECONDS):
                raise NotStarted(f"{name} was not ready in {START_SECONDS:.0f} s")

    def _run(self, program: Program) -> None:
        child = Child(program, open_home(self.folder))
        while child.exit_code() is None:
            time.sleep(TICK)
        child.kill()
        if child.exit_code() != 0:
            raise NotStarted(f"{program.name} failed: {child.output()[-2000:]}")

    def _begin(self, name: str) -> None:
        self._children[name] = Child(self.programs[name], open_home(self.folder))

    def _look_after(self) -> None:
        now = time.monotonic()
        for name, child in list(self._children.items()):
            if child.exit_code() is not None and name not in self._due:
                self._note_death(name, child)
                self._due[name] = now + self.dice.uniform(0, LONGEST_WAKE)
            elif now >= self._asked.get(child.pid, now + 1):
                del self._asked[child.pid]
                self.deaths[f"{name} (would not end)"] += child.exit_code() is None
                child.kill()
            elif name in self._due and now >= self._due[name]:
                self._replace(name, child, now)

    def _replace(self, name: str, child: Child, now: float) -> None:
        """A machine that has no room for another process right now may have it in a moment."""
        child.kill()  # what is left of its group
        try:
            self._begin(name)
        except OSError as refusal:
            self.deaths[f"{name} ({refusal})"] += 1
            self._due[name] = now + AGAIN_AFTER
        else:
            del self._due[name]

    def _note_death(self, name: str, child: Child) -> None:
        if name in self._struck:
            self._struck.discard(name)
        else:
            self.deaths[f"{name} ({child.exit_code()})"] += 1

    def _end(self) -> None:
        """The parts at once, which have nothing to lose; the servers in order."""
        ours = [name for name in self._children if name not in embedded.NAMES]
        for name in (*ours, *reversed(embedded.NAMES)):
            if child := self._children.pop(name, None):
                child.kill() if name in ours else child.stop()


def _parts(plan: Plan) -> list[Program]:
    """Those of the product, with a second worker."""
    worker = next(part for part in plan.parts if part.name == "worker")
    second = replace(worker, name="worker-2", command=(*worker.command, "-n", "second@%h"))
    return [worker, second, *(part for part in plan.parts if part.name != "worker")]


def _with(program: Program, given: Mapping[str, str]) -> Program:
    """The program with our settings, none of the developer's, and without measuring coverage."""
    kept = {
        name: value
        for name, value in program.environment.items()
        if name not in VARIABLES - _OF_THE_PLAN and not name.startswith("COVERAGE_")
    }
    return replace(program, environment={**kept, **given})
