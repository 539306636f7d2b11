"""The file of a backup: written once, and read only after every byte of it was found to be as written.

taskapi archive 1 <newline>
gzip of JSON lines: ["user",{…}] … one for each record, journal entry and refused record
the manifest: a JSON object, <newline>, its SHA-256 in hexadecimal
the length of the manifest in 8 bytes; the SHA-256 of all before, in 32 bytes
"""

import gzip
import hashlib
import io
import os
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO

import orjson

from taskapi.domain.progress import Progress, unseen
from taskapi.sync.errors import Broken
from taskapi.sync.lines import JOURNAL, SECTIONS, Line, Tallies

MAGIC = b"taskapi archive 1\n"
FORMAT = 1
TAIL_BYTES = 65_536
"""Enough of a file's end to have the manifest in it."""

LINE_BYTES = 256 << 20
"""No line is longer: so much memory at most is given to one that somebody has forged."""

_LENGTH, _DIGEST = 8, 32
_CHUNK = 1 << 20
_MOST = 1 << 62  # no version or id is as high
_LEVEL = 3  # of gzip: half the time of 6, for a tenth more bytes


@dataclass(frozen=True, slots=True)
class About:
    """What is known of an archive before it is written: which state of which installation it holds.

    `ids` says up to which id of each kind any may have been given; `source` is "postgresql" or "redis".
    Up to the version `history_above` lines of the journal may be missing that PostgreSQL had.
    """

    id: str
    created_at: str
    reason: str
    source: str
    incarnation: str
    epoch: int
    version: int
    ids: dict[str, int]
    history_above: int = 0


@dataclass(frozen=True, slots=True)
class Manifest:
    """What an archive says of itself: how many lines each section has, and a digest of them."""

    about: About
    counts: dict[str, int]
    digests: dict[str, str]


def write(path: Path, about: About, lines: Iterable[Line]) -> Manifest:
    """Writes an archive to that file, and to the disk under it. Raises OSError."""
    tallies = Tallies()
    with path.open("wb") as file:
        hashing = _Hashing(file)
        hashing.write(MAGIC)
        with (
            gzip.GzipFile("", "wb", _LEVEL, hashing, mtime=0) as packed,
            io.BufferedWriter(packed, _CHUNK) as body,
        ):
            for line in lines:
                tallies.add(line)
                body.write(b'["%b",%b]\n' % (line[0].encode(), line[1]))
        manifest = Manifest(about, tallies.counts, tallies.digests)
        text = _sealed(orjson.dumps({"format": FORMAT} | asdict(manifest)))
        hashing.write(text + len(text).to_bytes(_LENGTH))
        file.write(hashing.sha.digest())
        file.flush()
        os.fsync(file.fileno())
    return manifest


def manifest_in(tail: bytes) -> Manifest:
    """The manifest in the end of a file, of which the rest is not looked at. Raises Broken."""
    text = tail[: -(_LENGTH + _DIGEST)]
    length = int.from_bytes(tail[len(text) : len(text) + _LENGTH])
    if not 0 < length <= len(text):
        raise Broken("It does not end like an archive.")
    return _manifest(text[-length:])


@dataclass(frozen=True, slots=True)
class Archive:
    """An archive of which every byte is as it was written. `tail` are its last `TAIL_BYTES`."""

    file: BinaryIO
    size: int
    manifest: Manifest
    manifest_size: int
    tail: bytes
    sha256: str

    def lines(self, progress: Progress = unseen) -> Iterator[Line]:
        """All that is in it, in the order of the sections. Raises Broken."""
        window = _Window(self.file, len(MAGIC), self._end)
        try:
            with gzip.GzipFile(fileobj=window) as packed:
                body = io.BufferedReader(packed, _CHUNK)
                for number, text in enumerate(iter(lambda: body.readline(LINE_BYTES), b"")):
                    if number % 1000 == 0:
                        progress(self.file.tell() / self.size)
                    yield _line(text)
        except (gzip.BadGzipFile, EOFError, zlib.error) as fault:
            raise Broken(f"Its content cannot be unpacked: {fault}.") from fault

    @property
    def _end(self) -> int:
        return self.size - _DIGEST - _LENGTH - self.manifest_size


