"""A writer in a process of its own: `python -m tests.sync.scribe <Redis> <seed>`.

It writes until it is told to end by a line on its input. What was not answered it repeats, and at random what
was, under the name of its operation. Each answer is a line: {operation, name, version, again, title}.
"""

import random
import sys
import threading
import time
from dataclasses import dataclass, field
from typing import Any

import orjson
import structlog

from taskapi.domain.callers import Claim, Operation
from taskapi.domain.clock import timestamp
from taskapi.domain.errors import Conflict, Moved, Unavailable
from taskapi.domain.records import Task
from taskapi.store import client, contents
from taskapi.store.client import Store
from taskapi.store.kinds import TASK
from taskapi.store.plans import Change
from taskapi.store.records import save

REPEATED = 200


@dataclass
class Scribe:
    """Writes tasks of its own; `tasks` are those that it may change, as it last saw them."""

    store: Store
    seed: int
    dice: random.Random
    number: int = 0
    tasks: dict[int, Task] = field(default_factory=dict)
    done: list[tuple[str, Change]] = field(default_factory=list)

    def write_until(self, over: threading.Event) -> None:
        while not over.is_set():
            if self.done and self.dice.random() < 0.1:
                self._finish(*self.dice.choice(self.done[-REPEATED:]))
            else:
                self.number += 1
                self._finish(f"{self.seed}-{self.number}", self._change())
            time.sleep(0.001)

    def _finish(self, operation: str, change: Change) -> None:
        """Until it is answered: an answer that is lost says nothing."""
        while True:
            try:
                saved = save(self.store, Claim(1, operation=Operation(operation, "f")), [change])
            except Unavailable:
                time.sleep(0.02)
            except (Conflict, Moved):
                self._look_again(change)
                return
            else:
                break
        self.done.append((operation, change))
        title = change.now.title if change.now else None
        tell(
            operation=operation,
            name=saved.names[0],
            version=saved.versions[0],
            again=saved.again,
            title=title,
        )
        if saved.again:
            self._forget(saved.ids[0])
        elif change.now:
            self.tasks[saved.ids[0]] = saved.first.record
        else:
            self._forget(saved.ids[0])

    def _look_again(self, change: Change) -> None:
        """The task is not what it was: Redis came back with an older one, or without it."""
        self._forget(change.subject.id)
        try:
            there = contents.present(self.store, TASK, [change.subject.id])[0]
        except Unavailable:
            return
        if there and isinstance(there, Task):
            self.tasks[there.id] = there

    def _forget(self, number: int) -> None:
        self.tasks.pop(number, None)

    def _change(self) -> Change:
        now, title = timestamp(), f"{self.seed}-{self.number}"
        was = self.dice.choice(list(self.tasks.values())) if self.tasks and self.dice.random() < 0.6 else None
        if was is None:
            # What it is born as stays readable in it: two with one were one write done twice.
            born = Task(title=title, information=title, user_id=1, created_at=now, updated_at=now)
            return Change(None, born, "created")
        if self.dice.random() < 0.05:
            return Change(was, None, "purged")
        deleted = now if was.deleted_at is None and self.dice.random() < 0.1 else None
        return Change(was, was.changed(title=title, deleted_at=deleted), "changed")


def tell(**answer: Any) -> None:
    sys.stdout.buffer.write(orjson.dumps(answer) + b"\n")
    sys.stdout.buffer.flush()


def main() -> None:
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    over = threading.Event()
    seed = int(sys.argv[2])
    scribe = Scribe(client.connect(sys.argv[1]), seed, random.Random(seed))
    writing = threading.Thread(target=scribe.write_until, args=(over,))
    writing.start()
    sys.stdin.readline()
    over.set()
    writing.join()


if __name__ == "__main__":
    main()
