"""That a replay can fail: each way in which an answer may differ is seen."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.replay.cases import Call, differences, shape

ANSWERED = {"data": {"id": 3, "status": False, "tags": ["a"], "title": "x"}}


@pytest.mark.parametrize(
    "expected",
    [
        {},
        {"data": ...},
        {"data": {"id": 3}},
        {"data": {"id": int, "title": re.compile("[a-z]")}},
        {"data": {"tags": ["a"]}},
    ],
)
def test_a_part_of_an_answer_is_enough(expected: Any) -> None:
    assert differences(expected, ANSWERED) == []


@pytest.mark.parametrize(
    "expected",
    [
        None,
        {"meta": ...},
        {"data": {"id": 4}},
        {"data": {"id": str}},
        {"data": {"id": 3.0}},
        {"data": {"status": 0}},
        {"data": {"status": int}},
        {"data": {"title": re.compile("[0-9]")}},
        {"data": {"tags": []}},
        {"data": {"tags": ["b"]}},
        {"data": {"tags": {"a": 1}}},
        {"data": [ANSWERED["data"]]},
    ],
)
def test_whatever_differs_is_told(expected: Any) -> None:
    assert len(differences(expected, ANSWERED)) == 1


def test_parts_of_a_path_are_known_however_they_are_written() -> None:
    for written in ("GET /a/:id/b", "GET /a/{id}/b", "GET /a/<id>/b", "GET /a/<int:id>/b/"):
        assert shape(written) == "GET /a/*/b"
        assert Call(written, 200, at=("7",)).path.rstrip("/") == "/a/7/b"
