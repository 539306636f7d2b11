"""Scribes in processes of their own and workers beside them, and how to wait for what they do."""

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import orjson

from taskapi.db.engine import Engine
from taskapi.domain.errors import Unavailable
from taskapi.embedded.servers import Servers
from taskapi.store.client import Store
from taskapi.sync.catching_up import catch_up
from tests.conftest import ROOT


@dataclass
class Writing:
    """A scribe in its process, and every answer that it has had."""

    process: subprocess.Popen[bytes]
    answers: list[dict[str, Any]] = field(default_factory=list)

    def listen(self) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            self.answers.append(orjson.loads(line))
        self.process.stdout.close()

    def end(self) -> None:
        assert self.process.stdin
        self.process.stdin.write(b"\n")
        self.process.stdin.close()
        assert self.process.wait(20) == 0


@contextmanager
def scribes(servers: Servers, count: int) -> Iterator[list[Writing]]:
    """So many processes that write, until the block ends."""
    command = [sys.executable, "-m", "tests.sync.scribe", servers.urls["redis"]]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    writing = [
        Writing(subprocess.Popen([*command, f"{seed}"], cwd=ROOT, **pipes))  # type: ignore[call-overload]
        for seed in range(count)
    ]
    listening = [threading.Thread(target=each.listen) for each in writing]
    for thread in listening:
        thread.start()
    try:
        yield writing
        for each in writing:
            each.end()
    finally:
        for each in writing:
            each.process.kill()
            each.process.wait()
        for thread in listening:
            thread.join()


@contextmanager
def workers(store: Store, engine: Engine) -> Iterator[None]:
    """Two that do what a worker does when it is rung, without a pause, until the block ends."""

    def once() -> None:
        try:
            catch_up(store, engine, 1)
        except Unavailable:
            time.sleep(0.02)

    with two_beside(once):
        yield


@contextmanager
def two_beside(once: Callable[[], None]) -> Iterator[None]:
    """Two threads that do this again and again, until the block ends."""
    over = threading.Event()

    def work() -> None:
        while not over.is_set():
            once()

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        over.set()
        for thread in threads:
            thread.join()


def wait_for_more(writing: list[Writing], count: int) -> None:
    """Until each scribe has had so many more answers."""
    goals = [len(each.answers) + count for each in writing]
    end = time.monotonic() + 60
    while any(len(each.answers) < goal for each, goal in zip(writing, goals, strict=True)):
        assert time.monotonic() < end, [len(each.answers) for each in writing]
        assert all(each.process.poll() is None for each in writing)
        time.sleep(0.01)
