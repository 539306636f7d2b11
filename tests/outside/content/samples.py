"""Files as they are sent: good ones of every type, and attacks."""

import io
import struct
import zipfile
import zlib
from collections.abc import Mapping

PNG_END = b"\0\0\0\0IEND\xaeB`\x82"
PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\1\0\0\0\1\x08\2\0\0\0\x90wS\xde" + PNG_END
JPEG = b"\xff\xd8\xff\xe0\0\x10JFIF\0\1\1\0\0\1\0\1\0\0" + b"\x11" * 40 + b"\xff\xd9"
GIF = b"GIF89a\1\0\1\0\0\0\0,\0\0\0\0\1\0\1\0\0\2\2D\1\0;"
WEBP = b"RIFF" + struct.pack("<I", 26) + b"WEBPVP8 " + struct.pack("<I", 14) + b"\0" * 14
BMP = b"BM" + struct.pack("<IIII", 58, 0, 54, 40) + b"\0" * 40
TIFF = b"II*\0\x08\0\0\0\0\0\0\0\0\0"
TIFF_OF_A_MAC = b"MM\0*\0\0\0\x08\0\0\0\0\0\0"
HEIC = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + b"\0" * 300
AVIF = b"\0\0\0\x18ftypavif\0\0\0\0mif1avif" + b"\0" * 300
PDF = b"%PDF-1.7\n1 0 obj\n<< /Type /Catalog >>\nendobj\ntrailer\n<< /Root 1 0 R >>\n%%EOF\n"


