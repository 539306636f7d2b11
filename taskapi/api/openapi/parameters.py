"""The parameters of paths, queries and headers.

Those that must be sent have an `example`, which pages fill in; those that may be left out have `examples` in
their schema, which pages only show.
"""

from __future__ import annotations

from typing import Any

from marshmallow import Schema

from taskapi.api.inputs import is_repeatable
from taskapi.api.openapi import examples
from taskapi.api.openapi.endpoints import Endpoint
from taskapi.api.schemas.query import Choices, Flag, Query, WholeParameter

_ID = {"type": "integer", "minimum": 1, "maximum": 9_999_999_999_999_999}
_TEXT = {"type": "string", "minLength": 1}

PATH: dict[str, tuple[dict[str, Any], Any, str]] = {
    "user_id": (_ID, 2, "The id of a user."),
    "group_id": (_ID, 1, "The id of a group."),
    "task_id": (_ID, 1, "The id of a task."),
    "file_id": (_ID, 1, "The id of a file."),
    "tag": (_TEXT, "paper", "A tag."),
    "date": ({"type": "string", "format": "date"}, "2030-01-31", "A date (UTC), YYYY-MM-DD."),
    "asset": (_TEXT, "docs.js", "A file of the page."),
    "record_id": (_ID, 2, "The id of a record."),
    "session_id": (_TEXT, "5b1c9f0e6d7a4c38", "The id of a session of the caller."),
    "backup_id": (_TEXT, "20300130T091500Z-5b1c", "The id of a backup."),
    "job_id": (_TEXT, "5b1c9f0e6d7a4c38", "The id of a job."),
    "kind": (_TEXT, "user", "A kind of record."),
}
"""Of each part of a path: its schema, an example, and what it is."""

_HEADERS: dict[str, dict[str, Any]] = {
    "If-Match": {
        "description": "The version that the record must have, as its `ETag` told it; any with `*`.",
        "schema": {"type": "string", "examples": ["*"]},
    },
    "If-None-Match": {
        "description": "The `ETag` of the answer that the caller has: unchanged, it is not sent again.",
        "schema": {"type": "string", "examples": ['"4294967301"']},
    },
    "Idempotency-Key": {
        "description": "A name for this request: sent again within a day, it is not carried out again.",
        "schema": {"type": "string", "pattern": "^[!-~]{1,255}$", "examples": ["5b1c9f0e-create-task"]},
    },
    "Prefer": {
        "description": "With `durability=postgres` the answer waits for PostgreSQL, 5 s at most.",
        "schema": {"type": "string", "examples": ["durability=postgres"]},
    },
    "X-CSRF-Token": {
        "description": "The value of the cookie csrf_token: for pages that call with the session cookie.",
        "schema": {"type": "string", "examples": ["5b1c9f0e6d7a4c38"]},
    },
}


def components() -> dict[str, Any]:
    """The headers that many endpoints take."""
    return {
        name: {"in": "header", "name": name, "required": False, **told} for name, told in _HEADERS.items()
    }


def of_endpoint(endpoint: Endpoint) -> list[dict[str, Any] | str]:
    """All that it takes beside its body; a header by its name among the components."""
    names = ["If-Match"] if endpoint.contract.conditional else []
    if endpoint.is_unsafe:
        names += ["Idempotency-Key", "Prefer", *([] if endpoint.is_public else ["X-CSRF-Token"])]
    elif endpoint.has_tag:
        names.append("If-None-Match")

    return [*_of_path(endpoint), *_of_query(endpoint), *names]


def path_examples(endpoint: Endpoint) -> dict[str, Any]:
    """An example of each part of the path."""
    said = endpoint.contract.example.get("path", {})
    return {name: said.get(name, PATH[name][1]) for name in endpoint.path_names}


def _of_path(endpoint: Endpoint) -> list[dict[str, Any]]:
    values = path_examples(endpoint)
    return [
        {
            "in": "path",
            "name": name,
            "required": True,
            "description": PATH[name][2],
            "schema": PATH[name][0],
            "example": values[name],
        }
        for name in endpoint.path_names
    ]


def _of_query(endpoint: Endpoint) -> list[dict[str, Any]]:
    query = endpoint.contract.query
    if query is None:
        return []
    said = endpoint.contract.example.get("query", {})
    told = [
        _parameter(query, name, field, said) for name, field in query.fields.items() if name != "narrowed"
    ]
    return [*told, *([_narrowing(endpoint.contract.returned)] if "narrowed" in query.fields else [])]


def _narrowing(returned: Schema | None) -> dict[str, Any]:
    """The parameter that chooses among the fields of what is answered."""
    names = [] if returned is None else list(returned.fields)
    told = {"in": "query", "name": "fields", "required": False, "explode": False, "style": "form"}
    listed = {"type": "array", "items": {"enum": names}, "minItems": 1, "uniqueItems": True}
    what = "Names of fields, parted by commas: the others are left out."
    return told | {"description": what, "schema": listed | {"examples": [names[:2]]}}


def _parameter(query: Query, attribute: str, field: Any, said: dict[str, Any]) -> dict[str, Any]:
    name = field.data_key or attribute
    value = said[name] if name in said else examples.of_field(query, attribute, field)
    told: dict[str, Any] = {"in": "query", "name": name, "required": field.required}
    told["description"] = field.metadata.get("description") or _first_line(field)
    told["schema"] = _schema(field)
    if isinstance(field, Flag):
        value = value in (True, "true")
    if is_repeatable(field):
        told |= {"schema": {"type": "array", "items": told["schema"]}, "explode": True}
    elif isinstance(field, Choices):
        listed = {"type": "array", "items": told["schema"], "minItems": 1, "uniqueItems": True}
        told |= {"schema": listed, "explode": False, "style": "form"}
    if field.required:
        return told | {"example": value}
    return told | {"schema": told["schema"] | {"examples": [value]}}


def _schema(field: Any) -> dict[str, Any]:
    if isinstance(field, Flag):
        return {"type": "boolean"}
    known = ("minimum", "maximum", "enum", "format", "pattern", "minLength", "maxLength")
    facts = {key: field.metadata[key] for key in known if key in field.metadata}
    return {"type": "integer" if isinstance(field, WholeParameter) else "string", **facts}


def _first_line(field: Any) -> str:
    return (type(field).__doc__ or "").partition("\n")[0]
