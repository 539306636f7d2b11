"""The schemas of what is taken and answered, as precise as they can be without a lie."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from apispec.ext.marshmallow import MarshmallowPlugin
from marshmallow import Schema, fields

from taskapi.api.contracts import Contract
from taskapi.api.openapi.endpoints import Endpoint
from taskapi.api.problems import CATALOGUE
from taskapi.api.schemas import fields as own
from taskapi.api.schemas.aliased import Body
from taskapi.domain.worktime import WEEKDAYS

_TYPES: tuple[tuple[type, str | None], ...] = (
    (own.Text, "string"), (own.Whole, "integer"), (own.Number, "number"), (own.Truth, "boolean"),
    (own.Day, "string"), (own.OneOf, None), (own.Several, "array"), (own.WorkTimes, "object"),
)  # fmt: skip
_GIVEN = frozenset(
    {"id", "version", "created_at", "updated_at", "completed_at", "deleted_at", "deleted_with"}
)
_HOURS = {"type": "number", "minimum": 0, "maximum": 24}


def name(schema: Any) -> str:
    """The name of a schema among the components."""
    kind = schema if isinstance(schema, type) else type(schema)
    return str(kind.__name__)


def teach(plugin: MarshmallowPlugin) -> None:
    """Tells the plugin what fields of our own are."""
    for field, kind in _TYPES:
        plugin.map_to_openapi_type(field, kind, None)
    converter: Any = plugin.converter
    converter.add_attribute_function(_inside)


def _inside(converter: Any, field: Any, **_: Any) -> dict[str, Any]:
    """What a field says of its parts, and null among what it may be."""
    if isinstance(field, own.Several):
        return {"items": converter.field2property(field.each)}
    if isinstance(field, own.WorkTimes):
        return {"properties": dict.fromkeys(WEEKDAYS, _HOURS), "additionalProperties": False}
    if field.allow_none and "enum" in field.metadata:
        return {"enum": [*field.metadata["enum"], None]}
    return {}


def finished(known: dict[str, Any], every: list[Endpoint]) -> dict[str, Any]:
    """The schemas with what their fields alone do not say, and the one of problems."""
    narrowed = {name(endpoint.contract.returned) for endpoint in every if _is_narrowed(endpoint.contract)}
    for endpoint in every:
        for schema in (endpoint.contract.body, endpoint.contract.returned):
            for each in _with_nested(schema):
                known[name(each)] = _told(each, known[name(each)], narrowed)
    return known | {"Problem": _problem()}


def answered(contract: Contract) -> Any:
    """The schema of an answer: the record, or a page of them, under `data`."""
    if contract.bare:
        return contract.returned
    data: Any = _page(contract, contract.plural) if contract.plural else contract.returned
    beside = getattr(contract.returned, "beside_data", {})
    rare = frozenset(beside.keys() - getattr(contract.returned, "beside_example", {}).keys())
    return _whole({"success": {"const": True}, **beside, "data": data}, rare=rare)


def _page(contract: Contract, plural: str) -> dict[str, Any]:
    count = {"type": "integer", "minimum": 0}
    told = {
        plural: {"type": "array", "items": contract.returned},
        "count": count,
        "total": count,
        "next_cursor": {"type": ["string", "null"]},
    }
    beside = {name: {"type": kind} for name, kind in contract.beside.items()}
    return _whole(told | beside, rare=frozenset({"complete"}))


def _whole(properties: dict[str, Any], *, rare: frozenset[str] = frozenset()) -> dict[str, Any]:
    """An object that has these and nothing else."""
    required = [name for name in properties if name not in rare]
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}


def _is_narrowed(contract: Contract) -> bool:
    """Whether `?fields=` may leave fields of the record out."""
    return (
        contract.returned is not None and contract.query is not None and "narrowed" in contract.query.fields
    )


def _with_nested(schema: Any) -> Iterator[Schema]:
    """The schema and all within it."""
    if schema is None:
        return
    yield schema
    for field in schema.fields.values():
        within = getattr(field, "inner", field)
        if isinstance(within, fields.Nested):
            yield from _with_nested(within.schema)


def _told(schema: Schema, known: dict[str, Any], narrowed: set[str]) -> dict[str, Any]:
    """What is known of a schema, with what it says of itself."""
    described = {"description": (schema.__doc__ or "").partition("\n")[0], "additionalProperties": False}
    facts = dict(getattr(schema, "facts", {}))
    known = known | {"properties": known.get("properties", {}) | facts.pop("properties", {})}
    if isinstance(schema, Body):
        return known | _with_aliases(schema, known) | described | facts
    told = {each: _given(each, one) for each, one in known.get("properties", {}).items()}
    found = known | described | {"properties": told} | facts
    if name(schema) in narrowed:
        return found
    return found | {
        "required": [each for each, field in schema.fields.items() if not field.metadata.get("rare")]
    }


def _given(name: str, told: dict[str, Any]) -> dict[str, Any]:
    """What is answered of a field; some can never be sent."""
    return told | {"readOnly": True} if name in _GIVEN else told


def _with_aliases(body: Body, known: dict[str, Any]) -> dict[str, Any]:
    """The other names of fields; one that is required may be sent under any of them."""
    told, required = dict(known["properties"]), set(known.get("required", ()))
    instead: dict[str, list[str]] = {}
    for alias, field in body.aliases.items():
        told[alias] = told[field] | {"description": f"Another name of {field}."}
        if field in required:
            instead.setdefault(field, [field]).append(alias)
    found: dict[str, Any] = {"properties": told}
    if required:
        found["required"] = sorted(required - instead.keys())
    if instead:
        found["allOf"] = [{"anyOf": [{"required": [each]} for each in names]} for names in instead.values()]
    return found


def _problem() -> dict[str, Any]:
    texts = {name: {"type": "string"} for name in ("type", "title", "detail", "request_id")}
    messages = {"type": "array", "items": {"type": "string"}, "minItems": 1}
    told = {
        "success": {"const": False},
        **texts,
        "status": {"type": "integer", "minimum": 400, "maximum": 599},
        "code": {"type": "string", "enum": list(CATALOGUE)},
        "errors": {"type": "object", "additionalProperties": messages},
        "retry_after": {"type": "integer", "minimum": 1},
        "results": {
            "type": "array",
            "items": {"type": "object"},
            "description": "Of an atomic batch: the tasks that refused.",
        },
    }
    return _whole(told, rare=frozenset({"retry_after", "results"}))
