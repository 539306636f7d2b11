"""Named lines at which a test can stop the program; while none is armed they cost next to nothing."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

_armed: dict[str, Callable[[], None]] = {}


def reach(name: str) -> None:
    """Does what was armed for this line, if anything."""
    if _armed:
        _armed.get(name, lambda: None)()


@contextmanager
def armed(name: str, act: Callable[[], None]) -> Iterator[None]:
    """Within the block, whoever reaches that line runs `act`."""
    _armed[name] = act
    try:
        yield
    finally:
        del _armed[name]
