"""One answer of another server: JSON of a bounded size within a bounded time, or a refusal."""

from __future__ import annotations

import contextlib
import logging
import socket
import threading
import time
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urljoin, urlsplit

import orjson
import structlog
import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError, NewConnectionError
from urllib3.exceptions import TimeoutError as TooLate

from taskapi.domain import deadlines
from taskapi.domain.errors import UpstreamFailed, UpstreamSlow

MOST_SECONDS = 2.0
MOST_BYTES = 64 * 1024
MOST_REDIRECTS = 3
REST_SECONDS = 5.0
HEADERS = {"Accept": "application/json", "Accept-Encoding": "identity", "User-Agent": "taskapi"}
TOO_SLOW = "The other server did not answer in time."
MOVED = frozenset({301, 302, 303, 307, 308})

log = structlog.get_logger("taskapi.upstream")
# At DEBUG it would tell addresses, with the keys that are in them.
logging.getLogger("urllib3").setLevel(logging.WARNING)


class Upstream:
    """The server at an address. After a failure nobody asks it for `REST_SECONDS`: they are told the same."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._rests_until = 0.0
        self._fault: UpstreamFailed = UpstreamFailed("It was not asked yet.")

    def json(self) -> bytes:
        """What it answers to a GET, as compact JSON; at most `MOST_BYTES` were read in `MOST_SECONDS`.

        Raises UpstreamSlow if there was no whole answer by then, or by the deadline of who asks, and
        UpstreamFailed if it is away, refuses, or answers with anything but JSON.
        """
        rests = self._rests_until - time.monotonic()
        if rests > 0:
            raise type(self._fault)(str(self._fault), rests)
        try:
            return _answered(self.url, min(MOST_SECONDS, deadlines.left()))
        except UpstreamFailed as fault:
            self._fault, self._rests_until = fault, time.monotonic() + REST_SECONDS
            log.warning("upstream failed", reason=str(fault))
            fault.retry_after = REST_SECONDS
            raise


@dataclass(slots=True)
class _Call:
    """One call: `answer`, or `fault`, once it is over; whoever gives it up ends its connections."""

    url: str
    until: float
    answer: bytes | None = None
    fault: UpstreamFailed | None = None
    is_given_up: bool = False
    sockets: list[socket.socket] = field(default_factory=list)

    def watch(self, opened: socket.socket) -> socket.socket:
        """The same socket, which ends with the call: by a second handle, as TLS takes the first one away."""
        self.sockets.append(opened.dup())
        if self.is_given_up:
            self.give_up()
        return opened

    def give_up(self) -> None:
        """Ends whatever it still waits for."""
        self.is_given_up = True
        for each in self.sockets:
            with contextlib.suppress(OSError):  # the other server was faster
                each.shutdown(socket.SHUT_RDWR)

    def left(self) -> float:
        """The seconds until it is given up."""
        return max(0.001, self.until - time.monotonic())


def _answered(url: str, seconds: float) -> bytes:
    """The call is made in a thread of its own: a name that is looked up, or single bytes that drip in, keep
    to no time-out."""
    call = _Call(url, time.monotonic() + seconds)
    thread = threading.Thread(target=_make, args=(call,), daemon=True, name="upstream")
    thread.start()
    thread.join(seconds)
    if thread.is_alive():
        call.give_up()
        raise UpstreamSlow(TOO_SLOW)
    if call.fault is not None:
        raise call.fault
    if call.answer is None:
        raise RuntimeError("The call has failed; its own thread has told why.")
    return call.answer


def _make(call: _Call) -> None:
    try:
        call.answer = _read(call)
    except UpstreamFailed as fault:
        call.fault = fault
    except (HTTPError, OSError, ValueError) as fault:  # urllib3 lets some of http.client's own through
        call.fault = _meant(fault)
    finally:
        for each in call.sockets:
            each.close()


def _meant(fault: Exception) -> UpstreamFailed:
    """A connection that was refused is a time-out to urllib3."""
    if isinstance(fault, (TooLate, TimeoutError)) and not isinstance(fault, NewConnectionError):
        return UpstreamSlow(TOO_SLOW)
    return UpstreamFailed(f"The other server could not be asked ({type(fault).__name__}).")


def _read(call: _Call) -> bytes:
    """The JSON behind the address, redirects followed."""
    url = call.url
    for _ in range(MOST_REDIRECTS + 1):
        with _pools(call) as pools, contextlib.closing(_response(call, pools, url)) as response:
            if response.status not in MOVED:
                return _json(response)
            url = _followed(url, response.headers.get("Location", ""))
    raise UpstreamFailed("The other server redirects again and again.")


def _response(call: _Call, pools: urllib3.PoolManager, url: str) -> urllib3.BaseHTTPResponse:
    """Its head; the body is still to be read."""
    as_it_is: dict[str, Any] = {"redirect": False, "retries": False, "preload_content": False}
    return pools.request("GET", url, headers=HEADERS, timeout=call.left(), **as_it_is)


def _followed(url: str, location: str) -> str:
    target = urljoin(url, location)
    if not location or urlsplit(target).scheme not in {urlsplit(url).scheme, "https"}:
        raise UpstreamFailed("The other server redirects to where nothing is asked.")
    return target


def _json(response: urllib3.BaseHTTPResponse) -> bytes:
    if not 200 <= response.status < 300:
        raise UpstreamFailed(f"The other server answered with {response.status}.")
    body = response.read(MOST_BYTES + 1)
    if len(body) > MOST_BYTES:
        raise UpstreamFailed("The other server answered with more than is read.")
    try:
        return orjson.dumps(orjson.loads(body))
    except orjson.JSONDecodeError:
        raise UpstreamFailed("The other server answered with something that is not JSON.") from None


def _pools(call: _Call) -> urllib3.PoolManager:
    """Connections that end with the call."""

    class Plain(HTTPConnection):
        def _new_conn(self) -> socket.socket:
            return call.watch(super()._new_conn())

    class Secure(HTTPSConnection):
        def _new_conn(self) -> socket.socket:
            return call.watch(super()._new_conn())

    class PlainPool(urllib3.HTTPConnectionPool):
        ConnectionCls = Plain

    class SecurePool(urllib3.HTTPSConnectionPool):
        ConnectionCls = Secure

    pools = urllib3.PoolManager(num_pools=1)
    pools.pool_classes_by_scheme = {"http": PlainPool, "https": SecurePool}
    return pools
