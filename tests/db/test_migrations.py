"""The migrations against the models."""

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from flask_migrate import downgrade, upgrade
from sqlalchemy import inspect

from taskapi.db.engine import Connection, Engine, transaction
from taskapi.db.schema import metadata
from tests.db.minimal import minimal_app


def test_the_migrations_make_exactly_the_models(connection: Connection):
    context = MigrationContext.configure(connection, opts={"compare_type": True})

    assert compare_metadata(context, metadata) == []


def test_the_last_table_can_be_taken_away_and_made_again(engine: Engine):
    app = minimal_app(engine.url.render_as_string(hide_password=False))
    with app.app_context():
        downgrade(revision="base")
        with transaction(engine) as connection:
            assert inspect(connection).get_table_names() == ["alembic_version"]
        upgrade()
    with transaction(engine) as connection:
        assert set(inspect(connection).get_table_names()) == {*metadata.tables, "alembic_version"}


def test_a_mirror_refuses_nothing_but_a_missing_id_or_version(connection: Connection):
    for name in ("users", "credentials", "groups", "tasks"):
        found = inspect(connection)
        needed = [column["name"] for column in found.get_columns(name) if not column["nullable"]]

        assert needed == ["id", "version"]
        assert found.get_foreign_keys(name) == found.get_unique_constraints(name) == []
        assert found.get_check_constraints(name) == []
