"""What the terminal shows: each line of each part, readable, with the name of the part in front."""

import os
import sys
from pathlib import Path

from taskapi.logs import readable

_COLOURS = {"api": 32, "worker": 36, "beat": 35, "redis": 31, "broker": 33, "postgres": 34}
_WIDTH = 9


class Terminal:
    """Follows logs and prints what is new in them. Nothing here can hold up or end the parts themselves."""

    def __init__(self) -> None:
        self._followed: list[_Followed] = []
        self._coloured = sys.stdout.isatty() and "NO_COLOR" not in os.environ

    def follow(self, name: str, log: Path, start: int) -> None:
        """From now on shows what is added to this log behind `start`."""
        self._followed.append(_Followed(name, log, start))

    def show_news(self) -> None:
        """Prints every whole line that was added since the last time."""
        for each in self._followed:
            for line in each.new_lines():
                for part in readable(line).split("\n"):
                    self.say(f"{self._prefix(each.name)} {part}")

    def say(self, line: str) -> None:
        """Prints one line. When the terminal is gone, the logs remain."""
        try:
            print(line, flush=True)
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())

    def _prefix(self, name: str) -> str:
        text = f"{name:<{_WIDTH}}|"
        return f"\x1b[{_COLOURS.get(name, 37)}m{text}\x1b[0m" if self._coloured else text


class _Followed:
    def __init__(self, name: str, log: Path, start: int) -> None:
        self.name = name
        self._log = log
        self._position = start
        self._begun = b""

    def new_lines(self) -> list[str]:
        with self._log.open("rb") as file:
            file.seek(self._position)
            added = file.read()
        self._position += len(added)
        *lines, self._begun = (self._begun + added).split(b"\n")
        return [line.decode(errors="replace").rstrip() for line in lines]
