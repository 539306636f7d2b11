"""How long after each fault the first write was acknowledged again."""

import threading
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass
class Fault:
    """What was done to which part and when, and after how many seconds a write succeeded again.

    A write that began before the process was gone shows nothing.
    """

    name: str
    at: float = field(default_factory=time.monotonic)
    since: float | None = None
    recovered_after: float | None = None


@dataclass
class Pulse:
    """Hears of every acknowledged write and of every fault."""

    faults: list[Fault] = field(default_factory=list)
    _open: list[Fault] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def struck(self, name: str) -> Fault:
        """A fault happens now."""
        fault = Fault(name)
        with self._lock:
            self.faults.append(fault)
            self._open.append(fault)
        return fault

    def took_effect(self, fault: Fault) -> None:
        """What the fault ends is gone, or stands still."""
        fault.since = time.monotonic()

    def beat(self, begun: float) -> None:
        """A write that began at that moment was acknowledged now."""
        if not self._open:
            return
        now = time.monotonic()
        with self._lock:
            for fault in [each for each in self._open if each.since and each.since <= begun]:
                fault.recovered_after = now - fault.at
                self._open.remove(fault)

    @property
    def is_back(self) -> bool:
        """Whether writes succeed again after every fault so far."""
        return not self._open

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
