"""Receiving a file: the one part of a form, written down and hashed as it arrives, never whole in memory."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from typing import Any, BinaryIO

from flask import request
from gunicorn.http.errors import ParseException  # type: ignore[import-untyped]
from werkzeug.exceptions import ClientDisconnected, RequestEntityTooLarge
from werkzeug.sansio.multipart import Data, Epilogue, Event, Field, File, MultipartDecoder, NeedData

from taskapi.api.errors import Malformed, Unsupported
from taskapi.api.inputs import MULTIPART
from taskapi.api.operations import operation
from taskapi.api.wiring import settings, store, uploads, wired
from taskapi.domain.callers import Claim, Operation
from taskapi.domain.deadlines import anew
from taskapi.domain.errors import Invalid, Refused, TooLarge
from taskapi.domain.filenames import safe_name
from taskapi.outside.content.types import type_of
from taskapi.services import files
from taskapi.services.files import Sent
from taskapi.services.results import Shown

PART = "file"
CHUNK_BYTES = 64 * 1024
AROUND_BYTES = 64 * 1024
"""What a form may have beside its file: boundaries and headers."""

PATIENCE_SECONDS = 10.0
"""With who goes on sending what was refused."""

_BROKEN_OFF = (OSError, ParseException, ClientDisconnected, RequestEntityTooLarge)

KEEP_SECONDS = 1.8
"""For all that servers are asked once the file has arrived, which takes as long as its sender needs."""


def received(claim: Claim, task_id: int) -> Shown:
    """The file in the body as a new one of that task. The right to it is asked for before it is read."""
    try:
        return _received(claim, task_id)
    except Refused:
        _let_pass(2 * settings().upload_max_bytes)
        raise


def _received(claim: Claim, task_id: int) -> Shown:
    files.require_place(store(), claim, task_id)
    shelf, most = uploads(), settings().upload_max_bytes
    with shelf.draft() as draft:
        with draft.open("wb") as file:
            arrived = _read(file, most)
        name = safe_name(arrived.filename)
        sent = Sent(draft, name, type_of(draft, name), arrived.size, arrived.sha.hexdigest())
        with anew(KEEP_SECONDS):
            named = replace(claim, operation=_operation(claim, sent))
            return files.keep_file(store(), shelf, named, task_id, sent)


def _let_pass(most: int) -> None:
    """Throws away what is still coming: whoever is cut off while they send never sees the answer."""
    left, until = most, time.monotonic() + PATIENCE_SECONDS
    request.max_content_length = max(most, request.content_length or 0)
    with suppress(*_BROKEN_OFF):
        while left > 0 and time.monotonic() < until and (some := request.stream.read(CHUNK_BYTES)):
            left -= len(some)


def _operation(claim: Claim, sent: Sent) -> Operation | None:
    """The name of this upload, if its client gave it one: good for this file under this name."""
    if claim.operation is None:
        return None
    told = {"filename": sent.filename, "sha256": sent.sha256}
    return operation(wired().secret, request.environ["HTTP_IDEMPOTENCY_KEY"], told, known=True)


@dataclass(slots=True)
class _Arriving:
    """What has come so far of the one file."""

    file: BinaryIO
    most: int
    filename: str | None = None
    size: int = 0
    sha: Any = field(default_factory=hashlib.sha256)

    def take(self, event: Event) -> None:
        """The next piece of the form; raises Invalid or TooLarge."""
        if isinstance(event, File | Field):
            self._begin(event)
        elif isinstance(event, Data):
            self.size += len(event.data)
            _require_size(self.size, self.most)
            self.sha.update(event.data)
            self.file.write(event.data)

    def _begin(self, part: File | Field) -> None:
        if self.filename is not None:
            raise Invalid({PART: ["Send one file, and nothing else in the form."]})
        if part.name != PART or not isinstance(part, File):
            raise Invalid({PART: [f"The form must have a file, and nothing else, in the field {PART!r}."]})
        self.filename = part.filename


@dataclass(frozen=True, slots=True)
class _Arrived:
    """A file as it was sent."""

    filename: str
    size: int
    sha: Any


def _read(file: BinaryIO, most: int) -> _Arrived:
    boundary = _boundary()
    _require_size((request.content_length or 0) - AROUND_BYTES, most)
    request.max_content_length = most + AROUND_BYTES
    arriving, decoder = _Arriving(file, most), MultipartDecoder(boundary, 2 * AROUND_BYTES)
    stream = request.stream
    while True:
        with _receiving():
            chunk = stream.read(CHUNK_BYTES)
        with _decoding(most):
            decoder.receive_data(chunk or None)
        for event in _events(decoder, most):
            arriving.take(event)
        if not chunk:
            break
    if arriving.filename is None or not (arriving.filename or arriving.size):
        raise Invalid({PART: [f"There is no file in the field {PART!r}."]})
    if not arriving.size:
        raise Invalid({PART: ["The file is empty."]})
    return _Arrived(arriving.filename, arriving.size, arriving.sha)


def _boundary() -> bytes:
    if request.mimetype != MULTIPART or not request.mimetype_params.get("boundary"):
        raise Unsupported(f"Send the file as {MULTIPART}, in the field {PART!r}.")
    if request.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise Unsupported("Send the body as it is, without a Content-Encoding.")
    return request.mimetype_params["boundary"].encode("latin-1", "replace")


def _events(decoder: MultipartDecoder, most: int) -> Iterator[Event]:
    while True:
        with _decoding(most):
            event = decoder.next_event()
        if isinstance(event, NeedData):
            return
        yield event
        if isinstance(event, Epilogue):
            return


@contextmanager
def _receiving() -> Iterator[None]:
    """A connection that breaks off, or chunks that are none, as a refusal."""
    try:
        yield
    except _BROKEN_OFF:
        raise Malformed("The body did not arrive whole.") from None


@contextmanager
def _decoding(most: int) -> Iterator[None]:
    """A form that is none, as a refusal."""
    try:
        yield
    except RequestEntityTooLarge:
        raise Malformed("The form has too much beside its file.") from None
    except ValueError:
        raise Malformed("The form in the body cannot be read to its end.") from None


def _require_size(size: int, most: int) -> None:
    if size > most:
        raise TooLarge(f"A file may have {most} bytes at most.")
