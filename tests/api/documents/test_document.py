"""The document is whole: nothing is without a description, an example, or its errors."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient

from taskapi.api.problems import CATALOGUE
from tests.api.documents.document import Operation, operations, resolved

PROBLEM = "application/problem+json"


@pytest.fixture
def every(client: FlaskClient) -> list[Operation]:
    """All operations."""
    return operations(client.get("/openapi.json").json)


def test_every_operation_is_described(every: list[Operation]) -> None:
    assert len(every) > 60
    tags = {tag["name"]: tag["description"] for tag in every[0].document["tags"]}
    for operation in every:
        assert operation.told["summary"].endswith("."), operation.name
        assert len(operation.told["description"]) > len(operation.told["summary"]), operation.name
        assert all(tags[tag] for tag in operation.told["tags"]), operation.name


def test_every_parameter_is_described_and_has_an_example_that_fits(every: list[Operation]) -> None:
    flaws = []
    for operation in every:
        for one in operation.parameters:
            assert one["description"], (operation.name, one["name"])
            assert ("example" in one) == bool(one.get("required")), (operation.name, one["name"])
            value = one["example"] if "example" in one else one["schema"]["examples"][0]
            flaws += operation.errors(one["schema"], value, f"{operation.name} {one['name']}")
    assert not flaws


def test_no_two_parameters_that_differ_are_described_alike(every: list[Operation]) -> None:
    meant: dict[str, set[str]] = {}
    for operation in every:
        for one in operation.parameters:
            meant.setdefault(one["description"], set()).add(one["name"])
    assert {said: names for said, names in meant.items() if len(names) > 1 and names != {"q", "search"}} == {}


def test_the_bounds_of_a_parameter_are_told_in_words_too(every: list[Operation]) -> None:
    [listing] = [operation for operation in every if operation.name == "list_tasks"]
    told = {one["name"]: one["description"] for one in listing.parameters}
    assert "1 to 200" in told["per_page"]
    assert "50" in told["per_page"]
    assert "200 characters" in told["search"]


def test_a_true_or_false_has_no_text_as_its_example(every: list[Operation]) -> None:
    flags = [
        one["schema"]["examples"]
        for operation in every
        for one in operation.parameters
        if one["schema"].get("type") == "boolean"
    ]
    assert len(flags) > 10
    assert all(values == [True] for values in flags)


def test_probes_tell_what_they_answer_well_and_ill(every: list[Operation]) -> None:
    known = {operation.path: operation for operation in every if operation.method == "GET"}
    for path, ill in (("/health", "unhealthy"), ("/check_health", "unhealthy"), ("/health/ready", "unready")):
        answers = known[path].responses
        assert answers.keys() >= {200, 503}, path
        content = answers[503]["content"]["application/json"]
        assert content["schema"]["$ref"].endswith("/ProbeOut")
        assert (content["example"]["status"], content["example"]["code"]) == (ill, "unavailable")
        assert "Retry-After" in answers[503]["headers"]
    assert "application/json" in known["/health/live"].responses[200]["content"]


def test_every_body_has_an_example_that_fits(every: list[Operation]) -> None:
    flaws = []
    for operation in every:
        for content in operation.told.get("requestBody", {}).get("content", {}).values():
            assert content["example"], operation.name
            flaws += operation.errors(content["schema"], content["example"], operation.name)
    assert not flaws


def test_every_success_has_an_example_that_fits(every: list[Operation]) -> None:
    flaws = []
    for operation in every:
        for status, told in operation.responses.items():
            if status < 300:
                [(media, content)] = told["content"].items()
                if "json" in media and operation.name != "read_openapi":
                    assert content["example"], operation.name
                    flaws += operation.errors(content["schema"], content["example"], operation.name)
    assert not flaws


def test_every_error_is_a_problem_with_an_example_that_fits(every: list[Operation]) -> None:
    for operation in every:
        refusals = {status: told for status, told in operation.responses.items() if status >= 400}
        assert 500 in refusals
        for status, told in refusals.items():
            for media, content in told["content"].items():
                if media != PROBLEM:
                    continue
                for code, example in content["examples"].items():
                    assert CATALOGUE[code][0] == example["value"]["status"] == status
                    assert not list(operation.errors(content["schema"], example["value"], operation.name))


def test_which_errors_an_operation_has_follows_from_what_it_declares(every: list[Operation]) -> None:
    known = {operation.name: set(operation.responses) for operation in every}
    usual = {200, 400, 401, 429, 500, 503}
    assert known["read_task"] == usual | {304, 404}
    assert known["create_task"] == (usual - {200}) | {201, 403, 409, 413, 415, 507}
    assert known["change_task"] == usual | {403, 404, 409, 412, 413, 415, 507}
    assert known["remove_task"] == usual | {403, 404, 409, 412}
    assert known["read_docs"] == {200, 304, 500}
    assert known["list_groups"] == usual | {304}


def test_every_schema_says_what_it_has_and_that_it_has_no_more(every: list[Operation]) -> None:
    document = every[0].document
    for name, schema in document["components"]["schemas"].items():
        assert schema["additionalProperties"] is False, name
        for field, told in schema["properties"].items():
            assert _is_typed(resolved(document, told)), (name, field)


def _is_typed(told: dict[str, Any]) -> bool:
    return bool({"type", "enum", "const", "anyOf", "description"} & told.keys())
