"""Every command of the guide, as it is written, in the state that it assumes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from taskapi.store.client import Store
from tests.guide.commands import Command
from tests.guide.conftest import Answer, fill
from tests.guide.tasks import COMMANDS, OPERATING

Curl = Callable[[Command], Answer]
TRUE_NUMBERS = ("Get group details", "Get group statistics", "Global task search", "Get user's work times")
NUMBERS = ("users_count", "tasks_count", "total_tasks", "completed_tasks", "pending_tasks", "count")


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.heading)
def test_a_command_is_answered_as_the_guide_says(command: Command, store: Store, curl: Curl) -> None:
    fill(store, command.state)
    require(command, curl(command))


def test_the_commands_on_operating_are_answered_as_the_guide_says(
    store: Store, worker: None, curl: Curl
) -> None:
    fill(store, "team")
    for command in OPERATING:
        require(command, curl(command))


def test_the_whole_guide_is_here() -> None:
    assert len(COMMANDS) + len(OPERATING) == 54


@pytest.mark.parametrize("command", [each for each in COMMANDS if each.heading in TRUE_NUMBERS])
def test_the_numbers_of_the_guide_are_true_of_its_team(command: Command, store: Store, curl: Curl) -> None:
    fill(store, command.state)
    told, documented = curl(command).body["data"], command.shape["data"]
    for name in (*NUMBERS, "completion_rate", "user_task_counts", "work_times", "group", "admin", "query"):
        assert told.get(name) == documented.get(name) or name not in documented


def require(command: Command, answer: Answer) -> None:
    """The status, and every documented key with its JSON type."""
    assert answer.status == command.status, (command.heading, answer.body)
    if command.shape is not None:
        assert list(differences(command.shape, answer.body)) == [], command.heading
    elif command.status < 400:
        assert answer.body["success"] is True
        assert answer.body["data"] != {}


def differences(documented: Any, answered: Any, path: str = "answer") -> Iterator[str]:
    """Where the answer lacks a documented key, or has a value of another JSON type."""
    if kind(documented) != kind(answered):
        yield f"{path}: {kind(answered)} instead of {kind(documented)}"
    elif isinstance(documented, dict):
        yield from (f"{path}.{name} is missing" for name in documented.keys() - answered.keys())
        for name in documented.keys() & answered.keys():
            yield from differences(documented[name], answered[name], f"{path}.{name}")
    elif isinstance(documented, list) and documented:
        if not answered and isinstance(documented[0], dict):
            yield f"{path}: empty"
        for number, item in enumerate(answered):
            yield from differences(documented[0], item, f"{path}[{number}]")


def kind(value: Any) -> str:
    """The JSON type: a whole number may stand where another number is documented."""
    names = {dict: "object", list: "array", str: "string", bool: "boolean", int: "number", float: "number"}
    return names.get(type(value), "null")
