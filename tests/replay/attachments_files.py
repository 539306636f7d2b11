"""Files of tasks: what may be attached, how it comes back, and when it goes."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib

from tests.replay.cases import Call, Case, refused

UPLOAD = "POST /tasks/{id}/files"
MADE = Call("POST /tasks", 201, sent={"title": "Develop photo 51"}, kept={"task": "data.id"})


def _png() -> bytes:
    """A picture of one grey point."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(b"\0\x80"))
        + chunk(b"IEND", b"")
    )


def _zip() -> bytes:
    """An archive of one text."""
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w") as archive:
        archive.writestr("notes.txt", "fibre B")
    return whole.getvalue()


PNG, ZIP = _png(), _zip()
PDF = (
    b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[]/Count 0>>endobj\n"
    + (b"trailer<</Root 1 0 R>>\n%%EOF\n")
)
TEXT = b"fibre B, 62 hours\n"
FILES = (
    ("photo.png", "image/png", PNG),
    ("notes.pdf", "application/pdf", PDF),
    ("notes.txt", "text/plain", TEXT),
    ("notes.zip", "application/zip", ZIP),
)
UPLOADED = Call(UPLOAD, 201, ("$task",), file=FILES[0], kept={"file": "data.id"})


ATTACHED = (
    *(
        Case(
            f"a {name.partition('.')[2]} is attached to a task, and comes back as it was",
            (
                MADE,
                Call(
                    UPLOAD,
                    201,
                    ("$task",),
                    file=(name, kind, content),
                    told={
                        "data": {
                            "task_id": "$task",
                            "user_id": "$ada",
                            "filename": name,
                            "content_type": kind,
                            "size": len(content),
                        }
                    },
                    headed={"Location": r"/files/\d+"},
                    kept={"file": "data.id"},
                ),
                Call(
                    "GET /files/{id}",
                    200,
                    ("$file",),
                    body=content,
                    headed={
                        "Content-Type": f"{kind}.*",
                        "Content-Disposition": f"attachment; .*{name}.*",
                        "X-Content-Type-Options": "nosniff",
                    },
                ),
            ),
        )
        for name, kind, content in FILES
    ),
    Case(
        "a task knows its files, and one is deleted alone",
        (
            MADE,
            UPLOADED,
            Call(UPLOAD, 201, ("$task",), file=FILES[1]),
            Call(
                "GET /tasks/{id}/files",
                200,
                ("$task",),
                told={
                    "data": {
                        "files": [{"filename": "photo.png"}, {"filename": "notes.pdf"}],
                        "count": 2,
                        "total": 2,
                    }
                },
            ),
            Call("DELETE /files/{id}", 200, ("$file",), told={"data": {"id": "$file", "deleted": True}}),
            Call("GET /files/{id}", 404, ("$file",), told=refused("not_found")),
            Call("DELETE /files/{id}", 404, ("$file",)),
            Call(
                "GET /tasks/{id}/files",
                200,
                ("$task",),
                told={"data": {"files": [{"filename": "notes.pdf"}]}},
            ),
        ),
    ),
    Case(
        "with a task its files go, and come back with it; for good with one that goes for good",
        (
            MADE,
            UPLOADED,
            Call("DELETE /tasks/{id}", 200, ("$task",)),
            Call("GET /files/{id}", 404, ("$file",), told=refused("not_found")),
            Call("GET /tasks/{id}/files", 404, ("$task",)),
            Call("POST /tasks/{id}/restore", 200, ("$task",)),
            Call("GET /files/{id}", 200, ("$file",), body=PNG),
            Call("DELETE /tasks/{id}", 200, ("$task",), query="permanent=true"),
            Call("GET /files/{id}", 404, ("$file",)),
        ),
    ),
    Case(
        "what is no picture, document or archive is refused, whatever it is called",
        (
            MADE,
            Call(
                UPLOAD, 415, ("$task",), file=("page.html", "text/html", b"<!DOCTYPE html><script>1</script>")
            ),
            Call(
                UPLOAD,
                415,
                ("$task",),
                file=("photo.png", "image/png", b"<svg xmlns='http://www.w3.org/2000/svg'/>"),
            ),
            Call(UPLOAD, 415, ("$task",), file=("run.pdf", "application/pdf", b"MZ\x90\0" + b"\0" * 60)),
            Call(UPLOAD, 404, ("999",), file=FILES[0], told=refused("not_found")),
            Call("GET /tasks/{id}/files", 200, ("$task",), told={"data": {"total": 0}}),
        ),
    ),
    Case(
        "what is too large is refused",
        (MADE, Call(UPLOAD, 413, ("$task",), file=("long.txt", "text/plain", b"x" * 1001))),
        environ={"UPLOAD_MAX_BYTES": "1000"},
    ),
)
