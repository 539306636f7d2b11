"""The outside call: JSON in good time, or a refusal, whatever the other server does."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from taskapi.domain import deadlines
from taskapi.domain.errors import UpstreamFailed, UpstreamSlow
from taskapi.outside import upstream
from taskapi.outside.upstream import MOST_BYTES, Upstream

Talk = Callable[[socket.socket], None]
SHORT = 0.3


@contextmanager
def server(talk: Talk) -> Iterator[str]:
    """The address of a server that has heard the request and now talks; once, or as often as it is asked."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=answer, args=(client,), daemon=True).start()

    def answer(client: socket.socket) -> None:
        with client:
            client.recv(65536)
            try:
                talk(client)
            except OSError:
                return

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/joke?key=secret"
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()


def saying(body: bytes, status: str = "200 OK", *headers: str) -> Talk:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Connection: close", *headers, "", ""]
    return lambda client: client.sendall("\r\n".join(lines).encode() + body)


@pytest.mark.parametrize("body", [b'{"joke": "Knock"}', b"[1, 2]", b'"text"', b"null", b"\n{} \n"])
def test_whatever_json_it_says_is_answered(body: bytes) -> None:
    with server(saying(body)) as url:
        assert Upstream(url).json() == body.strip().replace(b" ", b"")


@pytest.mark.parametrize(
    ("talk", "told"),
    [
        (saying(b"<html>"), "not JSON"),
        (saying(b""), "not JSON"),
        (saying(b'{"a": NaN}'), "not JSON"),
        (saying(b"[" * 5000 + b"]" * 5000), "not JSON"),
        (saying(b'"\\ud800"'), "not JSON"),
        (saying(b"{}", "500 Oops"), "500"),
        (saying(b"{}", "404 Not Found"), "404"),
        (saying(b"{}", "304 Not Modified"), "304"),
        (saying(b'"' + b"x" * MOST_BYTES + b'"'), "more than is read"),
        (lambda client: client.sendall(b"garbage\r\n\r\n"), "could not be asked"),
        (
            lambda client: client.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{"),
            "could not be asked",
        ),
        (lambda client: None, "could not be asked"),
    ],
)
def test_whatever_else_it_says_is_a_failure(talk: Talk, told: str) -> None:
    with server(talk) as url, pytest.raises(UpstreamFailed, match=told) as refusal:
        Upstream(url).json()
    assert type(refusal.value) is UpstreamFailed
    assert "secret" not in str(refusal.value)


def test_a_server_that_is_not_there_is_a_failure() -> None:
    with pytest.raises(UpstreamFailed, match="could not be asked"):
        Upstream("http://127.0.0.1:1/joke").json()


def test_an_answer_without_end_is_read_up_to_a_limit_only() -> None:
    sent = [0]

    def flood(client: socket.socket) -> None:
        client.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
        while True:
            sent[0] += client.send(b" " * 65536)

    with server(flood) as url, pytest.raises(UpstreamFailed, match="more than is read"):
        Upstream(url).json()


def _silent(client: socket.socket) -> None:
    client.recv(1)


def _dripping_head(client: socket.socket) -> None:
    client.sendall(b"HTTP/1.1 200 OK\r\n")
    while True:
        client.sendall(b"X-Drip: 1\r\n")
        time.sleep(0.05)


def _dripping_line(client: socket.socket) -> None:
    while True:
        client.sendall(b"H")
        time.sleep(0.05)


def _dripping_body(client: socket.socket) -> None:
    client.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 60000\r\n\r\n")
    while True:
        client.sendall(b" ")
        time.sleep(0.05)


@pytest.mark.parametrize("talk", [_silent, _dripping_head, _dripping_line, _dripping_body])
@pytest.mark.parametrize("by_deadline", [True, False])
def test_a_slow_server_is_given_up_and_left_alone(
    talk: Talk, by_deadline: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not by_deadline:
        monkeypatch.setattr(upstream, "MOST_SECONDS", SHORT)
    gone = threading.Event()

    def until_gone(client: socket.socket) -> None:
        try:
            talk(client)
        finally:
            gone.set()

    with (
        server(until_gone) as url,
        deadlines.within(SHORT if by_deadline else 60),
        pytest.raises(UpstreamSlow),
    ):
        Upstream(url).json()
    assert gone.wait(10), "its connection is still open"


def test_after_a_failure_it_is_left_alone_for_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []

    def talk(client: socket.socket) -> None:
        calls.append(1)
        saying(b"{}", "500 Oops" if len(calls) == 1 else "200 OK")(client)

    with server(talk) as url:
        asked = Upstream(url)
        for _ in range(3):
            with pytest.raises(UpstreamFailed, match="500"):
                asked.json()
        assert len(calls) == 1
        monkeypatch.setattr(time, "monotonic", lambda now=time.monotonic: now() + upstream.REST_SECONDS)
        assert asked.json() == b"{}"


def test_it_follows_a_redirect() -> None:
    with server(saying(b'{"at": "the end"}')) as end, server(redirecting(end)) as url:
        assert Upstream(url).json() == b'{"at":"the end"}'


@pytest.mark.parametrize(
    ("location", "told"),
    [
        ("/again", "again and again"),
        ("file:///etc/passwd", "redirects to where"),
        ("ftp://127.0.0.1/joke", "redirects to where"),
        ("javascript:alert(1)", "redirects to where"),
        ("http://[", "could not be asked"),
        ("", "redirects to where"),
    ],
)
def test_a_redirect_without_end_or_elsewhere_is_a_failure(location: str, told: str) -> None:
    with server(redirecting(location)) as url, pytest.raises(UpstreamFailed, match=told):
        Upstream(url).json()


def redirecting(location: str) -> Talk:
    return saying(b"", "302 Found", f"Location: {location}")


def test_what_it_cannot_foresee_is_not_taken_for_a_failure_of_the_server(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told = []
    monkeypatch.setattr(threading, "excepthook", lambda fault: told.append(fault.exc_type))
    monkeypatch.setattr(upstream, "_read", lambda call: {}["fault of our own"])
    with pytest.raises(RuntimeError):
        Upstream("http://127.0.0.1:1/").json()
    assert told == [KeyError]
