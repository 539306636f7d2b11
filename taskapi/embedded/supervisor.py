"""One roof: starts programs in order, watches them, and stops them in order whatever happens.

Our own, because the known supervisors start and stop all at once: here PostgreSQL has to outlive the worker,
and the worker the API, so that a clean stop leaves nothing to repair.
"""

import signal
import time
from collections.abc import Sequence
from types import FrameType
from typing import NoReturn

from taskapi.embedded.children import Child, Program
from taskapi.embedded.home import Home
from taskapi.embedded.terminal import Terminal
from taskapi.logs import readable

_STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_TICK = 0.05
_LAST_LINES = 15


class StopAsked(Exception):
    """Somebody asked for a stop: Ctrl-C, SIGTERM, or a terminal that was closed."""


class PartFailed(Exception):
    """A part ended by itself or never became ready; `str()` says which, and why as far as its log knows."""


class Supervisor:
    """Holds the children of one home. Single-threaded, and never inside a signal handler."""

    def __init__(self, home: Home, terminal: Terminal) -> None:
        self.home = home
        self.terminal = terminal
        self.children: dict[str, Child] = {}
        self.finished: set[str] = set()
        self._stop_asked = False
        for each in _STOP_SIGNALS:
            signal.signal(each, self._ask_to_stop)

    def adopt(self, children: dict[str, Child]) -> None:
        """Watches and stops children that were started elsewhere; what they said so far is in their logs."""
        self.children |= children
        for child in children.values():
            self.terminal.follow(child.program.name, child.log, child.log.stat().st_size)

    def start(self, programs: Sequence[Program], seconds: float = 60.0) -> None:
        """Starts these side by side and returns when all are ready. Raises StopAsked or PartFailed."""
        for program in programs:
            self._begin(program)
        end = time.monotonic() + seconds
        waiting = [self.children[program.name] for program in programs]
        while waiting:
            self._tick()
            waiting = [child for child in waiting if not child.program.ready(child)]
            if waiting and time.monotonic() > end:
                raise PartFailed(self._obituary(waiting[0].program.name, f"was not ready in {seconds:.0f} s"))
        self.check()

    def run(self, program: Program) -> None:
        """Runs this to its end. Raises StopAsked, or PartFailed if it or any other part fails."""
        self._begin(program)
        while self.children[program.name].exit_code() is None:
            self._tick(besides=program.name)
        self.terminal.show_news()
        if self.children[program.name].exit_code() != 0:
            raise PartFailed(self._obituary(program.name, "failed"))
        self.children.pop(program.name).kill()
        self.finished.add(program.name)

    def watch(self) -> NoReturn:
        """Until StopAsked or PartFailed."""
        while True:
            self._tick()

    def stop(self, names: Sequence[str]) -> None:
        """Stops these one after the other, each to its end; those that do not run are passed over."""
        for name in names:
            child = self.children.pop(name, None)
            if child is not None:
                child.stop()
                self.terminal.show_news()

    def say_farewell(self, program: Program) -> None:
        """Runs this to its end or its patience during a stop; that it failed is shown and changes nothing."""
        child = Child(program, self.home)
        self.terminal.follow(program.name, child.log, child.log_start)
        end = time.monotonic() + program.patience
        while child.exit_code() is None and time.monotonic() < end:
            time.sleep(_TICK)
        failed = child.exit_code() != 0
        child.kill()
        self.terminal.show_news()
        if failed:
            self.terminal.say(f"taskapi: {program.name} failed; the next start checks what is there.")

    def all_run(self) -> bool:
        """Whether every child that is left still runs."""
        return all(child.exit_code() is None for child in self.children.values())

    def check(self) -> None:
        """Raises StopAsked or PartFailed if there is reason to."""
        self._tick(pause=0.0)

    def _begin(self, program: Program) -> None:
        child = self.children[program.name] = Child(program, self.home)
        self.terminal.follow(program.name, child.log, child.log_start)

    def _tick(self, pause: float = _TICK, besides: str = "") -> None:
        time.sleep(pause)
        self.terminal.show_news()
        if self._stop_asked:
            raise StopAsked
        for name, child in self.children.items():
            if name != besides and child.exit_code() is not None:
                raise PartFailed(self._obituary(name, "ended by itself"))

    def _obituary(self, name: str, what: str) -> str:
        child = self.children[name]
        self.terminal.show_news()
        code = child.exit_code()
        how = (
            ""
            if code is None
            else f" (exit code {code})"
            if code >= 0
            else f" ({signal.Signals(-code).name})"
        )
        lines = [f"  {readable(line)}" for line in child.output().splitlines()[-_LAST_LINES:]]
        return "\n".join([f"taskapi: {name} {what}{how}. Its last lines, from {child.log}:", *lines])

    def _ask_to_stop(self, number: int, frame: FrameType | None) -> None:
        self._stop_asked = True
