"""A file that is looked at, never as a whole: its beginning, its end, and all of it in pieces."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import BinaryIO

HEAD_BYTES = 4096
CHUNK_BYTES = 64 * 1024


@dataclass(frozen=True)
class Content:
    """An open file of that size in bytes."""

    file: BinaryIO
    size: int

    @cached_property
    def head(self) -> bytes:
        """Its first bytes."""
        return self.part(0, HEAD_BYTES)

    def part(self, start: int, size: int) -> bytes:
        """So many bytes from there on, fewer at its end; raises EOFError for what would lie before it."""
        if start < 0:
            raise EOFError
        self.file.seek(start)
        return self.file.read(size)

    def tail(self, size: int) -> bytes:
        """Its last bytes."""
        return self.part(max(0, self.size - size), size)

    def chunks(self, overlap: int = 0) -> Iterator[bytes]:
        """All of it, piece by piece; each begins with the last bytes of the one before."""
        self.file.seek(0, os.SEEK_SET)
        before = b""
        while chunk := self.file.read(CHUNK_BYTES):
            yield before + chunk
            before = (before + chunk)[-overlap:] if overlap else b""
