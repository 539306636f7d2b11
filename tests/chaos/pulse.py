"""How long no write was acknowledged after each fault."""

import threading
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass
class Fault:
    """What was done to which part and when; `since` is when the process was gone, or stood still.

    `away` is the longest time without an acknowledged write, until the next fault; None before there was one.
    """

    name: str
    at: float = field(default_factory=time.monotonic)
    since: float | None = None
    away: float | None = None
    is_over: bool = False


@dataclass
class Pulse:
    """Hears of every acknowledged write and of every fault."""

    faults: list[Fault] = field(default_factory=list)
    _open: list[Fault] = field(default_factory=list)
    _last: float = field(default_factory=time.monotonic)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def struck(self, name: str) -> Fault:
        """A fault happens now. Those before it that were got over are measured no longer."""
        fault = Fault(name)
        with self._lock:
            self.faults.append(fault)
            self._open = [each for each in self._open if not each.is_over] + [fault]
        return fault

    def took_effect(self, fault: Fault) -> None:
        """What the fault ends is gone, or stands still."""
        fault.since = time.monotonic()

    def beat(self, begun: float) -> None:
        """A write that began at that moment was acknowledged now."""
        with self._lock:
            now = time.monotonic()
            for fault in self._open:
                fault.away = max(fault.away or 0.0, now - max(self._last, fault.at))
                fault.is_over = fault.is_over or (fault.since is not None and fault.since <= begun)
            self._last = now

    def end(self) -> None:
        """Nobody writes any more: silence says nothing from now on."""
        with self._lock:
            self._open = []

    @property
    def is_back(self) -> bool:
        """Whether a write has succeeded that began after every fault so far."""
        return all(fault.is_over for fault in self._open)

    def by_name(self) -> dict[str, list[Fault]]:
        """The faults of each kind."""
        found: dict[str, list[Fault]] = defaultdict(list)
        for fault in self.faults:
            found[fault.name].append(fault)
        return dict(sorted(found.items()))


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which that share of them lies; nan of none."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else float("nan")
