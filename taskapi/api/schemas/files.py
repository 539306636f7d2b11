"""Files as they are answered."""

from __future__ import annotations

from marshmallow import Schema, fields

from taskapi.api.schemas.said import such_as


@such_as(
    id=1,
    task_id=1,
    filename="report.txt",
    content_type="text/plain",
    size=20,
    sha256="0f4d5b1a6bb5ab0f6f6d4d7a7d1e2c3b4a5968778695a4b3c2d1e0f1a2b3c4d5",
    user_id=2,
    version=4294967301,
)
class FileOut(Schema):
    """A file of a task; its bytes are had at /files/{id}."""

    id = fields.Integer()
    task_id = fields.Integer()
    filename = fields.String(metadata={"description": "A name without a path."})
    content_type = fields.String(metadata={"description": "By what is in it."})
    size = fields.Integer(metadata={"description": "In bytes."})
    sha256 = fields.String()
    user_id = fields.Integer(metadata={"description": "Who has sent it."})
    created_at = fields.DateTime()
    version = fields.Integer()
