"""Requests over kept connections, counted: two processes, each with eight connections in one loop."""

import multiprocessing
import selectors
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from statistics import median

CONNECTIONS, PROCESSES = 16, 2

Requests = Callable[[int], Iterator[bytes]]
"""The texts of the requests that one connection, by its number, sends."""


class Measured:
    """Answers per second, and how long they took: median and 99th percentile in milliseconds."""

    def __init__(self, times: list[float], seconds: float, refused: int) -> None:
        self.rate = len(times) / seconds
        self.median_ms = median(times) * 1000 if times else float("nan")
        self.p99_ms = sorted(times)[int(len(times) * 0.99)] * 1000 if times else float("nan")
        self.refused = refused


@dataclass
class Line:
    """One connection: what it sends next, when it sent last, and how much of the answer is missing."""

    socket: socket.socket
    requests: Iterator[bytes]
    begun: float = 0.0
    answer: bytes = b""
    missing: int = -1

    def send(self) -> None:
        """Sends the next request."""
        self.begun, self.answer, self.missing = time.perf_counter(), b"", -1
        self.socket.sendall(next(self.requests))

    def is_answered(self) -> bool:
        """Reads what has come; whether that completes the answer."""
        part = self.socket.recv(262_144)
        if self.missing < 0:
            self.answer += part
            head, parted, body = self.answer.partition(b"\r\n\r\n")
            if not parted:
                return False
            length = head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0]
            self.missing = int(length) - len(body)
        else:
            self.missing -= len(part)
        return self.missing == 0

    @property
    def is_refused(self) -> bool:
        """Whether the status is none of success."""
        return not self.answer.startswith(b"HTTP/1.1 2")


@dataclass
class Tally:
    """The answers of one process."""

    times: list[float] = field(default_factory=list)
    refused: int = 0


def measure(port: int, requests: Requests, seconds: float) -> Measured:
    """Sends as fast as answers come, for that many seconds, after a quarter of them to warm up."""
    fork = multiprocessing.get_context("fork")
    results = fork.SimpleQueue()
    share = CONNECTIONS // PROCESSES
    shares = [range(n * share, (n + 1) * share) for n in range(PROCESSES)]
    workers = [fork.Process(target=_work, args=(results, port, requests, seconds, each)) for each in shares]
    for worker in workers:
        worker.start()
    tallies: list[Tally] = [results.get() for _ in workers]
    for worker in workers:
        worker.join()
    times = [took for tally in tallies for took in tally.times]
    return Measured(times, seconds, sum(tally.refused for tally in tallies))


def _work(results, port: int, requests: Requests, seconds: float, numbers: range) -> None:
    selector, tally = selectors.DefaultSelector(), Tally()
    for number in numbers:
        line = Line(socket.create_connection(("127.0.0.1", port)), requests(number))
        line.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        selector.register(line.socket, selectors.EVENT_READ, line)
        line.send()
    counted_from = time.perf_counter() + seconds / 4
    while time.perf_counter() < counted_from + seconds:
        for key, _ in selector.select(1):
            _hear(key.data, tally, counted_from)
    results.put(tally)


def _hear(line: Line, tally: Tally, counted_from: float) -> None:
    if line.is_answered():
        if line.begun >= counted_from:
            tally.times.append(time.perf_counter() - line.begun)
            tally.refused += line.is_refused
        line.send()
