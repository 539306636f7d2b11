"""A Flask app with nothing but the database, for migrations."""

from typing import Any

from flask import Flask

from taskapi.config import PROJECT_ROOT
from taskapi.db import tables  # noqa: F401 - the models register themselves
from taskapi.db.engine import engine_options
from taskapi.extensions import db, migrate

MIGRATIONS = str(PROJECT_ROOT / "migrations")


def minimal_app(url: str, **config: Any) -> Flask:
    """The app on that database."""
    app = Flask(__name__)
    app.config.update(SQLALCHEMY_DATABASE_URI=url, SQLALCHEMY_ENGINE_OPTIONS=engine_options(), **config)
    db.init_app(app)
    migrate.init_app(app, db, directory=MIGRATIONS)
    return app
