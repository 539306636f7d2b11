"""A client's connection that is waited for as long as a slow client needs, and not for ever."""

from __future__ import annotations

import errno
import socket
import time
from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

PATIENCE_SECONDS = 10.0
"""To wait in one request before anything has come; of a client that sends nothing, that is all."""

SLOWEST_BYTES = 4096
"""What must come or go in each second that is waited for beyond that."""

PIECE_BYTES = 64 * 1024
Answer = TypeVar("Answer")


class PatientSocket(socket.socket):
    """A connection whose waiting in one request is bounded; then it counts as broken off.

    A thread waits on it, and there are few of them: some idle connections would stop all others.
    """

    def __init__(self, accepted: socket.socket) -> None:
        """Takes the connection over."""
        super().__init__(fileno=accepted.detach())
        self._waited, self._moved, self._is_over = 0.0, 0, False

    def setblocking(self, flag: bool) -> None:
        """With True, which begins a request, all the patience is there again."""
        self._waited, self._moved = 0.0, 0
        self.settimeout(PATIENCE_SECONDS if flag else 0.0)

    def shutdown(self, how: int) -> None:
        """Nobody waits any more, for whoever does so is the one who accepts all connections."""
        self._is_over = True
        super().shutdown(how)

    def recv(self, *args: Any) -> bytes:
        """What has come; raises ConnectionResetError for who is too slow."""
        if self._is_over:
            self.settimeout(0.0)
            return super().recv(*args)
        some = self._patiently(partial(super().recv, *args))
        self._moved += len(some)
        return some

    def sendall(self, data: Any, *args: Any) -> None:
        """Sends it all, piece by piece; raises ConnectionResetError likewise."""
        rest = memoryview(data)
        while rest:
            piece, rest = rest[:PIECE_BYTES], rest[PIECE_BYTES:]
            self._patiently(partial(super().sendall, piece, *args))
            self._moved += len(piece)

    def _patiently(self, wait: Callable[[], Answer]) -> Answer:
        given, begun = self.gettimeout() or 0.0, time.monotonic()
        left = PATIENCE_SECONDS + self._moved / SLOWEST_BYTES - self._waited
        self.settimeout(max(0.001, min(given, left)))
        try:
            return wait()
        except TimeoutError:
            if given < min(left, PATIENCE_SECONDS):
                raise  # who waits has asked for less
            raise ConnectionResetError(errno.ECONNRESET, "The client is too slow.") from None
        finally:
            self._waited += time.monotonic() - begun
            self.settimeout(given)
