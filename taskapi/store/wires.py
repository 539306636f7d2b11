"""Connections to a Redis that wait for nothing longer than its answer is of use."""

from __future__ import annotations

from typing import Any

from redis.connection import (
    AbstractConnection,
    Connection,
    SSLConnection,
    UnixDomainSocketConnection,
    parse_url,
)
from redis.exceptions import TimeoutError as TimeoutFault

from taskapi.domain import deadlines


class Wire(AbstractConnection):
    """What all of them have in common: time-outs of their own, shortened to what is left."""

    def __init__(self, *, socket_timeout: float, socket_connect_timeout: float, **options: Any) -> None:
        self._patience = (socket_timeout, socket_connect_timeout)
        super().__init__(
            socket_timeout=socket_timeout, socket_connect_timeout=socket_connect_timeout, **options
        )

    def send_packed_command(self, command: Any, check_health: bool = True) -> None:
        """Sends it; raises TimeoutError when it is too late for that."""
        self._shorten()
        super().send_packed_command(command, check_health)  # type: ignore[no-untyped-call]

    def read_response(self, *args: Any, **options: Any) -> Any:
        """The answer; raises TimeoutError, and leaves none behind."""
        self._shorten()
        return super().read_response(*args, **options)

    def _shorten(self) -> None:
        left = deadlines.left()
        if left <= 0:
            self.disconnect()  # type: ignore[no-untyped-call]
            raise TimeoutFault("There is no time left for an answer.")
        answer, connect = (min(patience, left) for patience in self._patience)
        if answer != self.socket_timeout:
            self.socket_timeout, self.socket_connect_timeout = answer, connect
            sock: Any = self._sock
            if sock is not None:
                sock.settimeout(answer)


class TcpWire(Wire, Connection):
    """Over TCP."""


class TlsWire(Wire, SSLConnection):
    """Over TLS."""


class UnixWire(Wire, UnixDomainSocketConnection):
    """Over a socket of this machine."""


_WIRES: dict[type, Any] = {
    Connection: TcpWire,
    SSLConnection: TlsWire,
    UnixDomainSocketConnection: UnixWire,
}


def wire_for(url: str) -> type[Wire]:
    """The kind of connection that the address asks for."""
    asked: dict[str, Any] = parse_url(url)  # type: ignore[no-untyped-call]
    wire: type[Wire] = _WIRES[asked.get("connection_class", Connection)]
    return wire
