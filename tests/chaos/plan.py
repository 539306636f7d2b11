"""What a run shall be."""

import random
from dataclasses import dataclass


@dataclass(frozen=True)
class Plan:
    """How long, by which dice, and how hard; pauses are mean seconds. `only`: faults that are named so."""

    seconds: float
    seed: int
    writers: int = 4
    counters: int = 2
    crowds: int = 1
    write_pause: float = 0.03
    fault_pause: float = 2.0
    only: str = ""

    def dice(self, name: str) -> random.Random:
        """The dice of one who takes part: the same for the same seed."""
        return random.Random(f"{self.seed} {name}")
