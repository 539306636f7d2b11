"""What a schema says of itself to those who read the documents."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

Kind = TypeVar("Kind", bound=type)


def such_as(**example: Any) -> Callable[[Kind], Kind]:
    """Example values of fields. Of a record and a query those that do not follow from the field itself, of a
    body the whole example."""

    def say(schema: Kind) -> Kind:
        schema.example = example  # type: ignore[attr-defined]
        return schema

    return say


def described(**facts: Any) -> Callable[[Kind], Kind]:
    """What JSON Schema can say of the whole and its fields alone do not, such as `anyOf`."""

    def say(schema: Kind) -> Kind:
        schema.facts = facts  # type: ignore[attr-defined]
        return schema

    return say


def meaning(description: str) -> dict[str, str]:
    """The metadata of a field that says what it means, where its kind alone does not."""
    return {"description": description}
