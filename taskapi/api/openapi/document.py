"""The document itself: read off the contracts of the endpoints, so that it cannot say anything else."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import orjson
from apispec import APISpec
from apispec.ext.marshmallow import MarshmallowPlugin
from flask import Flask

from taskapi.api.inputs import FORM, MULTIPART
from taskapi.api.openapi import examples, headers, parameters, records, refusals
from taskapi.api.openapi.endpoints import Endpoint
from taskapi.api.openapi.endpoints import endpoints as all_endpoints

JSON = "application/json"
SECURITY = {
    "bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
    "basic": {"type": "http", "scheme": "basic"},
    "owner": {"type": "apiKey", "in": "header", "name": "X-Owner-Password"},
    "cookie": {"type": "apiKey", "in": "cookie", "name": "session"},
}
_INTRODUCTION = (
    "Tasks of users in groups. Every path lies at the root and under `/v1`. Successes are wrapped as "
    '`{"success": true, "data": …}`; refusals are `application/problem+json` (RFC 9457), whose `code` is one '
    "of [these](/docs/errors). Times are RFC 3339 in UTC, dates `YYYY-MM-DD`."
)


_BYTES = {"type": "string", "format": "binary"}
_ONE_FILE = {
    "schema": {"type": "object", "properties": {"file": _BYTES}, "required": ["file"]},
    "example": {"file": "A text of one line.\n"},
}


@lru_cache(maxsize=4)
def document(app: Flask) -> bytes:
    """The document as JSON."""
    every = list(all_endpoints(app))
    plugin = MarshmallowPlugin(schema_name_resolver=records.name)
    spec = APISpec(
        "Task API",
        "1",
        "3.1.0",
        info={"description": _INTRODUCTION},
        plugins=[plugin],
        servers=[{"url": "/v1"}, {"url": "/"}],
        tags=_tags(every),
    )
    records.teach(plugin)
    for endpoint in every:
        spec.path(endpoint.path, operations={endpoint.method.lower(): _operation(endpoint)})
    found = spec.to_dict()
    found["components"]["schemas"] = records.finished(found["components"]["schemas"], every)
    found["components"] |= {
        "securitySchemes": SECURITY,
        "parameters": parameters.components(),
        "headers": headers.components(),
        "responses": refusals.components(every),
    }
    return orjson.dumps(found)


def _tags(every: list[Endpoint]) -> list[dict[str, str]]:
    told = {endpoint.tag: endpoint.tag_description for endpoint in every}
    return [{"name": name, "description": told[name]} for name in sorted(told)]


def _operation(endpoint: Endpoint) -> dict[str, Any]:
    told: dict[str, Any] = {
        "operationId": endpoint.name,
        "tags": [endpoint.tag],
        "summary": endpoint.summary,
        "description": endpoint.description,
        "parameters": parameters.of_endpoint(endpoint),
        "responses": {**_successes(endpoint), **refusals.of_endpoint(endpoint)},
    }
    if not endpoint.is_public:
        told["security"] = [{name: []} for name in SECURITY]
        told["x-right"] = str(endpoint.contract.right)
    if endpoint.contract.receives_file:
        told["requestBody"] = {"required": True, "content": {MULTIPART: _ONE_FILE}}
    elif endpoint.contract.body is not None:
        told["requestBody"] = _body(endpoint)
    return told


def _body(endpoint: Endpoint) -> dict[str, Any]:
    contract = endpoint.contract
    told = {"schema": contract.body, "example": examples.of_body(contract)}
    media = [JSON, *([FORM] if contract.takes_form else [])]
    return {"required": not contract.body_optional, "content": dict.fromkeys(media, told)}


def _successes(endpoint: Endpoint) -> dict[str, Any]:
    """The responses with a status below 400."""
    contract = endpoint.contract
    found = {
        str(status): {
            "description": when,
            "headers": headers.of_success(endpoint, status),
            **_content(endpoint, differs),
        }
        for status, (when, differs) in {contract.status: ("Done.", {}), **contract.or_else}.items()
    }
    if endpoint.has_tag:
        not_again = {"description": "What the caller has is still so.", "headers": headers.of_unchanged()}
        found["304"] = not_again
    return found


def _content(endpoint: Endpoint, differs: Mapping[str, Any]) -> dict[str, Any]:
    contract = endpoint.contract
    if contract.sends_file:
        return {"content": {"*/*": {"schema": _BYTES, "example": "A text of one line.\n"}}}
    if contract.media is not None:
        return {"content": {contract.media: _of_other(endpoint)}}
    if contract.returned is None:
        return {}
    example = examples.differing(examples.of_answer(contract), differs)
    return {"content": {JSON: {"schema": records.answered(contract), "example": example}}}


def _of_other(endpoint: Endpoint) -> dict[str, Any]:
    """What is no record of ours: a page, a file."""
    answer = endpoint.contract.example.get("answer")
    kind = {"type": "object"} if endpoint.contract.media == JSON else {"type": "string"}
    return {"schema": kind} if answer is None else {"schema": kind, "example": answer}
