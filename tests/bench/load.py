"""Requests over kept connections, counted: several processes, each with some connections."""

import multiprocessing
import socket
import threading
import time
from collections.abc import Callable, Iterator
from itertools import count
from statistics import median

Requests = Callable[[int], Iterator[bytes]]
"""The texts of the requests that one connection, by its number, sends."""


class Measured:
    """Answers per second, and how long they took: median and 99th percentile in milliseconds."""

    def __init__(self, times: list[float], seconds: float, refused: int) -> None:
        self.rate = len(times) / seconds
        self.median_ms = median(times) * 1000 if times else float("nan")
        self.p99_ms = sorted(times)[int(len(times) * 0.99)] * 1000 if times else float("nan")
        self.refused = refused


CONNECTIONS, PROCESSES = 16, 2


def measure(
    port: int, requests: Requests, seconds: float, connections: int = 16, processes: int = 2
) -> Measured:
    """Sends as fast as answers come, for that many seconds, after a quarter of them to warm up."""
    results = multiprocessing.get_context("fork").SimpleQueue()
    share = CONNECTIONS // PROCESSES
    workers = [
        multiprocessing.get_context("fork").Process(
            target=_work, args=(results, port, requests, seconds, range(n * share, (n + 1) * share))
        )
        for n in range(PROCESSES)
    ]
    for worker in workers:
        worker.start()
    found = [results.get() for _ in workers]
    for worker in workers:
        worker.join()
    return Measured([took for times, _ in found for took in times], seconds, sum(bad for _, bad in found))


def _work(results, port: int, requests: Requests, seconds: float, numbers: range) -> None:
    times: list[float] = []
    refused = count()
    threads = [
        threading.Thread(target=_send, args=(port, requests(number), seconds, times, refused))
        for number in numbers
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    results.put((times, next(refused)))


def _send(
    port: int, requests: Iterator[bytes], seconds: float, times: list[float], refused: Iterator[int]
) -> None:
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        counted_from = time.perf_counter() + seconds / 4
        until = counted_from + seconds
        for request in requests:
            begun = time.perf_counter()
            if begun >= until:
                return
            connection.sendall(request)
            status = _status(connection)
            ended = time.perf_counter()
            if begun >= counted_from:
                times.append(ended - begun)
                if not 200 <= status < 300:
                    next(refused)


def _status(connection: socket.socket) -> int:
    """Reads one whole answer."""
    text = connection.recv(65536)
    while b"\r\n\r\n" not in text:
        text += connection.recv(65536)
    head, _, body = text.partition(b"\r\n\r\n")
    length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
    missing = length - len(body)
    while missing > 0:
        missing -= len(connection.recv(65536))
    return int(head[9:12])
