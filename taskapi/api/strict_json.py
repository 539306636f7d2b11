"""JSON as RFC 8259 and RFC 7493 mean it: no duplicate keys, no NaN, no broken text, no abyss."""

from __future__ import annotations

import json
import math
from typing import Any, NoReturn

from taskapi.api.errors import Malformed

DEEPEST = 32


def read_object(body: bytes) -> dict[str, Any]:
    """The object in the body; raises Malformed with what is wrong."""
    found = read(body)
    if not isinstance(found, dict):
        raise Malformed("The body must be a JSON object.")
    return found


def read(body: bytes) -> Any:
    """The value in the body; raises Malformed with what is wrong."""
    try:
        found = _DECODER.decode(body.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise Malformed("The body is not UTF-8.") from None
    except RecursionError:
        raise Malformed(f"The JSON is nested deeper than {DEEPEST} levels.") from None
    except json.JSONDecodeError as fault:
        raise Malformed(
            f"The body is not JSON: {fault.msg} at line {fault.lineno}, column {fault.colno}."
        ) from None
    _require_sound(found, DEEPEST)
    return found


def _require_sound(value: Any, levels: int) -> None:
    """Refuses what JSON can write and a record cannot keep."""
    if isinstance(value, str):
        require_text(value)
    elif isinstance(value, dict | list):
        if levels == 0:
            raise Malformed(f"The JSON is nested deeper than {DEEPEST} levels.")
        for part in value:
            _require_sound(part, levels - 1)
        for part in value.values() if isinstance(value, dict) else ():
            _require_sound(part, levels - 1)


def require_text(text: str) -> None:
    """Refuses text that PostgreSQL or UTF-8 cannot hold."""
    if "\0" in text:
        raise Malformed("Text may not contain the character U+0000.")
    if not text.isascii() and any("\ud800" <= character <= "\udfff" for character in text):
        raise Malformed("Text may not contain half of a surrogate pair.")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise Malformed(f"The key {twice[:80]!a} is there twice.")
    return found


def _no_constant(name: str) -> NoReturn:
    raise Malformed(f"{name} is not JSON.")


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise Malformed("A number is too large.")
    return value


def _whole(text: str) -> int:
    if len(text) > 25:
        raise Malformed("A number is too large.")
    return int(text)


_DECODER = json.JSONDecoder(
    object_pairs_hook=_unique, parse_constant=_no_constant, parse_float=_finite, parse_int=_whole
)
