"""What went wrong: each in a sentence, under the word for it."""

import threading
import traceback
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

LOST, DOUBLED, RISEN = "lost", "doubled", "risen"
"""An acknowledged change that is not there; one that is there twice; one that came back."""
WRONG = "wrong"
"""Anything else that must not be: a counter, an answer, two stores that differ."""
WORDS = (LOST, DOUBLED, RISEN, WRONG)


@dataclass
class Findings:
    """Sentences by word, written by all threads."""

    told: list[tuple[str, str]] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, word: str, sentence: str) -> None:
        """Notes it, once."""
        with self._lock:
            if (word, sentence) not in self.told:
                self.told.append((word, sentence))

    @property
    def counts(self) -> dict[str, int]:
        """How many of each word."""
        found = Counter(word for word, _ in self.told)
        return {word: found[word] for word in WORDS}


def watched(findings: Findings, work: Callable[[], object]) -> threading.Thread:
    """Starts the work in a thread. That the checker fails is a finding: no run passes for want of it."""

    def run() -> None:
        try:
            work()
        except Exception:  # noqa: BLE001 - whatever it is, it is told
            findings.add(WRONG, f"the checker failed: {traceback.format_exc()}")

    thread = threading.Thread(target=run)
    thread.start()
    return thread
