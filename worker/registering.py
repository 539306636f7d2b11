"""How a function becomes a job."""

from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

from celery import shared_task

P = ParamSpec("P")
R = TypeVar("R")


def job(name: str, **options: Any) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Makes the function the job of that name; it can still be called. `options` are Celery's."""
    registered: Callable[[Callable[P, R]], Callable[P, R]] = shared_task(name=name, **options)
    return registered
