"""A small prompt for Redis, for a machine without redis-cli."""

import shlex
import socket
from collections.abc import Sequence
from urllib.parse import urlsplit

from hiredis import HiredisError, Reader, pack_command


def redis_prompt(url: str, command: Sequence[str]) -> None:
    """Runs this command, or without one asks for commands until the end of the input."""
    with _Wire(url) as wire:
        if command:
            print(shown(wire.ask(*command)))
            return
        while line := _line("redis> "):
            try:
                words = shlex.split(line)
            except ValueError as refusal:
                print(f"(not sent) {refusal}")
                continue
            if words:
                print(shown(wire.ask(*words)))


def shown(reply: object, indent: str = "") -> str:
    """A reply of Redis as text: numbered lists, nil, errors."""
    if isinstance(reply, list):
        items = (f"{indent}{n}) {shown(item, indent + '   ').lstrip()}" for n, item in enumerate(reply, 1))
        return "\n".join(items) or f"{indent}(empty)"
    if reply is None:
        return f"{indent}(nil)"
    if isinstance(reply, HiredisError):
        return f"{indent}(error) {reply}"
    return indent + (reply.decode(errors="replace") if isinstance(reply, bytes) else str(reply))


def _line(question: str) -> str:
    try:
        return input(question) or " "
    except EOFError:
        print()
        return ""


class _Wire:
    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._socket = socket.create_connection((parts.hostname or "", parts.port or 6379), timeout=30)
        self._reader = Reader()
        self.ask("AUTH", parts.password or "")

    def ask(self, *words: str) -> object:
        self._socket.sendall(pack_command(words))  # type: ignore[arg-type] # its stub allows one word
        while (reply := self._reader.gets()) is False:
            received = self._socket.recv(65536)
            if not received:
                return "(the server closed the connection)"
            self._reader.feed(received)
        return reply

    def __enter__(self) -> "_Wire":
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()
