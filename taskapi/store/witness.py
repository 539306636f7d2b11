"""What this process has acknowledged: a Redis that is opened anew may have come back without it."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping

EPOCH_BITS = 32


class Witness:
    """The highest version of each epoch that this process was told was written, until Redis has heard of it.

    It is in doubt after a connection was made anew: the server may be another than before.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._highest: dict[int, int] = {}
        self._doubts = False

    @property
    def must_tell(self) -> bool:
        """Whether an epoch has ended of which Redis has not been told, or may have."""
        return self._doubts or len(self._highest) > 1

    def saw(self, versions: Iterable[int]) -> None:
        """Notes the answer to a write."""
        highest = max(versions, default=0)
        epoch = highest >> EPOCH_BITS
        with self._lock:
            if highest > self._highest.get(epoch, 0):
                self._highest[epoch] = highest

    def doubt(self, _connection: object = None) -> None:
        """A connection is new: a process that has written before asks Redis which epoch it is in."""
        self._doubts = bool(self._highest)

    def known(self) -> dict[int, int]:
        """The highest version of each epoch; nothing is in doubt from now on."""
        with self._lock:
            self._doubts = False
            return dict(self._highest)

    def forget(self, told: Mapping[int, int], epoch: int) -> None:
        """Redis, in that epoch, has heard of those; what was seen of them since is to be told again."""
        with self._lock:
            for each, highest in told.items():
                if each < epoch and self._highest.get(each) == highest:
                    del self._highest[each]