def zipped(entries: Mapping[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """An archive of these."""
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", method) as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return whole.getvalue()


def office(part: str, **more: bytes) -> bytes:
    """A document of which that is the main part."""
    return zipped({"[Content_Types].xml": b"<Types/>", "_rels/.rels": b"<r/>", part: b"<x/>", **more})


def open_document(kind: str, **more: bytes) -> bytes:
    """A document that says first what it is."""
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w") as archive:
        archive.writestr("mimetype", f"application/vnd.oasis.opendocument.{kind}", zipfile.ZIP_STORED)
        for name, content in {"content.xml": b"<x/>", **more}.items():
            archive.writestr(name, content, zipfile.ZIP_DEFLATED)
    return whole.getvalue()


OOXML = "application/vnd.openxmlformats-officedocument"
TAKEN: dict[str, tuple[bytes, str]] = {
    "a.png": (PNG, "image/png"),
    "a.jpg": (JPEG, "image/jpeg"),
    "camera.jpg": (JPEG + b"\0\0SEFT of a camera", "image/jpeg"),
    "a.gif": (GIF, "image/gif"),
    "a.webp": (WEBP, "image/webp"),
    "a.bmp": (BMP, "image/bmp"),
    "a.tiff": (TIFF, "image/tiff"),
    "b.tiff": (TIFF_OF_A_MAC, "image/tiff"),
    "a.heic": (HEIC, "image/heic"),
    "a.avif": (AVIF, "image/avif"),
    "a.pdf": (PDF, "application/pdf"),
    "a.txt": (b"Hello, w\xc3\xb6rld \xf0\x9f\x98\x80\r\n\tand more", "text/plain"),
    "marked.txt": (b"\xef\xbb\xbfWith a byte order mark", "text/plain"),
    "a.csv": (b"id;name\n1;Ada\n", "text/plain"),
    "a.md": (b"# Title\n\n1 < 2, <b>bold</b> and `x > y`\n", "text/plain"),
    "a.json": (b'{"a": [1, 2]}', "text/plain"),
    "no ending": (b"BM and MZ are letters too", "text/plain"),
    "wrong.png": (b"I am a text, whatever I am called", "text/plain"),
    "a.docx": (office("word/document.xml"), f"{OOXML}.wordprocessingml.document"),
    "a.xlsx": (office("xl/workbook.xml"), f"{OOXML}.spreadsheetml.sheet"),
    "a.pptx": (office("ppt/presentation.xml"), f"{OOXML}.presentationml.presentation"),
    "a.odt": (open_document("text"), "application/vnd.oasis.opendocument.text"),
    "a.ods": (open_document("spreadsheet"), "application/vnd.oasis.opendocument.spreadsheet"),
    "a.zip": (zipped({"a.txt": b"a" * 1000, "folder/": b"", "b.txt": b"b"}), "application/zip"),
    "stored.zip": (zipped({"a.txt": b"abc"}, zipfile.ZIP_STORED), "application/zip"),
    "documents.zip": (zipped({"a.docx": office("word/document.xml")}), "application/zip"),
    "not quite.zip": (zipped({"[Content_Types].xml": b"x", "_rels/.rels": b"x"}), "application/zip"),
    "long name.zip": (zipped({"mimetype": b"x" * 300}), "application/zip"),
}
"""By the name that the sender gives: the content, and the type that it has."""


def patched(whole: bytes, entry: int, offset: int, values: bytes, *, local: bool) -> bytes:
    """The archive with other bytes in a header of one of its entries."""
    mark, at = (b"PK\x03\x04", -1) if local else (b"PK\x01\x02", -1)
    for _ in range(entry + 1):
        at = whole.index(mark, at + 1)
    return whole[: at + offset] + values + whole[at + offset + len(values) :]


def told_size(whole: bytes, size: int, *, local: bool = True) -> bytes:
    """The archive whose first entry claims to unpack to that."""
    there = patched(whole, 0, 24, struct.pack("<I", size), local=False)
    return patched(there, 0, 22, struct.pack("<I", size), local=True) if local else there


def overlapping() -> bytes:
    """An archive with two entries of the same bytes."""
    whole = zipped({"a.txt": b"a" * 5000, "b.txt": b"a" * 5000})
    return patched(patched(whole, 1, 42, struct.pack("<I", 0), local=False), 1, 46, b"a", local=False)


def empty_directory() -> bytes:
    """An archive whose directory has nothing of what is in it."""
    whole = zipped({"a.txt": b"a"})
    return whole[: whole.index(b"PK\x01\x02")] + b"PK\x05\x06" + bytes(18)


def encrypted() -> bytes:
    """An archive that says it has a password."""
    whole = zipped({"a.txt": b"a"})
    return patched(patched(whole, 0, 6, b"\1", local=True), 0, 8, b"\1", local=False)


def bomb() -> bytes:
    """Little that unpacks to much."""
    return zipped({"zeros.txt": bytes(40 << 20)})


def lying_bomb() -> bytes:
    """The same, which says it is small."""
    return told_size(bomb(), 1000)


def endless() -> bytes:
    """A packed entry that breaks off, though its length is as told."""
    whole = zipped({"a.bin": bytes(range(256)) * 8})
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = packer.compress(bytes(range(256)) * 8) + packer.flush(zlib.Z_SYNC_FLUSH)
    start = whole.index(b"a.bin") + 5
    size = struct.unpack("<I", whole[18:22])[0]
    return whole[:start] + packed[:size].ljust(size, b"\0") + whole[start + size :]


def large_directory() -> bytes:
    """An archive that says how many entries it has, and has many more."""
    whole = zipped({f"{number}": b"" for number in range(6000)}, zipfile.ZIP_STORED)
    end = whole.rindex(b"PK\x05\x06")
    return whole[: end + 8] + b"\1\0\1\0" + whole[end + 12 :]


def many_entries() -> bytes:
    """An archive of too many."""
    return zipped({f"{number}": b"" for number in range(5001)}, zipfile.ZIP_STORED)


def giant() -> bytes:
    """An archive with the locator of a form for giants."""
    whole = zipped({"a": b"a"})
    end = whole.rindex(b"PK\x05\x06")
    return whole[:end] + b"PK\x06\x07" + bytes(16) + whole[end:]


EXE = b"MZ\x90\0\3\0\0\0\4\0\0\0\xff\xff" + b"\0" * 100
ELF = b"\x7fELF\2\1\1" + b"\0" * 100
OLE = bytes.fromhex("d0cf11e0a1b11ae1") + b"\0" * 500
HTML = b"<!DOCTYPE html><html><script>alert(1)</script></html>"
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>'
XML = b'<?xml version="1.0"?><a/>'
SCRIPT = b"<script>alert(1)</script>"

REFUSED: dict[str, tuple[str, bytes]] = {
    "a page": ("a.txt", HTML),
    "a page behind blanks": ("a.txt", b" \r\n\t\xef\xbb\xbf"[:4] + HTML),
    "a page behind a byte order mark": ("a.txt", b"\xef\xbb\xbf" + HTML),
    "a page called a picture": ("a.png", HTML),
    "a page by its name": ("a.html", b"harmless"),
    "a page behind a comment": ("a.txt", b"<!-- -->" + HTML),
    "a script in the middle of a text": ("a.txt", b"a" * 200_000 + SCRIPT),
    "a script over the edge of a piece": ("a.txt", b"a" * (65_536 - 4) + SCRIPT),
    "PHP": ("a.txt", b"<?php system($_GET[0]);"),
    "PHP in the middle": ("a.txt", b"GIF, nearly\n<?php system($_GET[0]);"),
    "a drawing": ("a.txt", SVG),
    "a drawing by its name": ("a.svg", b"x"),
    "XML": ("a.txt", XML),
    "XML with a drawing": ("a.txt", XML + SVG),
    "a shell script": ("a.txt", b"#!/bin/sh\nrm -rf /\n"),
    "a batch file": ("a.txt", b"@echo off\r\ndel *.*"),
    "a batch file by its name": ("invoice.pdf.bat", b"del"),
    "a script by its name": ("a.JS", b"alert(1)"),
    "a shortcut": ("a.url", b"[InternetShortcut]"),
    "RTF": ("a.doc", b"{\\rtf1 x}"),
    "PostScript": ("a.ps", b"%!PS-Adobe"),
    "a program": ("a.txt", EXE),
    "a program called a picture": ("a.png", EXE),
    "a program of Linux": ("a", ELF),
    "a program by its name": ("a.exe", b"x"),
    "an old document": ("a.doc", OLE),
    "Java": ("a", b"\xca\xfe\xba\xbe\0\0\0\x34" + b"\0" * 50),
    "WebAssembly": ("a", b"\0asm\1\0\0\0"),
    "a film": ("a.mp4", b"\0\0\0\x18ftypisom" + b"\0" * 300),
    "RAR": ("a.rar", b"Rar!\x1a\x07\1\0" + b"\0" * 50),
    "gzip": ("a.gz", b"\x1f\x8b\x08" + b"\0" * 50),
    "nothing known": ("a.bin.txt", b"\x81\x82\x83\x84"),
    "text in Latin-1": ("a.txt", "Größe".encode("latin-1")),
    "text that breaks off": ("a.txt", "Größe".encode()[:3]),
    "text in UTF-16": ("a.txt", "Hello".encode("utf-16")),
    "text with NUL": ("a.txt", b"a\0b"),
    "text with an escape": ("a.txt", b"\x1b]0;title\x07"),
    "a picture and an archive": ("a.gif", GIF[:-2] + zipped({"a.class": b"x"}) + b"\0;"),
    "a picture before an archive": ("a.jpg", JPEG + zipped({"a.class": b"x"})),
    "a PDF before an archive": ("a.pdf", PDF + zipped({"a.txt": b"x"})),
    "a picture with a page": ("a.jpg", JPEG[:30] + HTML + JPEG[30:]),
    "a picture with PHP": ("a.gif", GIF[:-2] + b"<?php system(1);" + b"\0;"),
    "a PNG with something behind": ("a.png", PNG + b"more"),
    "a PNG without a header": ("a.png", PNG[:12] + b"XXXX" + PNG[16:]),
    "a script that begins like a GIF": ("a.gif", b"GIF89a/*\0\0*/=alert(1)//;"),
    "a GIF that is none": ("a.gif", b"GIF89a\0;"),
    "a WebP of another length": ("a.webp", WEBP + b"more"),
    "a BMP of another length": ("a.bmp", BMP + b"\0more"),
    "a BMP that is none": ("a.bmp", b"BM\0\0"),
    "a TIFF without a directory": ("a.tiff", b"II*\0\xff\xff\xff\x7f\0\0"),
    "a TIFF that is none": ("a.tiff", b"II*\0\1"),
    "a JPEG that breaks off": ("a.jpg", JPEG[:-2]),
    "a HEIC with a strange box": ("a.heic", b"\xff\0\0\x18ftypheic" + b"\0" * 300),
    "a PDF that begins late": ("a.pdf", b"\x01" + PDF),
    "a PDF without an end": ("a.pdf", PDF[:-7] + b"\0"),
    "a bomb": ("a.zip", bomb()),
    "a bomb that lies": ("a.zip", lying_bomb()),
    "a bomb of shared bytes": ("a.zip", overlapping()),
    "a bomb in a document": ("a.docx", office("word/document.xml", **{"word/media/a.png": bytes(40 << 20)})),
    "an archive in an archive": ("a.zip", zipped({"b.zip": b"x"})),
    "an archive in an archive by another name": ("a.zip", zipped({"b.dat": zipped({"c": b"x"})})),
    "too many entries": ("a.zip", many_entries()),
    "a directory that is larger than it says": ("a.zip", large_directory()),
    "a giant": ("a.zip", giant()),
    "an empty directory": ("a.zip", empty_directory()),
    "no entries": ("a.zip", b"PK\x05\x06" + bytes(18)),
    "an archive that breaks off": ("a.zip", zipped({"a": b"x" * 100})[:-30]),
    "an entry that breaks off": ("a.zip", endless()),
    "only the beginning of an archive": ("a.zip", b"PK\x03\x04 and no more"),
    "a size that the entry contradicts": ("a.zip", told_size(zipped({"a.txt": b"a" * 9}), 8, local=False)),
    "a size that is too large": ("a.zip", told_size(zipped({"a.txt": b"a" * 9}), 10)),
    "a name that the entry contradicts": ("a.zip", patched(zipped({"a.txt": b"a"}), 0, 30, b"b", local=True)),
    "an entry that is nowhere": ("a.zip", patched(zipped({"a": b"a"}), 0, 42, b"\xff\xff", local=False)),
    "a password": ("a.zip", encrypted()),
    "another packing": ("a.zip", zipped({"a": b"a" * 100}, zipfile.ZIP_BZIP2)),
    "a way out": ("a.zip", zipped({"../../etc/passwd": b"x"})),
    "a way to the root": ("a.zip", zipped({"/etc/passwd": b"x"})),
    "a way out on Windows": ("a.zip", zipped({"..\\..\\a.txt": b"x"})),
    "a way to a drive": ("a.zip", zipped({"C:a.txt": b"x"})),
    "a name with a line break": ("a.zip", zipped({"a\nb": b"x"})),
    "an archive behind something": ("a.zip", b"PK\x03\x04" + zipped({"a": b"x"})),
    "macros": ("a.docx", office("word/document.xml", **{"word/vbaProject.bin": b"x"})),
    "macros of another kind": ("a.odt", open_document("text", **{"Basic/script-lc.xml": b"x"})),
    "Java in an archive's clothes": ("a.jar", zipped({"META-INF/MANIFEST.MF": b"x"})),
}
"""What it is: the name that the sender gives, and the content."""
