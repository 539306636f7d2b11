"""Under gunicorn: what is not even HTTP is refused as a problem, and bodies arrive whole or not at all."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import orjson
import pytest

from taskapi.api.gthread import retold
from taskapi.embedded.ports import free_port
from taskapi.embedded.servers import Servers
from taskapi.store.client import Store
from tests.api.conftest import OWNER_PASSWORD
from tests.conftest import ROOT, product_environment

PATIENCE_SECONDS = 20
Ask = Callable[[bytes], tuple[int, bytes]]
WHO = b"Host: x\r\nX-Owner-Password: " + OWNER_PASSWORD.encode() + b"\r\nConnection: close\r\n"
JSON = b"Content-Type: application/json\r\n"
CHUNKED = b"POST /tasks HTTP/1.1\r\n" + WHO + JSON + b"Transfer-Encoding: chunked\r\n\r\n"


@contextmanager
def serving(servers: Servers, worker: str = "taskapi.api.gthread.Worker") -> Iterator[int]:
    """The port of a running gunicorn with that kind of worker, and two threads."""
    found = free_port()
    environ = {**os.environ, **product_environment(servers), "OWNER_PASSWORD": OWNER_PASSWORD}
    workers = ("--worker-class", worker, "--workers", "1", "--threads", "2")
    where = ("--bind", f"127.0.0.1:{found}", "--no-control-socket")
    command = [sys.executable, "-m", "gunicorn", "taskapi:create_app()", *workers, *where]
    process = subprocess.Popen(command, cwd=ROOT, env=environ, stderr=subprocess.DEVNULL)
    try:
        _wait_for(found)
        yield found
    finally:
        process.terminate()
        assert process.wait(PATIENCE_SECONDS) == 0


@pytest.fixture(scope="module")
def port(servers: Servers) -> Iterator[int]:
    """Where a worker of ours serves."""
    with serving(servers) as found:
        yield found


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            return socket.create_connection(("127.0.0.1", port)).close()
        except ConnectionRefusedError:
            assert time.monotonic() < deadline
            time.sleep(0.05)


@pytest.fixture
def ask(data: Store, port: int) -> Ask:
    """Sends bytes, returns status and body of what comes back."""

    def send(sent: bytes) -> tuple[int, bytes]:
        with socket.create_connection(("127.0.0.1", port), PATIENCE_SECONDS) as connection:
            connection.sendall(sent)
            answer = b"".join(iter(lambda: connection.recv(65536), b""))
        return int(answer.split()[1]), answer.partition(b"\r\n\r\n")[2]

    return send


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"FOO\r\n\r\n", 400),
        (b"GET /tasks HTTP/1.1\r\nHost: x\r\nBad Header\r\n\r\n", 400),
        (b"POST /tasks HTTP/1.1\r\nHost: x\r\nContent-Length: x\r\n\r\n", 400),
        (b"GET / HTTP/9.9\r\n\r\n", 400),
        (b"GET /" + b"x" * 9000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", 414),
        (b"GET / HTTP/1.1\r\n" + b"".join(b"X-%d: 1\r\n" % n for n in range(200)) + b"\r\n", 431),
        (b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: rot13\r\n\r\n", 501),
        (b"GET /tasks HTTP/1.1\r\nHost: x\r\nCookie: session=\0\r\n\r\n", 400),
        (b"GET /tasks HTTP/1.1\r\nHost: x\r\nConnection: close\r\nCookie: session=\xff\xfe\r\n\r\n", 401),
        (b"GET /tasks HTTP/1.1\r\nHost: x\r\nCookie: session=" + b"x" * 9000 + b"\r\n\r\n", 431),
    ],
)
def test_what_is_not_even_http_is_refused_as_a_problem(ask: Ask, sent: bytes, status: int) -> None:
    told, body = ask(sent)
    assert told == status
    problem = orjson.loads(body)
    assert (problem["success"], problem["status"]) == (False, status)
    assert re.fullmatch("[0-9a-f]{32}", problem["request_id"])


def test_a_tag_in_the_address_is_read_as_it_was_written(ask: Ask) -> None:
    body = orjson.dumps({"title": "x", "tags": ["a/b/", "/c", "naïve", "50 %", "d"]})
    task = orjson.loads(ask(CHUNKED + b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body))[1])["data"]
    for written in (b"a%2Fb%2F", b"%2Fc", b"na%C3%AFve", b"50%20%25", b"d/?"):
        line = b"DELETE /v1/tasks/%d/tags/%b HTTP/1.1\r\n" % (task["id"], written)
        status, answer = ask(line + WHO + b"\r\n")
        assert status == 200, written
    assert orjson.loads(answer)["data"]["tags"] == []


def test_a_body_in_chunks_is_read(ask: Ask) -> None:
    status, body = ask(CHUNKED + b'd\r\n{"title":"x"}\r\n0\r\n\r\n')
    assert status == 201
    assert orjson.loads(body)["data"]["title"] == "x"


def test_a_body_in_chunks_that_never_ends_is_413_and_not_its_beginning_taken(ask: Ask) -> None:
    begun = b'{"title":"x"}'.ljust(65536)
    chunks = b"10000\r\n" + begun + b"\r\n" + (b"10000\r\n" + b" " * 65536 + b"\r\n") * 17
    assert ask(CHUNKED + chunks + b"0\r\n\r\n")[0] == 413


FORM = CHUNKED.replace(b"/tasks", b"/login").replace(b"json", b"x-www-form-urlencoded")


@pytest.mark.parametrize("head", [CHUNKED, FORM])
@pytest.mark.parametrize("chunks", [b"zz\r\n{}\r\n", b"d\r\n{}", b"2\r\n{}garbage"])
def test_a_body_in_broken_chunks_is_400(port: int, data: Store, head: bytes, chunks: bytes) -> None:
    with socket.create_connection(("127.0.0.1", port), PATIENCE_SECONDS) as connection:
        connection.sendall(head + chunks)
        connection.shutdown(socket.SHUT_WR)
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b"text/html" not in answer


def test_a_body_that_nobody_wanted_does_not_become_the_next_request(ask: Ask) -> None:
    first = b"PUT /tasks HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nabcde"
    _, rest = ask(first + b"GET /health/live HTTP/1.1\r\n" + WHO + b"\r\n")
    assert rest.endswith(b"}")
    assert b'"alive"' in rest


def test_a_page_of_gunicorn_is_told_as_a_problem_of_its_status() -> None:
    told = retold(b"HTTP/1.1 418 Teapot\r\nContent-Type: text/html\r\n\r\n<html>")
    assert told.startswith(b"HTTP/1.1 418 Teapot\r\n")
    assert b"<html>" not in told
    assert orjson.loads(told.partition(b"\r\n\r\n")[2])["code"] == "bad_request"


@pytest.mark.parametrize(
    ("task", "length", "status"),
    [(1, 3 << 20, 201), (999, 3 << 20, 404), (1, 12 << 20, 413)],
)
def test_a_file_is_answered_whether_it_is_taken_or_not(
    ask: Ask, port: int, task: int, length: int, status: int
) -> None:
    ask(b"POST /tasks HTTP/1.1\r\n" + WHO + JSON + b'Content-Length: 13\r\n\r\n{"title":"t"}')
    head = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\n'
    told = b"Content-Type: multipart/form-data; boundary=x\r\nContent-Length: %d\r\n\r\n" % length
    form = head + b"a" * (length - len(head) - 9) + b"\r\n--x--\r\n"
    path = b"POST /tasks/%d/files HTTP/1.1\r\n" % task
    assert ask(path + WHO + told + form)[0] == status
