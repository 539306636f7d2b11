"""Deciding again when somebody was faster."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from taskapi.domain.errors import Conflict, Moved

ATTEMPTS = 3

P = ParamSpec("P")
R = TypeVar("R")


def decided_again(service: Callable[P, R]) -> Callable[P, R]:
    """Runs a service anew, from reading on, while a record it rested on moves: three times, then Conflict."""

    @wraps(service)
    def attempt(*args: P.args, **kwargs: P.kwargs) -> R:
        for _ in range(ATTEMPTS - 1):
            try:
                return service(*args, **kwargs)
            except Moved:
                continue
        try:
            return service(*args, **kwargs)
        except Moved as moved:
            raise Conflict("Others are changing this at the same moment. Try again.") from moved

    return attempt
