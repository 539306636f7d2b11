"""Sending a file: as an attachment, in pieces, so that no browser takes it for a page of ours."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import ExitStack
from typing import BinaryIO
from urllib.parse import quote

import structlog
from flask import Response, request

from taskapi.api import preconditions, seen
from taskapi.api.wiring import uploads
from taskapi.domain.errors import NotFound, Unavailable
from taskapi.domain.records import File
from taskapi.services.files import shelf_name

log = structlog.get_logger("taskapi.files")

CHUNK_BYTES = 64 * 1024
_NOT_PLAIN = re.compile(r'[^ -~]|["\\%]')
"""Each becomes `_`: a letter that became one of ASCII could make another ending of it, or a path."""

_UNQUOTED = "!#$&+-.^_`|~"


def sent(file: File) -> Response:
    """The bytes of a file, or 304 for who has them; raises Unavailable if they cannot be had."""
    tag = preconditions.strong(file.version)
    headers = {
        "Content-Disposition": disposition(file.filename),
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Cache-Control": "private, no-cache",
        "ETag": tag,
        "Accept-Ranges": "none",
    }
    if preconditions.is_known(tag):
        return Response(status=304, headers=headers)
    charset = "; charset=utf-8" if file.content_type.startswith("text/") else ""
    headers |= {"Content-Type": file.content_type + charset, "Content-Length": str(file.size)}
    if request.method == "HEAD":
        return Response(headers=headers)
    return _streamed(file, headers)


def disposition(filename: str) -> str:
    """The header that names the file: in ASCII for all clients, and as it is for those that can read it."""
    plain = _NOT_PLAIN.sub("_", filename)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(filename, safe=_UNQUOTED)}"


def _streamed(file: File, headers: dict[str, str]) -> Response:
    with ExitStack() as opened:
        try:
            content = opened.enter_context(uploads().opened(shelf_name(file)))
            _require_size(content, file)
        except NotFound as fault:
            log.exception("content missing", file=file.id, request_id=seen.request_id())
            raise Unavailable(f"The content of file {file.id} is not as it was kept.") from fault
        response = Response(_pieces(content), headers=headers)
        response.call_on_close(opened.pop_all().close)
    return response


def _require_size(content: BinaryIO, file: File) -> None:
    if content.seek(0, os.SEEK_END) != file.size:
        raise NotFound(f"File {file.id} is longer or shorter than it was.")
    content.seek(0)


def _pieces(content: BinaryIO) -> Iterator[bytes]:
    while piece := content.read(CHUNK_BYTES):
        yield piece
