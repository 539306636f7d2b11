"""How Alembic reaches the database: through the engine of the Flask app that Flask-Migrate was bound to."""

import math

from alembic import context
from flask import current_app
from sqlalchemy import Connection, text

from taskapi.db.engine import within

_LOCK = int.from_bytes(b"migrate")


def _prepare(connection: Connection) -> None:
    """One migration at a time, however many start together; and it takes the time that it takes."""
    connection.execute(text("SET LOCAL statement_timeout = 0"))
    connection.execute(text("SET LOCAL lock_timeout = '60s'"))
    connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})


def run_offline() -> None:
    """Prints the SQL instead of running it."""
    context.configure(dialect_name="postgresql", target_metadata=_extension().db.metadata, literal_binds=True)
    with context.begin_transaction():
        context.run_migrations()


def run_online() -> None:
    """Runs what is missing, whole or not at all, for as long as it takes."""
    extension = _extension()
    with within(math.inf), extension.db.engine.connect() as connection:
        context.configure(
            connection=connection, target_metadata=extension.db.metadata, **extension.configure_args
        )
        with context.begin_transaction():
            _prepare(connection)
            context.run_migrations()


def _extension():
    return current_app.extensions["migrate"]


if context.is_offline_mode():
    run_offline()
else:
    run_online()
