"""Whatever the document allows, and whatever it does not, is answered as the document says.

Requests are made up by schemathesis, from the document alone. `CONFORMANCE_EXAMPLES` is how many each
operation gets from each caller, of good ones and of bad ones; `make conformance EXAMPLES=200` is a long run.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import pytest
import schemathesis
from flask import Flask
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi import checks

from tests.api.documents.conftest import World

EXAMPLES = int(os.environ.get("CONFORMANCE_EXAMPLES", "3"))
CHECKS = (
    not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
    checks.unsupported_method,
)
BAD = (*CHECKS, checks.negative_data_rejection)
quick = settings(
    max_examples=EXAMPLES,
    deadline=None,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@pytest.mark.parametrize("caller", ["owner", "ada"])
def test_whatever_is_sent_is_answered_as_documented(
    caller: str, make_world: Callable[[], World], app: Flask, database_url: str
) -> None:
    headers = getattr(make_world(), caller).headers
    document = schemathesis.openapi.from_wsgi("/openapi.json", app)
    found: dict[str, str] = {}
    for each in document.get_all_operations():
        operation = each.ok()
        for mode, judges in ((GenerationMode.POSITIVE, CHECKS), (GenerationMode.NEGATIVE, BAD)):
            flaw = _flaw(operation, mode, judges, headers)
            if flaw:
                found[f"{mode.value} {operation.label}"] = flaw
    assert not found, "\n\n".join(f"{where}\n{flaw}" for where, flaw in found.items())


def _flaw(operation: Any, mode: GenerationMode, judges: Any, headers: dict[str, str]) -> str:
    """The first flaw that is found in the answers of an operation."""

    @seed(20300131)
    @quick
    @given(operation.as_strategy(generation_mode=mode))
    def answered_as_documented(case: Any) -> None:
        _prepare(case)
        if mode is GenerationMode.POSITIVE:
            _bind(case)
        case.validate_response(case.call(headers=headers), checks=judges)

    try:
        answered_as_documented()
    except FailureGroup as flaws:
        return "\n".join(f"{flaw}\n{flaw.message}"[:1500] for flaw in flaws.exceptions)
    except Unsatisfiable:  # nothing can be wrong with a request that has no parts
        return ""
    return ""


def _prepare(case: Any) -> None:
    """Leaves the caller's own credentials alone, and waits for no worker: there is none."""
    case.headers.pop("X-Owner-Password", None)
    case.cookies.clear()
    case.headers.pop("Prefer", None)
    if any(parameter.name == "wait" for parameter in case.operation.query):
        case.query["wait"] = 0


def _bind(case: Any) -> None:
    """Names records that may be there."""
    for name, value in case.path_parameters.items():
        if isinstance(value, int):
            case.path_parameters[name] = value % 5 + 1
