"""What is done to the product: any of its processes is killed, stopped at once or by the book, or frozen."""

import os
import random
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from taskapi.embedded.notes import started_at
from tests.chaos.house import House
from tests.chaos.pulse import Fault, Pulse

KILL, QUIT, FREEZE, RESTART = "kill -9", "immediate stop of", "freeze", "restart"
PARTS = ("api", "worker", "worker-2", "beat", "redis", "broker", "postgres")
WITH_CHILDREN = ("api", "worker", "worker-2", "postgres")
CHILD = " child"
SHORTEST_FREEZE, LONGEST_FREEZE = 0.5, 4.0
PATIENCE = 30.0
"""So many seconds at most are waited for writes to succeed again before the next fault comes."""


@dataclass
class Faults:
    """Strikes by chance until it is over, and thaws what it froze."""

    house: House
    pulse: Pulse
    dice: random.Random
    pause: float
    only: str = ""
    over: threading.Event = field(default_factory=threading.Event)
    _frozen: list[tuple[float, list[int]]] = field(default_factory=list)
    _dying: list[tuple[Callable[[], bool], Fault]] = field(default_factory=list)

    def strike_until_over(self) -> None:
        """Mostly waits for the writes to succeed again before it strikes anew, and sometimes not."""
        kinds = [kind for kind in KINDS if self.only in " ".join(kind)]
        weights = [_OFTEN.get(where.removesuffix(CHILD), 1) for _, where in kinds]
        while not self.over.is_set():
            for _ in range(self.dice.choices((1, 2, 3), (80, 15, 5))[0]):
                self._strike(*self.dice.choices(kinds, weights)[0])
            self._rest(self.dice.expovariate(1 / self.pause), impatient=self.dice.random() < 0.25)
        self._thaw(always=True)

    def _strike(self, how: str, where: str) -> None:
        pid = self._victim(where)
        if pid is not None:
            fault = self.pulse.struck(f"{how} {where.replace('worker-2', 'worker')}")
            _HOW[how](self, where, pid)
            self._dying.append((self._effect(how, where, pid), fault))
            self._watch_dying()

    def _victim(self, where: str) -> int | None:
        """A process of the part, None if there is none now."""
        pid = self.house.pid(where.removesuffix(CHILD))
        if pid is None or not where.endswith(CHILD):
            return pid
        found = children_of(pid)
        return self.dice.choice(found) if found else None

    def _end(self, where: str, pid: int, number: int) -> None:
        if not where.endswith(CHILD):
            self.house.strike(where)
        _send([pid], number)

    def _freeze(self, where: str, pid: int) -> None:
        """With all that it has started, for a while."""
        pids = [pid, *descendants_of(pid)]
        until = time.monotonic() + self.dice.uniform(SHORTEST_FREEZE, LONGEST_FREEZE)
        self._frozen.append((until, pids))
        _send(pids, signal.SIGSTOP)

    def _restart(self, where: str, pid: int) -> None:
        self.house.restart(where, pid)

    def _rest(self, seconds: float, impatient: bool) -> None:
        least, most = time.monotonic() + seconds, time.monotonic() + seconds + PATIENCE
        while not self.over.wait(0.05):
            self._thaw()
            self._watch_dying()
            now = time.monotonic()
            if now > most or (now > least and (impatient or (self.pulse.is_back and not self._frozen))):
                return

    def _effect(self, how: str, where: str, pid: int) -> Callable[[], bool]:
        """Whether the fault has done its worst."""
        if how == FREEZE:
            return lambda: True
        if where.endswith(CHILD):
            return lambda: started_at(pid) is None
        return lambda: self.house.has_replaced(where, pid)

    def _watch_dying(self) -> None:
        for each in [each for each in self._dying if each[0]()]:
            self.pulse.took_effect(each[1])
            self._dying.remove(each)

    def _thaw(self, always: bool = False) -> None:
        now = time.monotonic()
        due = [each for each in self._frozen if always or each[0] <= now]
        for each in due:
            _send(each[1], signal.SIGCONT)
            self._frozen.remove(each)


_HOW: dict[str, Callable[[Faults, str, int], None]] = {
    KILL: lambda faults, where, pid: faults._end(where, pid, signal.SIGKILL),
    QUIT: lambda faults, where, pid: faults._end(where, pid, signal.SIGQUIT),
    FREEZE: Faults._freeze,
    RESTART: Faults._restart,
}
KINDS = (
    *((KILL, part) for part in PARTS),
    *((KILL, part + CHILD) for part in WITH_CHILDREN),
    *((FREEZE, part) for part in PARTS),
    *((FREEZE, part + CHILD) for part in WITH_CHILDREN),
    *((RESTART, part) for part in PARTS),
    (QUIT, "postgres"),
)
"""Every fault that there is."""
_OFTEN = {"redis": 3, "postgres": 2, "api": 2}


def children_of(pid: int) -> list[int]:
    """The processes that it has started and that are still there."""
    try:
        return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except (FileNotFoundError, ProcessLookupError):
        return []


def descendants_of(pid: int) -> list[int]:
    """They, and those that they have started."""
    return [each for child in children_of(pid) for each in (child, *descendants_of(child))]


def _send(pids: list[int], number: int) -> None:
    for pid in pids:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            continue  # it has ended meanwhile
