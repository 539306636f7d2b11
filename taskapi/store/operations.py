"""Writes that their clients named, as the journal tells them: `op:<hash> <fingerprint>`.

Writes that were not named have no fingerprint in the journal, and those of an older release have none either.
Nobody can say then whether a request is the same: they are not brought back, and a retry is a new write.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from taskapi.domain.clock import milliseconds
from taskapi.store.client import Store, run_unverified
from taskapi.store.records import KEPT_LIFE_MS


@dataclass(frozen=True, slots=True)
class Done:
    """One write: under which name, when, and the kind, id and version of each of its changes, in order."""

    operation: str
    at: str
    written: tuple[tuple[str, int, int], ...]

    @property
    def key(self) -> str:
        """Where its answer is kept."""
        return self.operation.partition(" ")[0]

    @property
    def answer(self) -> str:
        """What is kept there: the fingerprint and what was written, but not the record."""
        written = " ".join(f"{kind} {number} {version}" for kind, number, version in self.written)
        return f"{self.operation.partition(' ')[2]}\n{written}"

    def life_ms(self) -> int:
        """How long it is kept on, in milliseconds."""
        return milliseconds(self.at) + KEPT_LIFE_MS - int(time.time() * 1000)


def put_back(store: Store, done: Sequence[Done]) -> int:
    """Puts what was done back while Redis is closed, for the rest of its day; returns how many it lacked."""
    kept = ((each, each.life_ms()) for each in done)
    args = [value for each, life in kept if life > 0 for value in (each.key, each.answer, life)]
    return int(run_unverified(store, "recall", *args))
