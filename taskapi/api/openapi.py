"""The OpenAPI document: read off the contracts of the endpoints, so that it cannot say anything else."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import orjson
from apispec import APISpec
from apispec.ext.marshmallow import MarshmallowPlugin
from flask import Flask
from marshmallow import Schema
from werkzeug.routing import Rule

from taskapi.api import problems
from taskapi.api.contracts import Contract, View, contract_of
from taskapi.api.inputs import FORM, MULTIPART, is_repeatable
from taskapi.api.schemas import fields as own
from taskapi.api.schemas.query import Flag, Parameter, Query, WholeParameter
from taskapi.domain.rights import Right

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
PLAIN = frozenset({"HEAD", "OPTIONS"})
_CONVERTED = re.compile(r"<(?:(\w+):)?(\w+)>")
_TYPES: tuple[tuple[type, str | None], ...] = (
    (own.Text, "string"), (own.Whole, "integer"), (own.Number, "number"), (own.Truth, "boolean"),
    (own.Day, "string"), (own.OneOf, None), (own.Several, "array"), (own.WorkTimes, "object"),
)  # fmt: skip
_SECURITY = {
    "bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
    "basic": {"type": "http", "scheme": "basic"},
    "owner": {"type": "apiKey", "in": "header", "name": "X-Owner-Password"},
    "cookie": {"type": "apiKey", "in": "cookie", "name": "session"},
}
_BYTES = {"type": "string", "format": "binary"}
_CSRF = {
    "in": "header",
    "name": "X-CSRF-Token",
    "schema": {"type": "string"},
    "description": "The value of the cookie csrf_token: needed by pages that call with the session cookie.",
}


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One method of one path, as documented; `path` is written `/tasks/{task_id}`."""

    method: str
    path: str
    name: str
    summary: str
    contract: Contract
    path_names: tuple[str, ...]


def endpoints(app: Flask) -> Iterator[Endpoint]:
    """Every endpoint at the root mount, in the order of paths."""
    times: Counter[str] = Counter()
    for rule in sorted(app.url_map.iter_rules(), key=_order):
        if rule.endpoint.startswith("v1."):
            continue
        view = app.view_functions[rule.endpoint]
        for method in sorted((rule.methods or set()) - PLAIN, key=METHODS.index):
            times[view.__name__] += 1
            yield _endpoint(rule, view, method, times[view.__name__])


def _order(rule: Rule) -> tuple[str, int]:
    return rule.rule, min(METHODS.index(method) for method in (rule.methods or ()) if method not in PLAIN)


def _endpoint(rule: Rule, view: View, method: str, times: int) -> Endpoint:
    """One endpoint; a view that has several is called by its name at the first, then with a number."""
    path = _CONVERTED.sub(r"{\2}", rule.rule)
    parts = tuple(name for _, name in _CONVERTED.findall(rule.rule))
    name = view.__name__ if times == 1 else f"{view.__name__}_{times}"
    return Endpoint(method, path, name, (view.__doc__ or "").strip(), contract_of(view), parts)


@lru_cache(maxsize=4)
def document(app: Flask) -> bytes:
    """The document as JSON."""
    plugin = MarshmallowPlugin(schema_name_resolver=lambda schema: _name(schema))
    spec = APISpec("Task API", "1", "3.1.0", plugins=[plugin], servers=[{"url": "/v1"}, {"url": "/"}])
    for field, kind in _TYPES:
        plugin.map_to_openapi_type(field, kind, None)
    converter: Any = plugin.converter
    converter.add_attribute_function(_items)
    for name, scheme in _SECURITY.items():
        spec.components.security_scheme(name, scheme)
    spec.components.schema("Problem", _problem())
    for endpoint in endpoints(app):
        spec.path(endpoint.path, operations={endpoint.method.lower(): _operation(endpoint)})
    return orjson.dumps(_with_aliases(spec.to_dict(), app))


def _with_aliases(document: dict[str, Any], app: Flask) -> dict[str, Any]:
    """The document with the other names that bodies know for their fields."""
    for body in {endpoint.contract.body for endpoint in endpoints(app)} - {None}:
        known = document["components"]["schemas"][_name(body)]["properties"]
        for alias, name in body.aliases.items() if body else ():
            known[alias] = known[name] | {"description": f"Another name of {name}."}
    return document


def _items(_: Any, field: Any, **__: Any) -> dict[str, Any]:
    if isinstance(field, own.Several):
        return {"items": {"type": "integer" if isinstance(field.each, own.Whole) else "string"}}
    return {}


