"""How far a long work is: a number from 0 to 1, told to whoever waits."""

from collections.abc import Callable

Progress = Callable[[float], None]


def unseen(_: float) -> None:
    """Nobody waits."""


def part(progress: Progress, start: float, end: float) -> Progress:
    """The progress of a part that takes the whole from `start` to `end`."""
    return lambda share: progress(start + (end - start) * min(1.0, max(0.0, share)))