def open_whole(file: BinaryIO, progress: Progress = unseen) -> Archive:
    """Reads the whole file before anything of it is used. Raises Broken if a byte is not as written."""
    size = file.seek(0, os.SEEK_END)
    if size < len(MAGIC) + _LENGTH + _DIGEST:
        raise Broken("It is shorter than any archive.")
    sha256, written = _digests(file, size, progress)
    if sha256 != written:
        raise Broken("A byte of it is not as it was written, or is missing.")
    file.seek(0)
    if file.read(len(MAGIC)) != MAGIC:
        raise Broken("It does not begin like an archive that this version can read.")
    file.seek(max(0, size - TAIL_BYTES))
    tail = file.read()
    length = int.from_bytes(tail[-(_LENGTH + _DIGEST) : -_DIGEST])
    return Archive(file, size, manifest_in(tail), length, tail, sha256.hex())


def _digests(file: BinaryIO, size: int, progress: Progress) -> tuple[bytes, bytes]:
    """Of all but the end, as it is and as it was written."""
    sha, left = hashlib.sha256(), size - _DIGEST
    file.seek(0)
    while left and (chunk := file.read(min(left, _CHUNK))):
        sha.update(chunk)
        left -= len(chunk)
        progress(1 - left / size)
    return sha.digest(), file.read()


def _sealed(text: bytes) -> bytes:
    """So that it can be trusted where nobody reads the whole file."""
    return text + b"\n" + hashlib.sha256(text).hexdigest().encode()


def _manifest(sealed: bytes) -> Manifest:
    text = sealed.rpartition(b"\n")[0]
    if _sealed(text) != sealed:
        raise Broken("Its manifest is not as it was written.")
    try:
        found: dict[str, Any] = orjson.loads(text)
        if found.pop("format") != FORMAT:
            raise Broken("It was made by another version of taskapi, which wrote another format.")
        manifest = Manifest(About(**found.pop("about")), **found)
        _require_possible(manifest)
    except (ValueError, KeyError, TypeError, AttributeError) as fault:
        raise Broken("Its manifest cannot be read.") from fault
    return manifest


def _require_possible(manifest: Manifest) -> None:
    """Raises ValueError, TypeError or AttributeError for values that nobody has written as such."""
    about = manifest.about
    texts = (about.id, about.reason, about.source, about.incarnation, *manifest.digests.values())
    numbers = (
        about.epoch << 32,
        about.version,
        about.history_above,
        *about.ids.values(),
        *manifest.counts.values(),
    )
    if datetime.fromisoformat(about.created_at).tzinfo is None or JOURNAL not in manifest.counts:
        raise ValueError(about.created_at)
    is_number = (type(number) is int and 0 <= number < _MOST for number in numbers)
    if not (all(type(text) is str for text in texts) and all(is_number)):
        raise ValueError(about.id)


def _line(text: bytes) -> Line:
    section, _, rest = text.partition(b",")
    name = section[2:-1].decode(errors="replace")
    if name not in SECTIONS or not rest.endswith(b"}]\n"):
        raise Broken("It has a line that no archive has.")
    return name, rest[:-2]


class _Hashing(io.RawIOBase):
    """Writes through to a file, and hashes."""

    def __init__(self, file: BinaryIO) -> None:
        self.sha = hashlib.sha256()
        self._file = file

    def write(self, data: Any) -> int:
        self.sha.update(data)
        return self._file.write(data)


class _Window(io.RawIOBase):
    """A stretch of a file."""

    def __init__(self, file: BinaryIO, start: int, end: int) -> None:
        self._file = file
        self._end = end
        file.seek(start)

    def read(self, size: int = -1) -> bytes:
        return self._file.read(min(size, self._end - self._file.tell()))
