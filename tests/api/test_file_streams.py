"""Large files: memory stays flat, whichever way they go."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from taskapi.outside.shelf import open_shelf
from tests.api.conftest import Person

LARGE = 10 << 20
MOST_MEMORY = 2 << 20


class Made:
    """A form with a file of that many bytes, made up as it is read."""

    def __init__(self, size: int) -> None:
        self._head = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\n'
        self._left, self._tail = size, b"\r\n--x--\r\n"
        self.length = len(self._head) + size + len(self._tail)

    def read(self, size: int = -1) -> bytes:
        if self._head:
            head, self._head = self._head, b""
            return head
        if self._left:
            count = min(size, self._left)
            self._left -= count
            return b"a line of text\n" * (count // 15) + b"." * (count % 15)
        tail, self._tail = self._tail, b""
        return tail


@pytest.fixture
def peak(app: Flask, tmp_path: Path) -> Iterator[Any]:
    """How many bytes were in memory at once since the last time."""
    app.extensions["taskapi.uploads"] = open_shelf(str(tmp_path / "uploads"))
    tracemalloc.start()

    def told() -> int:
        found = tracemalloc.get_traced_memory()
        tracemalloc.reset_peak()
        return found[1] - found[0]

    yield told
    tracemalloc.stop()


def test_ten_mebibytes_go_up_and_come_down_through_little_memory(user: Person, peak: Any) -> None:
    task_id = user.task()["id"]
    form = Made(LARGE)
    peak()
    made = user.call(
        "POST",
        f"/tasks/{task_id}/files",
        environ_overrides={
            "wsgi.input": form,
            "CONTENT_LENGTH": str(form.length),
            "CONTENT_TYPE": "multipart/form-data; boundary=x",
        },
    )
    assert made.status_code == 201, made.json["detail"]
    assert made.json["data"]["size"] == LARGE
    assert peak() < MOST_MEMORY

    back = user.get("/files/1", buffered=False)
    pieces = list(map(len, back.response))
    back.close()
    assert sum(pieces) == LARGE
    assert max(pieces) <= 1 << 16
    assert peak() < MOST_MEMORY
