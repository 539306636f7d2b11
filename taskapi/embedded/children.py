"""Child programs: started in sessions of their own, written down, and never left behind."""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from taskapi.embedded.accounts import Account
from taskapi.embedded.home import Home
from taskapi.embedded.notes import Note, end_group

_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None
_LOG_LIMIT = 20_000_000


@dataclass(frozen=True)
class Program:
    """What to start. `ready` is asked until it says yes; after `stop_signal` it has `patience` seconds."""

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    ready: Callable[["Child"], bool] = lambda child: True
    stop_signal: signal.Signals = signal.SIGTERM
    patience: float = 10.0
    folder: Path = Path("/")
    account: Account | None = None


class Child:
    """A running program, the leader of its own group, with its output in a log of the home."""

    def __init__(self, program: Program, home: Home) -> None:
        self.program = program
        self.log = home.logs / f"{program.name}.log"
        _shorten(self.log)
        self.log_start = self.log.stat().st_size if self.log.exists() else 0
        self._popen = _spawn(program, self.log)
        self._pid_file = home.run / f"{program.name}.pid"
        Note.about(self.pid, program.stop_signal, program.patience).write(home, self._pid_file)

    @property
    def pid(self) -> int:
        return self._popen.pid

    def exit_code(self) -> int | None:
        """None while it runs; negative: the signal that ended it."""
        return self._popen.poll()

    def output(self) -> str:
        """What it wrote since it was started."""
        with self.log.open("rb") as file:
            file.seek(self.log_start)
            return file.read().decode(errors="replace")

    def begin_stop(self) -> None:
        """Asks for a clean stop and does not wait for it."""
        if self.exit_code() is None:
            self._popen.send_signal(self.program.stop_signal)

    def stop(self) -> None:
        """A clean stop; what is still there after its patience is killed."""
        self.begin_stop()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._popen.wait(self.program.patience)
        self.kill()

    def kill(self) -> None:
        """Ends it and its whole group at once, as a power cut would."""
        end_group(self.pid)
        self._popen.wait()
        self._pid_file.unlink(missing_ok=True)


def wait_until_ready(child: Child, seconds: float = 30.0) -> bool:
    """True once it is ready; False if it ended, or is not ready in time."""
    end = time.monotonic() + seconds
    while child.exit_code() is None and time.monotonic() < end:
        if child.program.ready(child):
            return True
        time.sleep(0.02)
    return False


def _shorten(log: Path) -> None:
    if log.exists() and log.stat().st_size > _LOG_LIMIT:
        log.replace(log.with_suffix(".log.old"))


def _spawn(program: Program, log: Path) -> subprocess.Popen[bytes]:
    """The output goes straight into the file: a terminal that stands still never holds up a server."""
    account = program.account
    with log.open("ab") as output:
        return subprocess.Popen(
            program.command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=program.folder,
            env=dict(program.environment),
            start_new_session=True,
            umask=0o077,
            user=account.uid if account else None,
            group=account.gid if account else None,
            extra_groups=[] if account else None,
            preexec_fn=_die_with(os.getpid(), program.stop_signal),
        )


def _die_with(parent: int, stop_signal: signal.Signals) -> Callable[[], None]:
    """Linux tells the child when we die, even by kill -9. Asked last: a change of user would undo it."""

    def ask() -> None:
        if _libc is not None:
            _libc.prctl(_PR_SET_PDEATHSIG, int(stop_signal), 0, 0, 0)
            if os.getppid() != parent:
                os._exit(1)

    return ask
