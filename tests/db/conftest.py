"""PostgreSQL with the tables of the migrations."""

from collections.abc import Iterator

import pytest

from taskapi.db.engine import Connection, Engine, connect, transaction


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """An engine on the empty database."""
    engine = connect(database_url)
    yield engine
    engine.dispose()


@pytest.fixture
def connection(engine: Engine) -> Iterator[Connection]:
    """An open transaction."""
    with transaction(engine) as connection:
        yield connection
