"""ETags and the conditions on them: `If-Match` takes versions, `If-None-Match` any tag that was sent."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from typing import TypeVar

from flask import request

from taskapi.api.errors import Malformed
from taskapi.domain.errors import Stale

Answer = TypeVar("Answer")

MOST_TAGS = 20
NO_VERSION = -1
_TAGS = re.compile(r'\s*(?:W/)?"[\x21\x23-\x7e\x80-\xff]*"\s*(?:,\s*(?:W/)?"[\x21\x23-\x7e\x80-\xff]*"\s*)*')
_TAG = re.compile(r'(?:W/)?"[^"]*"')
_VERSION = re.compile(r'"([1-9][0-9]{0,15})"', re.ASCII)


def strong(version: int) -> str:
    """The tag of a whole stored record."""
    return f'"{version}"'


def weak(body: bytes) -> str:
    """The tag of anything else: it says that the body means the same."""
    return f'W/"{hashlib.sha256(body).hexdigest()[:24]}"'


def is_known(tag: str) -> bool:
    """Whether the caller already has this answer."""
    given = request.environ.get("HTTP_IF_NONE_MATCH")
    if given is None:
        return False
    return given.strip() == "*" or tag.removeprefix("W/") in [
        each.removeprefix("W/") for each in _TAG.findall(given)
    ]


def wanted_versions() -> tuple[int, ...]:
    """The versions that `If-Match` allows; empty when any will do. A weak or foreign tag matches none.

    Raises Malformed if it is neither `*` nor a list of tags.
    """
    given = request.environ.get("HTTP_IF_MATCH")
    if given is None or given.strip() == "*":
        return ()
    if not _TAGS.fullmatch(given):
        raise Malformed('If-Match must be * or versions in quotes, such as "5".')
    tags = _TAG.findall(given)
    if len(tags) > MOST_TAGS:
        raise Malformed(f"If-Match may list {MOST_TAGS} versions at most.")
    matches = [_VERSION.fullmatch(tag) for tag in tags]
    return tuple(int(found[1]) for found in matches if found) or (NO_VERSION,)


def on_condition(versions: tuple[int, ...], write: Callable[[int | None], Answer]) -> Answer:
    """Calls `write` with the version that is wanted, or None for any; of several, until one is not stale."""
    *others, last = versions or (None,)
    for version in others:
        try:
            return write(version)
        except Stale:
            continue
    return write(last)
