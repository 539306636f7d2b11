"""What create_app has made and requests use."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from flask import current_app

from taskapi.api.addresses import Addresses
from taskapi.api.callers import Callers
from taskapi.api.seen import Policy
from taskapi.bell import Bell
from taskapi.config import Settings
from taskapi.outside.shelf import Shelf
from taskapi.services.finding import DayIndex, Index
from taskapi.store.cache import Cache
from taskapi.store.client import Store

EXTENSION = "taskapi.api"


@dataclass(frozen=True, slots=True)
class Wiring:
    """The parts of one app.

    `policy` is the limit that every caller has, None without one; `secret` keys what must not be
    guessed from a digest.
    """

    settings: Settings
    store: Store
    callers: Callers
    addresses: Addresses
    bell: Bell
    send_job: Callable[..., None]
    secret: bytes
    policy: Policy | None


def wired() -> Wiring:
    """The parts of the app that serves this request."""
    found: Wiring = current_app.extensions[EXTENSION]
    return found


def store() -> Store:
    """The data store."""
    return wired().store


def settings() -> Settings:
    """The settings."""
    return wired().settings


def word_index() -> Index:
    """Where words are looked up."""
    found: Index = extension("taskapi.index").by_words
    return found


def day_index() -> DayIndex:
    """Where the tasks of a day are looked up."""
    found: DayIndex = extension("taskapi.index").by_day
    return found


def cache() -> Cache:
    """Where answers are remembered."""
    found: Cache = extension("taskapi.cache")
    return found


def uploads() -> Shelf:
    """Where the bytes of files are kept."""
    found: Shelf = extension("taskapi.uploads")
    return found


def extension(name: str) -> Any:
    """Something else that create_app has bound, by its name."""
    return current_app.extensions[name]
