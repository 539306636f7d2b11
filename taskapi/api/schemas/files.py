"""Files as they are answered."""

from __future__ import annotations

from marshmallow import Schema, fields


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
