"""Ports of this machine: which are free, and the sentence for one that is not."""

import errno
import socket

from taskapi.embedded.refusals import StartRefused

LOOPBACK = "127.0.0.1"


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])


def is_free(port: int, host: str = LOOPBACK) -> bool:
    """Whether a server could listen there. Raises StartRefused for an address that is not this machine's."""
    family, kind, protocol, _, address = _resolve(host, port)
    with socket.socket(family, kind, protocol) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(address)
        except OSError as fault:
            if fault.errno == errno.EADDRNOTAVAIL:
                raise StartRefused(
                    f"{host} is no address of this machine: set SERVER_HOST to one."
                ) from fault
            return False
    return True


def require_free(port: int, variable: str, host: str = LOOPBACK) -> None:
    """Raises StartRefused, naming the variable that sets the port, if the port is taken."""
    if not is_free(port, host):
        raise StartRefused(
            f"Port {port} is busy: stop what listens there, or set {variable} to another port."
        )


def first_free(start: int, taken: set[int]) -> int:
    """The first free port from `start` on that is not among those taken."""
    return next(port for port in range(start, 65536) if port not in taken and is_free(port))


def _resolve(host: str, port: int) -> tuple[int, int, int, str, tuple[str, int]]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except OSError:
        raise StartRefused(
            f"SERVER_HOST {host} is not an address of this machine: set it to 127.0.0.1 or 0.0.0.0."
        ) from None
    return found[0]  # type: ignore[return-value]
