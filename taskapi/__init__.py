"""The task-management back end: records answered from Redis, mirrored in PostgreSQL by Celery."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask

    from taskapi.config import Settings


def create_app(settings: Settings | None = None) -> Flask:
    """The app; settings are read from the environment unless given."""
    # Not at the top: a worker or the supervisor imports this package and has no use for all of Flask.
    from taskapi.config import SettingsError, hint_of_development
    from taskapi.factory import create_app as create

    try:
        return create(settings)
    except SettingsError as wrong:
        raise SystemExit(f"taskapi: {wrong}\n{hint_of_development()}".rstrip()) from wrong
