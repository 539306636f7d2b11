"""Files on their way up, for the tests of it."""

from __future__ import annotations

import io
from typing import Any

from werkzeug.test import TestResponse

from tests.api.conftest import Person

FORM = "multipart/form-data"


def send(
    person: Person, task_id: int, content: bytes = b"hello", name: str = "a.txt", **more: Any
) -> TestResponse:
    """The answer to one upload."""
    form = {"file": (io.BytesIO(content), name, "image/x-lie")}
    return person.call("POST", f"/tasks/{task_id}/files", data=form, **more)


def sent(person: Person, task_id: int, content: bytes = b"hello", name: str = "a.txt") -> dict[str, Any]:
    """The file that has come of it."""
    answer = send(person, task_id, content, name)
    assert answer.status_code == 201, answer.json
    found: dict[str, Any] = answer.json["data"]
    return found


def part(content: bytes, head: bytes = b'form-data; name="file"; filename="a.txt"') -> list[bytes]:
    """A form, in pieces."""
    return [b"--x\r\nContent-Disposition: " + head + b"\r\n\r\n", content, b"\r\n--x--\r\n"]


def raw(person: Person, task_id: int, form: bytes, *, told: bool = True) -> TestResponse:
    """The answer to that body; its length is `told`, or it comes in chunks."""
    ended = {} if told else {"wsgi.input_terminated": True, "HTTP_TRANSFER_ENCODING": "chunked"}
    return person.call(
        "POST",
        f"/tasks/{task_id}/files",
        input_stream=io.BytesIO(form),
        content_type=f"{FORM}; boundary=x",
        environ_overrides=ended,
    )
