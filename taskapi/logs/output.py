"""Where lines go: whole, one after the other, to standard error."""

import logging
import os
from collections.abc import Callable
from contextlib import suppress

STANDARD_ERROR = 2


def write(line: bytes) -> None:
    """Writes one line at once, past every buffer: those of many processes and threads stay whole.

    That nobody takes it any more ends nothing: what a line tells of goes on.
    """
    rest = memoryview(line + b"\n")
    with suppress(OSError):
        while rest:
            rest = rest[os.write(STANDARD_ERROR, rest) :]


class Output:
    """What structlog writes to; knows which part of the program it speaks for."""

    __slots__ = ("name",)

    def __init__(self, name: str = "taskapi") -> None:
        self.name = name

    def msg(self, line: bytes) -> None:
        """Writes it."""
        write(line)

    debug = info = warning = error = critical = exception = log = msg


class Routed(logging.Handler):
    """Writes what libraries say, each record made a line by `render`."""

    def __init__(self, render: Callable[[logging.LogRecord], bytes]) -> None:
        super().__init__()
        self.render = render

    def emit(self, record: logging.LogRecord) -> None:
        """Writes the record; one whose words do not fit together is written as it was meant."""
        try:
            line = self.render(record)
        except (TypeError, ValueError, LookupError, AttributeError):
            record.args, record.exc_info = None, None
            line = self.render(record)
        write(line)
