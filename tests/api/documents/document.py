"""The document as its reader has it: operations, their examples, and what judges answers by it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import jsonschema_rs
from werkzeug.test import TestResponse

Json = dict[str, Any]


@dataclass(frozen=True)
class Operation:
    """One operation, with `at`, the pointer to it in the document."""

    document: Json
    method: str
    path: str
    told: Json

    @property
    def name(self) -> str:
        """Its operationId."""
        return str(self.told["operationId"])

    @property
    def at(self) -> str:
        """The pointer to it."""
        return f"#/paths/{pointed(self.path)}/{self.method.lower()}"

    @property
    def parameters(self) -> list[Json]:
        """Its parameters."""
        return [resolved(self.document, each) for each in self.told["parameters"]]

    @property
    def responses(self) -> dict[int, Json]:
        """Its responses."""
        return {int(status): resolved(self.document, each) for status, each in self.told["responses"].items()}

    def url(self, parts: Json) -> str:
        """The path with its parts as the examples have them, but for those that are given."""
        examples = {one["name"]: one["example"] for one in self.parameters if one["in"] == "path"}
        return re.sub(r"{(\w+)}", lambda found: str((examples | parts)[found[1]]), self.path)

    def query(self, *, required: bool) -> Json:
        """The examples of those of its query parameters that must, or need not, be there."""
        return {
            one["name"]: one["example"] if required else one["schema"]["examples"][0]
            for one in self.parameters
            if one["in"] == "query" and one["required"] is required
        }

    def flaws(self, answer: TestResponse) -> list[str]:
        """What is wrong with an answer, by the document."""
        told = self.responses.get(answer.status_code)
        if told is None:
            return [f"{self.name}: {answer.status_code} is not documented: {answer.text[:300]}"]
        return [
            f"{self.name}: {flaw}" for flaw in (*self._of_headers(told, answer), *self._of_body(told, answer))
        ]

    def _of_headers(self, told: Json, answer: TestResponse) -> Iterator[str]:
        for name, each in told["headers"].items():
            header = resolved(self.document, each)
            if header["required"] and name not in answer.headers:
                yield f"{answer.status_code} has no {name}"
            if name in answer.headers and "integer" in str(header["schema"].get("type")):
                int(answer.headers[name])

    def _of_body(self, told: Json, answer: TestResponse) -> Iterator[str]:
        content = told.get("content", {})
        media = "*/*" if "*/*" in content else answer.mimetype
        if not content:
            return
        if media not in content:
            yield f"{answer.status_code} is {answer.mimetype}, not {', '.join(content)}"
        elif "json" in media:
            schema = content[media]["schema"]
            yield from self.errors(schema, answer.json, f"{answer.status_code}")

    def errors(self, schema: Json, value: Any, what: str) -> Iterator[str]:
        """In what a value differs from a schema of the document."""
        judge = jsonschema_rs.Draft202012Validator(
            {"components": self.document["components"], **schema}, validate_formats=True
        )
        for error in judge.iter_errors(value):
            place = "/".join(map(str, error.instance_path))
            yield f"{what} at {place or 'the top'}: {error.message[:200]}"


def operations(document: Json) -> list[Operation]:
    """All of them."""
    return [
        Operation(document, method.upper(), path, told)
        for path, methods in document["paths"].items()
        for method, told in methods.items()
    ]


def pointed(path: str) -> str:
    """A key as a part of a JSON pointer."""
    return path.replace("~", "~0").replace("/", "~1")


def resolved(document: Json, told: Json) -> Json:
    """What a reference stands for, with what is said beside it."""
    if "$ref" not in told:
        return told
    found: Any = document
    for part in told["$ref"].removeprefix("#/").split("/"):
        found = found[part]
    return {**found, **{name: value for name, value in told.items() if name != "$ref"}}
