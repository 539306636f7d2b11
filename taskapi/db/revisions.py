"""Whether the database has every migration."""

from pathlib import Path

from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine

from taskapi.db.engine import transaction

MIGRATIONS = Path(__file__).resolve().parents[2] / "migrations"


def missing(engine: Engine) -> str | None:
    """The newest revision, if the database is not at it; raises PostgresAway."""
    newest = ScriptDirectory(str(MIGRATIONS)).get_current_head()
    with transaction(engine) as connection:
        current = MigrationContext.configure(connection).get_current_revision()
    return None if current == newest else newest
