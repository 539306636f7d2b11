"""Notes of who runs on a home, in a form that a recycled pid can never fit."""

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from taskapi.embedded.home import Home


@dataclass(frozen=True)
class Note:
    """A pid, since when it runs (in the words of the kernel), and how it is stopped: signal and seconds."""

    pid: int
    since: str | None
    stop_signal: int
    patience: float

    @classmethod
    def about(cls, pid: int, stop_signal: signal.Signals, patience: float) -> "Note":
        """The note of a program that runs now."""
        return cls(pid, started_at(pid), int(stop_signal), patience)

    @classmethod
    def read(cls, path: Path) -> "Note | None":
        """The note at this place, if there is one."""
        return cls(**json.loads(path.read_text())) if path.exists() else None

    def write(self, home: Home, path: Path) -> None:
        """Keeps the note at this place."""
        home.write_private(path, json.dumps(asdict(self)))

    def still_runs(self) -> bool:
        """Whether this very program runs: the pid alone could be somebody else's by now."""
        return self.since is not None and started_at(self.pid) == self.since

    def ask_to_stop(self) -> None:
        """Sends its signal, if it still runs."""
        if self.still_runs():
            os.kill(self.pid, self.stop_signal)

    def wait_for_end(self) -> bool:
        """False if that did not come within its patience."""
        end = time.monotonic() + self.patience
        while self.still_runs():
            if time.monotonic() > end:
                return False
            time.sleep(0.02)
        return True


def end_leftovers(home: Home) -> list[str]:
    """Ends what a killed supervisor left on this home, and names it."""
    notes = {path: Note.read(path) for path in sorted(home.run.glob("*.pid"))}
    running = {path: note for path, note in notes.items() if note is not None and note.still_runs()}
    for note in running.values():
        note.ask_to_stop()
    for note in running.values():
        note.wait_for_end()
        end_group(note.pid)
        note.wait_for_end()
    for path, left in notes.items():
        if left is not None and started_at(left.pid) is None:
            end_group(left.pid)  # its leader is dead, so the group can be nobody else's
            _wait_for_empty_group(left.pid)
        path.unlink()
    return [path.stem for path in running]


def end_group(pid: int) -> None:
    """Kills every program of the group that this pid leads, if there is one."""
    try:
        os.killpg(pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        return  # nobody is left in it (macOS says so by refusing)


def _wait_for_empty_group(pid: int) -> None:
    """What was killed holds its port until it is gone."""
    end = time.monotonic() + 3
    while time.monotonic() < end:
        try:
            os.killpg(pid, 0)
        except (ProcessLookupError, PermissionError):
            return
        time.sleep(0.02)


def started_at(pid: int) -> str | None:
    """When this pid was started, in the kernel's words; None if there is none, or only a zombie."""
    return _from_proc(pid) if sys.platform == "linux" else _from_ps(pid)


def _from_proc(pid: int) -> str | None:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return None if stat[0] == "Z" else stat[19]


def _from_ps(pid: int) -> str | None:
    command = ["/bin/ps", "-o", "lstart=", "-p", str(pid)]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip() or None
