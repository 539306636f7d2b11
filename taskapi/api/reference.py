"""The reference: the OpenAPI document as one page of HTML, readable without any script."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from html import escape
from typing import Any

import orjson
from flask import Flask

from taskapi.api import openapi
from taskapi.api.pages import page as whole_page
from taskapi.api.pages import table

_CODE = re.compile(r"`([^`]+)`")
_LINK = re.compile(r"\[([^\]]+)\]\((/[^)]*)\)")
_ENDS = '<li><a href="#refusals">refusals</a></li><li><a href="#schemas">schemas</a></li>'
Json = dict[str, Any]


@lru_cache(maxsize=4)
def page(app: Flask) -> str:
    """The page."""
    document = orjson.loads(openapi.document(app))
    tags = document["tags"]
    return whole_page(
        "Task API",
        f"<p>{_prose(document['info']['description'])} To try it out: "
        '<a href="/docs">docs</a>. For programs: <a href="/openapi.json">openapi.json</a>.</p>'
        f"<nav><ul>{''.join(_entry(tag) for tag in tags)}{_ENDS}</ul></nav>"
        + "".join(_noun(document, tag) for tag in tags)
        + _refusals(document)
        + _schemas(document),
    )


def _entry(tag: Json) -> str:
    return f'<li><a href="#{_anchor(tag["name"])}">{escape(tag["name"])}</a></li>'


def _noun(document: Json, tag: Json) -> str:
    """All operations of a noun."""
    told = [
        _operation(document, method.upper(), path, operation)
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
        if tag["name"] in operation["tags"]
    ]
    head = f'<h2 id="{_anchor(tag["name"])}">{escape(tag["name"].capitalize())}</h2>'
    return f"{head}<p>{_prose(tag['description'])}</p>{''.join(told)}"


def _operation(document: Json, method: str, path: str, operation: Json) -> str:
    name = operation["operationId"]
    return (
        f'<section id="{name}"><h3><a href="#{name}"><code>{method} {escape(path)}</code></a></h3>'
        f"{''.join(f'<p>{_prose(each)}</p>' for each in operation['description'].split(chr(10) * 2))}"
        f"{_parameters(document, operation)}{_body(operation)}{_responses(operation)}</section>"
    )


def _parameters(document: Json, operation: Json) -> str:
    rows = [_parameter(_resolved(document, each)) for each in operation["parameters"]]
    return table(("Parameter", "In", "Type", "What it is", "Example"), rows)


def _parameter(told: Json) -> str:
    example = told.get("example", (told["schema"].get("examples") or [""])[0])
    name = f"<code>{escape(told['name'])}</code>" + (" *" if told.get("required") else "")
    cells = (name, told["in"], _type(told["schema"]), _prose(told.get("description", "")), _value(example))
    return _row(cells)


def _body(operation: Json) -> str:
    if "requestBody" not in operation:
        return ""
    content = operation["requestBody"]["content"]
    media, told = next(iter(content.items()))
    types = ", ".join(f"<code>{each}</code>" for each in content)
    return f"<h4>Body</h4><p>{_type(told['schema'])} as {types}</p>{_example(media, told.get('example'))}"


def _responses(operation: Json) -> str:
    """What it answers; the refusals that many share stand at the end of the page."""
    rows = [_response(status, told) for status, told in operation["responses"].items()]
    return "<h4>Answers</h4>" + table(("Status", "When", "What"), rows)


def _response(status: str, told: Json) -> str:
    if "$ref" in told:
        name = told["$ref"].rpartition("/")[2]
        links = name.replace("-or-", " or ").replace("_", " ")
        return _row((status, f'<a href="#refusal-{name}">{links}</a>', ""))
    return _row((status, _prose(told["description"]), _examples(told) + _headers(told)))


def _examples(told: Json) -> str:
    content = told.get("content", {}).items()
    return "".join(_example(media, value) for media, each in content for value in _values(each))


def _headers(told: Json) -> str:
    own = [name for name in told.get("headers", {}) if "RateLimit" not in name and name != "X-Request-ID"]
    return f"<p>{', '.join(f'<code>{name}</code>' for name in own)}</p>" if own else ""


def _refusals(document: Json) -> str:
    told = [
        f'<section id="refusal-{name}"><p>{_prose(each["description"])}</p>{_examples(each)}</section>'
        for name, each in document["components"]["responses"].items()
    ]
    return f'<h2 id="refusals">Refusals</h2>{"".join(told)}'


def _values(content: Json) -> Iterator[Any]:
    if "example" in content:
        yield content["example"]
    for each in content.get("examples", {}).values():
        yield each["value"]


def _example(media: str, value: Any) -> str:
    if value is None:
        return ""
    text = value if isinstance(value, str) else orjson.dumps(value, option=orjson.OPT_INDENT_2).decode()
    return f"<details><summary>{escape(media)}</summary><pre>{escape(text)}</pre></details>"


def _schemas(document: Json) -> str:
    told = [_schema(name, schema) for name, schema in sorted(document["components"]["schemas"].items())]
    return f'<h2 id="schemas">Schemas</h2>{"".join(told)}'


def _schema(name: str, schema: Json) -> str:
    needed = schema.get("required", ())
    rows = [
        _row(
            (
                f"<code>{escape(each)}</code>{' *' * (each in needed)}",
                _type(told),
                _prose(told.get("description", "")),
            )
        )
        for each, told in schema.get("properties", {}).items()
    ]
    head = f'<section id="schema-{name}"><h3>{name}</h3><p>{_prose(schema.get("description", ""))}</p>'
    return f"{head}{table(('Field', 'Type', 'What it is'), rows)}</section>"


def _type(schema: Json) -> str:
    """The type of a value in a few words."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return f'<a href="#schema-{name}">{name}</a>'
    if "anyOf" in schema and "type" not in schema:
        return " or ".join(_type(each) for each in schema["anyOf"])
    if "enum" in schema:
        return " | ".join(_value(each) for each in schema["enum"])
    if "items" in schema:
        return f"list of {_type(schema['items'])}"
    kinds = schema.get("type", "any value" if "const" not in schema else _value(schema["const"]))
    return f"{' or '.join(kinds) if isinstance(kinds, list) else kinds}{_bounds(schema)}"


def _bounds(schema: Json) -> str:
    """Format and limits."""
    said = [schema["format"]] if "format" in schema else []
    for low, high in (("minimum", "maximum"), ("minLength", "maxLength")):
        if low in schema or high in schema:
            said.append(f"{schema.get(low, '')} to {schema.get(high, '')}")
    return f" ({escape(', '.join(said))})" if said else ""


def _value(value: Any) -> str:
    if value == "":
        return ""
    text = value if isinstance(value, str) else orjson.dumps(value).decode()
    return f"<code>{escape(text)}</code>"


def _prose(text: str) -> str:
    """Plain text with its code and its links into the product."""
    return _LINK.sub(r'<a href="\2">\1</a>', _CODE.sub(r"<code>\1</code>", escape(text)))


def _row(cells: tuple[str, ...]) -> str:
    return f"<tr>{''.join(f'<td>{each}</td>' for each in cells)}</tr>"


def _anchor(name: str) -> str:
    return "noun-" + name.replace(" ", "-")


def _resolved(document: Json, told: Json) -> Json:
    """What a reference stands for."""
    if "$ref" not in told:
        return told
    found: Any = document
    for part in told["$ref"].removeprefix("#/").split("/"):
        found = found[part]
    return dict(found)
