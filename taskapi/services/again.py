"""Deciding again when somebody was faster."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from taskapi.domain.errors import Conflict, Moved

ATTEMPTS = 3
MANY_ATTEMPTS = 30

P = ParamSpec("P")
R = TypeVar("R")


def decided_again(service: Callable[P, R]) -> Callable[P, R]:
    """Runs a service anew, from reading on, while a record it rested on moves: three times, then Conflict."""
    return _decided(service, ATTEMPTS)


def decided_often(service: Callable[P, R]) -> Callable[P, R]:
    """The same for what many do at one moment to one record, of whom in each round one gets through."""
    return _decided(service, MANY_ATTEMPTS)


def _decided(service: Callable[P, R], attempts: int) -> Callable[P, R]:
    @wraps(service)
    def attempt(*args: P.args, **kwargs: P.kwargs) -> R:
        for _ in range(attempts - 1):
            try:
                return service(*args, **kwargs)
            except Moved:
                continue
        try:
            return service(*args, **kwargs)
        except Moved as moved:
            raise Conflict("Others are changing this at the same moment. Try again.") from moved

    return attempt
