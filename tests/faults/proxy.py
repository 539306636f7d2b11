"""A TCP proxy on the loopback between a client and a server, with faults that can come and go at any time."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

CHUNK = 1 << 20
LATENCY_SECONDS = 0.2
_RESETS = struct.pack("ii", 1, 0)


class Link:
    """One connection through the proxy. One that `is_lost` swallows whatever is sent, for ever."""

    def __init__(self, client: socket.socket, server: socket.socket) -> None:
        self.client, self.server = client, server
        self.is_lost = False
        self.held_until = 0.0

    def close(self, *, reset: bool) -> None:
        """Ends both sides; with a reset, not with a word of goodbye."""
        for side in (self.client, self.server):
            with contextlib.suppress(OSError):
                if reset:
                    side.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESETS)
                side.shutdown(socket.SHUT_RD)
            side.close()


class Proxy:
    """Listens on a port of its own and carries everything to `url`'s server, as far as no fault is on."""

    def __init__(self, url: str) -> None:
        self._target = urlsplit(url)
        self._weather = threading.Condition()
        self._is_black = False
        self._latency = 0.0
        self._held: tuple[bytes, float] | None = None
        self._last_words: bytes | None = None
        self._is_mute = False
        self._links: set[Link] = set()
        self._is_open = True
        self._listener = _listening(0)
        self.port: int = self._listener.getsockname()[1]
        self.held = threading.Event()
        self._begin(self._accept, self._listener)

    @property
    def url(self) -> str:
        """The server's address, by way of this proxy."""
        port = f":{self._target.port}"
        return self._target.geturl().replace(f"{self._target.hostname}{port}", f"127.0.0.1:{self.port}", 1)

    @contextmanager
    def black_hole(self) -> Iterator[None]:
        """Connections are accepted, and nothing comes; what was sent arrives afterwards."""
        with self._while("_is_black", True):
            yield

    @contextmanager
    def late(self, seconds: float = LATENCY_SECONDS) -> Iterator[None]:
        """Everything takes so much longer, each way."""
        with self._while("_latency", seconds):
            yield

    @contextmanager
    def refusing(self) -> Iterator[None]:
        """Nobody listens, and what was open is gone."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        with contextlib.closing(_bound(self.port)):
            self.reset()
            yield
        self._listener = _listening(self.port)
        self._begin(self._accept, self._listener)

    @contextmanager
    def reply_held(self, to: bytes, seconds: float) -> Iterator[None]:
        """The reply to the next request with these bytes is held back, after the server has done it.

        `held` is set once that has happened.
        """
        self.held.clear()
        with self._while("_held", (to, seconds)):
            yield

    @contextmanager
    def mute(self, after: bytes = b"") -> Iterator[None]:
        """From the next request with these bytes on everything is done, and nothing is answered."""
        with self._while("_last_words", after), self._while("_is_mute", False):
            yield

    def reset(self) -> None:
        """All that is open is cut with a RST."""
        for link in tuple(self._links):
            link.close(reset=True)

    def forget(self) -> None:
        """What is open now leads nowhere, and nobody is told: a firewall has lost its table."""
        for link in tuple(self._links):
            link.is_lost = True

    def close(self) -> None:
        """The end."""
        self._is_open = False
        with self._weather:
            self._weather.notify_all()
        self._listener.close()
        self.reset()

    @contextmanager
    def _while(self, fault: str, value: object) -> Iterator[None]:
        before = getattr(self, fault)
        setattr(self, fault, value)
        try:
            yield
        finally:
            with self._weather:
                setattr(self, fault, before)
                self._weather.notify_all()

    def _begin(self, work: Callable[..., None], *args: object) -> None:
        threading.Thread(target=work, args=args, daemon=True).start()

    def _accept(self, listener: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = listener.accept()
                self._connect(client)

    def _connect(self, client: socket.socket) -> None:
        try:
            server = socket.create_connection((self._target.hostname, self._target.port))
        except ConnectionRefusedError:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESETS)
            client.close()
            return
        link = Link(client, server)
        for side in (client, server):
            side.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._links.add(link)
        self._begin(self._carry, link, client, server, self._note_request)
        self._begin(self._carry, link, server, client, self._await_reply)

    def _carry(
        self,
        link: Link,
        source: socket.socket,
        sink: socket.socket,
        noted: Callable[[Link, bytes], None],
    ) -> None:
        with contextlib.suppress(OSError):
            while self._is_open and (data := source.recv(CHUNK)):
                noted(link, data)
                time.sleep(self._latency)
                with self._weather:
                    self._weather.wait_for(lambda: not (self._is_black and self._is_open))
                if not link.is_lost:
                    sink.sendall(data)
        if not link.is_lost:
            link.close(reset=False)
            self._links.discard(link)

    def _note_request(self, link: Link, data: bytes) -> None:
        if self._held and self._held[0] in data:
            link.held_until = time.monotonic() + self._held[1]
            self._held = None
        if self._last_words is not None and self._last_words in data:
            self._is_mute = True

    def _await_reply(self, link: Link, _: bytes) -> None:
        if link.held_until:
            self.held.set()
            time.sleep(max(0.0, link.held_until - time.monotonic()))
            link.held_until = 0.0
        with self._weather:
            self._weather.wait_for(lambda: not (self._is_mute and self._is_open))


def _bound(port: int) -> socket.socket:
    made = socket.socket()
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    made.bind(("127.0.0.1", port))
    return made


def _listening(port: int) -> socket.socket:
    made = _bound(port)
    made.listen(64)
    return made