def _name(schema: Any) -> str:
    kind = schema if isinstance(schema, type) else type(schema)
    return str(kind.__name__)


def _operation(endpoint: Endpoint) -> dict[str, Any]:
    contract = endpoint.contract
    told: dict[str, Any] = {
        "operationId": endpoint.name,
        "summary": endpoint.summary,
        "parameters": [*_path_parameters(endpoint), *_query_parameters(contract.query), *_headers(endpoint)],
        "responses": {
            str(contract.status): {"description": "Done.", **_answer(contract)},
            "default": {
                "description": "Refused.",
                "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
            },
        },
    }
    if contract.right is not Right.PUBLIC:
        told["security"] = [{name: []} for name in _SECURITY]
        told["x-right"] = str(contract.right)
    if contract.body is not None:
        media = ["application/json", *([FORM] if contract.takes_form else [])]
        told["requestBody"] = {
            "required": not contract.body_optional,
            "content": {each: {"schema": contract.body} for each in media},
        }
    if contract.receives_file:
        form = {"type": "object", "properties": {"file": _BYTES}, "required": ["file"]}
        told["requestBody"] = {"required": True, "content": {MULTIPART: {"schema": form}}}
    return told


def _path_parameters(endpoint: Endpoint) -> list[dict[str, Any]]:
    return [
        {"in": "path", "name": name, "required": True, "schema": {"type": _path_type(endpoint, name)}}
        for name in endpoint.path_names
    ]


def _path_type(endpoint: Endpoint, name: str) -> str:
    return "integer" if name in ("user_id", "group_id", "task_id", "file_id") else "string"


def _query_parameters(query: Query | None) -> list[dict[str, Any]]:
    if query is None:
        return []
    return [_query_parameter(field.data_key or name, field) for name, field in query.fields.items()]


def _query_parameter(name: str, field: Any) -> dict[str, Any]:
    schema: dict[str, Any] = {
        key: field.metadata[key] for key in ("minimum", "maximum", "enum") if key in field.metadata
    }
    schema["type"] = "integer" if isinstance(field, WholeParameter) else "string"
    if isinstance(field, Flag):
        schema = {"type": "boolean"}
    told = {"in": "query", "name": name, "required": field.required, "schema": schema}
    if is_repeatable(field):
        told |= {"schema": {"type": "array", "items": schema}, "explode": True}
    elif "enum" in schema and isinstance(field, Parameter) and type(field).__name__ == "Choices":
        told |= {"schema": {"type": "array", "items": schema}, "explode": False, "style": "form"}
    return told


def _headers(endpoint: Endpoint) -> list[dict[str, Any]]:
    names = ["If-Match"] if endpoint.contract.conditional else []
    names += ["If-None-Match"] if endpoint.method == "GET" else ["Idempotency-Key", "Prefer"]
    told = [{"in": "header", "name": name, "schema": {"type": "string"}} for name in names]
    return told if endpoint.method == "GET" or endpoint.contract.right is Right.PUBLIC else [*told, _CSRF]


def _content(schema: dict[str, Any] | None) -> dict[str, Any]:
    return {} if schema is None else {"content": {"application/json": {"schema": schema}}}


def _answer(contract: Contract) -> dict[str, Any]:
    if contract.sends_file:
        return {"content": {"application/octet-stream": {"schema": _BYTES}}}
    return _content(_answered(contract))


def _answered(contract: Contract) -> dict[str, Any] | None:
    """The schema of the answer: the record, or a page of them, under `data`."""
    returned: Schema | None = contract.returned
    if returned is None:
        return None
    data: Any = returned
    if contract.plural:
        data = {
            "type": "object",
            "properties": {
                contract.plural: {"type": "array", "items": returned},
                "count": {"type": "integer"},
                "total": {"type": "integer"},
                "next_cursor": {"type": ["string", "null"]},
                **{name: {"type": kind} for name, kind in contract.beside.items()},
            },
        }
    beside = getattr(returned, "beside_data", {})
    return {"type": "object", "properties": {"success": {"const": True}, **beside, "data": data}}


def _problem() -> dict[str, Any]:
    texts = {name: {"type": "string"} for name in ("type", "title", "detail", "request_id")}
    return {
        "type": "object",
        "properties": {
            "success": {"const": False},
            **texts,
            "status": {"type": "integer"},
            "code": {"type": "string", "enum": list(problems.CATALOGUE)},
            "errors": {
                "type": "object",
                "additionalProperties": {"type": "array", "items": {"type": "string"}},
            },
            "retry_after": {"type": "integer"},
            "results": {"type": "array", "description": "Of an atomic batch: the tasks that refused."},
        },
    }
