"""Archives, and documents that are some: judged by their directory, measured without being unpacked."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, LargeZipFile, ZipFile, ZipInfo

from taskapi.domain.errors import WrongType
from taskapi.domain.filenames import ending
from taskapi.outside.content.reading import CHUNK_BYTES, Content

BEGINNING = b"PK\x03\x04"
ZIP = "application/zip"
MOST_ENTRIES = 5_000
MOST_BYTES = 200 << 20
MOST_RATIO = 100
SMALL_BYTES = 1 << 20
"""An archive that unpacks to no more may be packed as tightly as it likes."""

_END, _END_BYTES, _MOST_OF_COMMENT = b"PK\x05\x06", 22, 65_535
_LOCATOR, _LOCATOR_BYTES = b"PK\x06\x07", 20
"""Of archives that are larger than any here."""

_MOST_OF_DIRECTORY = 512 * 1024
_BROKEN = (BadZipFile, LargeZipFile, NotImplementedError, struct.error, ValueError, EOFError)
_LOCAL_HEADER = 30
_ENCRYPTED, _SIZES_BEHIND = 0x1, 0x8
_OFFICE = {
    "word/document.xml": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "xl/workbook.xml": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "ppt/presentation.xml": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
}
_OFFICE_PARTS = frozenset({"[Content_Types].xml", "_rels/.rels"})
_OPEN_DOCUMENT = "application/vnd.oasis.opendocument."
_OPEN_DOCUMENTS = frozenset({"text", "spreadsheet", "presentation", "graphics", "chart", "formula"})
_MACROS = ("vbaproject.bin", "vbadata.xml", "basic/script-lc.xml", "basic/script-lb.xml")
_ARCHIVE_ENDINGS = "zip jar war ear apk gz tgz bz2 tbz xz txz zst 7z rar tar cab iso arj lzh lzma z"
_ARCHIVES = frozenset(_ARCHIVE_ENDINGS.split())
_ARCHIVE_BEGINNINGS = (
    BEGINNING,
    b"\x1f\x8b",
    b"BZh",
    b"\xfd7zXZ",
    b"7z\xbc\xaf",
    b"Rar!",
    b"\x28\xb5\x2f\xfd",
    b"MSCF",
)
_DOCUMENTS = frozenset({"docx", "xlsx", "pptx", "odt", "ods", "odp", "odg"})


def type_of(content: Content) -> str:
    """The media type of an archive; raises WrongType for one that is not what it says, or a bomb."""
    if not _has_small_directory(content):
        raise WrongType(f"This is no zip archive, or one with more than {MOST_ENTRIES} entries.")
    try:
        with ZipFile(content.file) as archive:
            entries = archive.infolist()
        _require_bounded(entries, content.size)
        regions = [_region(content, entry) for entry in entries]
        _require_apart(regions, content.size)
        for entry, region in zip(entries, regions, strict=True):
            _measure(content, entry, region)
        return _told(entries, _first_text(content, entries, regions))
    except (*_BROKEN, zlib.error) as fault:
        raise WrongType("This begins like a zip archive, and is none.") from fault


def is_also_zip(content: Content) -> bool:
    """Whether something that begins otherwise can be opened as an archive too."""
    if not _has_small_directory(content):
        return _END in content.tail(_END_BYTES + _MOST_OF_COMMENT)
    try:
        with ZipFile(content.file) as archive:
            return bool(archive.infolist())
    except _BROKEN:
        return False


def _has_small_directory(content: Content) -> bool:
    """Whether there is a directory that may be read: all of it will be in memory."""
    tail = content.tail(_END_BYTES + _MOST_OF_COMMENT + _LOCATOR_BYTES)
    is_last = tail[-_END_BYTES:].startswith(_END) and tail.endswith(b"\0\0")
    at = len(tail) - _END_BYTES if is_last else tail.rfind(_END)
    if at < 0 or len(tail) < at + _END_BYTES or tail[:at][-_LOCATOR_BYTES:].startswith(_LOCATOR):
        return False
    count, size = struct.unpack("<HI", tail[at + 10 : at + 16])
    return bool(count <= MOST_ENTRIES and size <= _MOST_OF_DIRECTORY)


@dataclass(frozen=True, slots=True)
class _Region:
    """Where the packed bytes of an entry are, and where the entry begins."""

    begin: int
    start: int
    end: int


def _require_bounded(entries: Sequence[ZipInfo], size: int) -> None:
    if not entries:
        raise WrongType("An archive with nothing in it is not taken.")
    if len(entries) > MOST_ENTRIES:
        raise WrongType(f"An archive may have {MOST_ENTRIES} entries at most.")
    whole = sum(entry.file_size for entry in entries)
    if whole > max(MOST_BYTES, 2 * size) or (whole > SMALL_BYTES and whole > MOST_RATIO * size):
        raise WrongType(
            f"An archive may unpack to {MOST_BYTES >> 20} MiB at most, and to {MOST_RATIO} times its size."
        )
    for entry in entries:
        _require_plain(entry)


def _require_plain(entry: ZipInfo) -> None:
    if entry.flag_bits & _ENCRYPTED:
        raise WrongType("An archive with a password is not taken: nobody can see what is in it.")
    if entry.compress_type not in (ZIP_STORED, ZIP_DEFLATED):
        raise WrongType("An archive may be packed with deflate alone.")
    name = entry.filename
    parts = name.replace("\\", "/").split("/")
    if ".." in parts or name.startswith(("/", "\\")) or name[1:2] == ":" or not name.isprintable():
        raise WrongType("An archive whose entries lead out of its folder is not taken.")
    if ending(name) in _ARCHIVES:
        raise WrongType("An archive within an archive is not taken.")


def _region(content: Content, entry: ZipInfo) -> _Region:
    """Raises WrongType if the entry's own header says anything else than the directory."""
    header = content.part(entry.header_offset, _LOCAL_HEADER)
    mark, _, flags, method, _, _, crc, packed, size, name_size, extra = struct.unpack("<4s5H3L2H", header)
    raw = content.part(entry.header_offset + _LOCAL_HEADER, name_size)
    told = (packed, size, crc)
    known = (entry.compress_size, entry.file_size, entry.CRC)
    is_later = bool(flags & _SIZES_BEHIND) or 0xFFFFFFFF in told
    is_same = (method, flags & _ENCRYPTED) == (entry.compress_type, 0) and (is_later or told == known)
    if mark != BEGINNING or not is_same or _decoded(raw, flags) != entry.orig_filename:
        raise WrongType("An archive whose headers contradict each other is not taken.")
    start = entry.header_offset + _LOCAL_HEADER + name_size + extra
    return _Region(entry.header_offset, start, start + entry.compress_size)


