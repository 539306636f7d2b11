"""Real workers and beats, started as an operator does, on addresses that a test chooses."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from taskapi.config import PROJECT_ROOT

PATIENCE_SECONDS = 30

Program = subprocess.Popen[bytes]


@contextmanager
def worker(environment: dict[str, str], name: str, processes: int, *options: str) -> Iterator[Program]:
    """A worker with so many processes."""
    with _running(environment, "worker", "-c", str(processes), "-n", f"{name}@faults", *options) as program:
        yield program


@contextmanager
def beat(environment: dict[str, str], notes: Path) -> Iterator[Program]:
    """A beat that keeps its notes in that file."""
    with _running(environment, "beat", "-s", str(notes), "--pidfile=") as program:
        yield program


@contextmanager
def crew(environment: dict[str, str], notes: Path, workers: int, beats: int) -> Iterator[list[Program]]:
    """So many of each; the workers first."""
    with ExitStack() as stack:
        programs = [stack.enter_context(worker(environment, f"w{number}", 1)) for number in range(workers)]
        programs += [
            stack.enter_context(beat(environment, notes / f"beat{number}")) for number in range(beats)
        ]
        yield programs


@contextmanager
def _running(environment: dict[str, str], *command: str) -> Iterator[Program]:
    """In a group of its own, so that a worker's children end with it, whatever became of it."""
    celery = [sys.executable, "-m", "celery", "--quiet", "-A", "celery_app", *command, "-l", "INFO"]
    program = subprocess.Popen(celery, cwd=PROJECT_ROOT, env=os.environ | environment, start_new_session=True)
    try:
        yield program
    finally:
        _end(program)


def _end(program: Program) -> None:
    if program.poll() is None:
        os.killpg(program.pid, signal.SIGCONT)
        program.terminate()
    try:
        program.wait(PATIENCE_SECONDS)
    finally:
        if _is_left(program):
            os.killpg(program.pid, signal.SIGKILL)
        program.wait()


def _is_left(program: Program) -> bool:
    try:
        os.killpg(program.pid, 0)
    except ProcessLookupError:
        return False
    return True
