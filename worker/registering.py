"""How a function becomes a job."""

from collections.abc import Callable
from typing import ParamSpec, TypeVar

from celery import shared_task

P = ParamSpec("P")
R = TypeVar("R")


def job(name: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Makes the function the job of that name; it can still be called."""
    registered: Callable[[Callable[P, R]], Callable[P, R]] = shared_task(name=name)
    return registered