def _decoded(name: bytes, flags: int) -> str:
    return name.decode("utf-8" if flags & 0x800 else "cp437")


def _require_apart(regions: Sequence[_Region], size: int) -> None:
    """No two entries share bytes, as those of a bomb do."""
    placed = sorted(regions, key=lambda region: region.begin)
    overlap = any(later.begin < region.end for region, later in pairwise(placed))
    if overlap or placed[0].begin != 0 or placed[-1].end > size:
        raise WrongType("An archive whose entries share bytes is not taken.")


def _measure(content: Content, entry: ZipInfo, region: _Region) -> None:
    """Counts what the entry unpacks to, keeping nothing; raises WrongType if it is not what was told."""
    found, first = 0, b""
    for piece in _unpacked(content, entry, region):
        first = first or piece[:8]
        found += len(piece)
        if found > entry.file_size:
            break
    if found != entry.file_size:
        raise WrongType("An archive that unpacks to something else than it says is not taken.")
    if first.startswith(_ARCHIVE_BEGINNINGS) and ending(entry.filename) not in _DOCUMENTS:
        raise WrongType("An archive within an archive is not taken.")


def _unpacked(content: Content, entry: ZipInfo, region: _Region) -> Iterator[bytes]:
    """What is in the entry, in pieces of at most `CHUNK_BYTES`. Raises EOFError if it has no end."""
    unpacker = zlib.decompressobj(-zlib.MAX_WBITS)
    for start in range(region.start, region.end, CHUNK_BYTES):
        packed = content.part(start, min(CHUNK_BYTES, region.end - start))
        if entry.compress_type == ZIP_STORED:
            yield packed
            continue
        while packed and not unpacker.eof:
            yield unpacker.decompress(packed, CHUNK_BYTES)
            packed = unpacker.unconsumed_tail
        yield unpacker.flush() if start + CHUNK_BYTES >= region.end else b""
    if entry.compress_type == ZIP_DEFLATED and not unpacker.eof:
        raise EOFError


def _first_text(content: Content, entries: Sequence[ZipInfo], regions: Sequence[_Region]) -> str:
    """What the entry `mimetype` says, if it comes first and is stored as it is; else nothing."""
    entry = entries[0]
    if entry.filename != "mimetype" or entry.compress_type != ZIP_STORED or entry.file_size > 200:
        return ""
    return content.part(regions[0].start, entry.file_size).decode("ascii").strip()


def _told(entries: Sequence[ZipInfo], mimetype: str) -> str:
    names = {entry.filename for entry in entries}
    if any(name.lower().endswith(_MACROS) for name in names):
        raise WrongType("A document with macros is not taken.")
    if mimetype.removeprefix(_OPEN_DOCUMENT) in _OPEN_DOCUMENTS and "content.xml" in names:
        return mimetype
    if names >= _OFFICE_PARTS:
        return next((told for part, told in _OFFICE.items() if part in names), ZIP)
    return ZIP
