"""Until when an answer is of use: whatever is waited for below ends by then."""

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_end: ContextVar[float | None] = ContextVar("end", default=None)


def end() -> float | None:
    """The moment, of `time.monotonic`, by which all must be over; None outside of any block."""
    return _end.get()


def left() -> float:
    """The seconds until then, 0.0 if it is over; `math.inf` outside of any block."""
    known = _end.get()
    return math.inf if known is None else max(0.0, known - time.monotonic())


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """All that is asked in the block is answered by then together, or is given up.

    A block inside of another can only end sooner; `math.inf` alone waits for as long as it takes.
    """
    until = time.monotonic() + seconds
    outer = _end.get()
    with _ending(until if outer is None else min(outer, until)):
        yield


@contextmanager
def anew(seconds: float) -> Iterator[None]:
    """The same, whatever is around it: for what its caller has asked to be waited for."""
    with _ending(time.monotonic() + seconds):
        yield


@contextmanager
def _ending(until: float) -> Iterator[None]:
    token = _end.set(until)
    try:
        yield
    finally:
        _end.reset(token)
