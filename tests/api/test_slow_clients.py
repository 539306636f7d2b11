"""Clients that send or read slowly, or not at all, keep nobody else waiting for long."""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest

from taskapi.api import patience
from taskapi.api.patience import PatientSocket
from taskapi.embedded.servers import Servers
from tests.api.test_gunicorn import JSON, WHO, Ask, ask, serving  # noqa: F401 - a fixture

FORM = b"Content-Type: multipart/form-data; boundary=x\r\n"
LONG = b"Content-Length: 900000\r\n\r\n"
LIVE = b"GET /health/live HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
SERVED = b"HTTP/1.1 200 OK"
TASK = b"POST /tasks HTTP/1.1\r\n" + WHO + JSON + b'Content-Length: 13\r\n\r\n{"title":"t"}'
IDLE = {
    "before the first byte": b"",
    "in the head": b"GET /health/live HTTP/1.1\r\nHost: x\r\n",
    "in a body": b"POST /login HTTP/1.1\r\nHost: x\r\n" + JSON + LONG,
    "in a file": b"POST /tasks/1/files HTTP/1.1\r\n" + WHO + FORM + LONG + b"--x\r\n",
    "in a refused file": b"POST /tasks/77/files HTTP/1.1\r\n" + WHO + FORM + LONG + b"--x\r\n",
    "in an unwanted body": b"POST /tasks/1/files HTTP/1.1\r\nHost: x\r\n" + FORM + LONG + b"--x\r\n",
    "at the end": LIVE,
}
MANY = 6


@pytest.fixture(scope="module")
def port(servers: Servers) -> Iterator[int]:
    """Where a worker with two threads and one second of patience serves."""
    with serving(servers, "tests.api.hasty.Worker") as found:
        yield found


@pytest.fixture
def held(port: int) -> Iterator[list[socket.socket]]:
    """Several connections for each thread."""
    with ExitStack() as stack:
        yield [stack.enter_context(socket.create_connection(("127.0.0.1", port), 60)) for _ in range(MANY)]


@pytest.mark.parametrize("where", IDLE)
def test_who_stands_still_is_given_up(ask: Ask, port: int, held: list[socket.socket], where: str) -> None:  # noqa: F811
    ask(TASK)
    for connection in held:
        connection.sendall(IDLE[where])
    with socket.create_connection(("127.0.0.1", port), 12) as connection:
        connection.sendall(LIVE)
        assert connection.recv(1000).startswith(SERVED)


def test_who_may_not_is_told_so_though_they_send_much(ask: Ask) -> None:  # noqa: F811
    size = 5 << 20
    head = b"POST /tasks/1/files HTTP/1.1\r\nHost: x\r\n" + FORM + b"Content-Length: %d\r\n\r\n" % size
    assert ask(head + b"a" * size)[0] == 401


@pytest.fixture
def pair(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[PatientSocket, socket.socket]]:
    """A connection that waits for a fifth of a second, and its other end."""
    monkeypatch.setattr(patience, "PATIENCE_SECONDS", 0.2)
    ours, theirs = socket.socketpair()
    with PatientSocket(ours) as patient, theirs:
        patient.setblocking(True)
        yield patient, theirs


def test_who_goes_on_sending_is_waited_for(pair: tuple[PatientSocket, socket.socket]) -> None:
    patient, theirs = pair
    for _ in range(6):
        theirs.sendall(b"a" * patience.SLOWEST_BYTES)
        time.sleep(0.05)
        assert len(patient.recv(patience.SLOWEST_BYTES)) == patience.SLOWEST_BYTES


def test_who_sends_single_bytes_is_not(pair: tuple[PatientSocket, socket.socket]) -> None:
    patient, theirs = pair
    enough = threading.Event()

    def drip() -> None:
        while not enough.wait(0.02):
            theirs.sendall(b"a")

    with ThreadPoolExecutor(1) as pool:
        pool.submit(drip)
        try:
            with pytest.raises(ConnectionResetError):
                _ = [patient.recv(10) for _ in range(100)]
        finally:
            enough.set()


def test_who_reads_nothing_is_not_either(pair: tuple[PatientSocket, socket.socket]) -> None:
    with pytest.raises(ConnectionResetError):
        pair[0].sendall(os.urandom(1 << 20))


def test_each_request_has_all_the_patience(pair: tuple[PatientSocket, socket.socket]) -> None:
    patient, theirs = pair
    for _ in range(3):
        with pytest.raises(ConnectionResetError):
            patient.recv(10)
        patient.setblocking(True)
    theirs.sendall(b"a")
    assert patient.recv(10) == b"a"


def test_a_shorter_time_out_is_kept_to(pair: tuple[PatientSocket, socket.socket]) -> None:
    pair[0].settimeout(0.01)
    with pytest.raises(TimeoutError):
        pair[0].recv(10)


def test_at_the_end_nobody_waits(pair: tuple[PatientSocket, socket.socket]) -> None:
    pair[0].shutdown(socket.SHUT_WR)
    with pytest.raises(BlockingIOError):
        pair[0].recv(10)
