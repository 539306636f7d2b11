"""The faults that a link can have, each for as long as a block lasts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

from tests.faults.proxy import Proxy

Fault = Callable[[Proxy], AbstractContextManager[None]]


@contextmanager
def resetting(proxy: Proxy) -> Iterator[None]:
    """What is open is cut, once."""
    proxy.reset()
    yield


@contextmanager
def forgotten(proxy: Proxy) -> Iterator[None]:
    """What is open leads nowhere, once."""
    proxy.forget()
    yield


FAULTS: dict[str, Fault] = {
    "black hole": Proxy.black_hole,
    "reset": resetting,
    "forgotten": forgotten,
    "refused": Proxy.refusing,
    "200 ms": Proxy.late,
    "not answered": Proxy.mute,
}
