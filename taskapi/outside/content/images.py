"""Pictures and PDF: whether what begins like one goes on and ends like one."""

from __future__ import annotations

import struct

from taskapi.outside.content.reading import Content

_PNG_END = b"IEND\xaeB`\x82"
_PDF_BEGINNINGS = (b"%PDF-1.", b"%PDF-2.")
_PDF_END_BYTES = 2048
_BMP_HEADERS = frozenset({12, 16, 40, 52, 56, 64, 108, 124})
_HEIF_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis", b"mif1", b"avif"})
_MOST_OF_BRANDS = 256


def is_png(content: Content) -> bool:
    """A header first, the end mark last, and nothing behind it."""
    return content.head[12:16] == b"IHDR" and content.tail(len(_PNG_END)) == _PNG_END


def is_jpeg(content: Content) -> bool:
    """Segments from its first mark on; cameras do add something behind the last."""
    return content.head.startswith(b"\xff\xd8\xff") and b"\xff\xd9" in content.tail(1 << 20)


def is_gif(content: Content) -> bool:
    """Its end mark last."""
    return content.size > 13 and content.tail(2) == b"\0;"


def is_webp(content: Content) -> bool:
    """As long as it says."""
    if content.size < 12:
        return False
    (told,) = struct.unpack("<I", content.head[4:8])
    return content.head[8:12] == b"WEBP" and bool(told + 8 == content.size)


def is_bmp(content: Content) -> bool:
    """As long as it says, with a header of a known length."""
    if content.size < 26:
        return False
    told, reserved, start, header = struct.unpack("<IIII", content.head[2:18])
    return bool(told == content.size and reserved == 0 and start < told and header in _BMP_HEADERS)


def is_tiff(content: Content) -> bool:
    """With a directory inside of it."""
    order = "<" if content.head.startswith(b"II") else ">"
    if content.size < 8:
        return False
    (directory,) = struct.unpack(f"{order}I", content.head[4:8])
    return bool(8 <= directory < content.size)


def is_heif(content: Content) -> bool:
    """A first box of a sensible length that names a brand of pictures."""
    (length,) = struct.unpack(">I", content.head[:4])
    is_box = content.head[4:8] == b"ftyp" and 16 <= length <= _MOST_OF_BRANDS < content.size
    return is_box and content.head[8:12] in _HEIF_BRANDS


def is_pdf(content: Content) -> bool:
    """From the first byte on, with its end mark near the end."""
    return content.head.startswith(_PDF_BEGINNINGS) and b"%%EOF" in content.tail(_PDF_END_BYTES)
