"""Whoever cannot have the lock is told who has it, and what to do."""

import pytest
from sqlalchemy import text

from taskapi.db import locks
from taskapi.db.engine import Engine, connect, transaction
from taskapi.db.errors import Held


@pytest.fixture
def impatient(engine: Engine, monkeypatch: pytest.MonkeyPatch):
    """An engine that waits shortly for a lock."""
    monkeypatch.setattr("taskapi.db.engine.LOCK_SECONDS", 0.2)
    made = connect(engine.url.render_as_string(hide_password=False))
    yield made
    made.dispose()


def test_the_holder_is_named_with_when_it_began(engine: Engine, impatient: Engine):
    said = r"^A restore is under way since 20\d\d-\S+Z\. Try again when it is done\.$"
    with (
        locks.held_alone(engine, "a restore"),
        pytest.raises(Held, match=said),
        locks.held_alone(impatient, "an admission"),
    ):
        pytest.fail("two held the lock")
    with locks.held_alone(impatient, "an admission"):
        pass


def test_a_holder_without_a_name_is_somebody_and_postgresqls_words_do_not_show(
    engine: Engine, impatient: Engine
):
    said = "^Somebody else is at it, such as an admission or a restore. Try again when it is done.$"
    with transaction(engine) as flush:
        locks.hold_shared(flush)
        with pytest.raises(Held, match=said), locks.held_alone(impatient, "a restore"):
            pytest.fail("two held the lock")
    with locks.held_alone(engine, "a restore") as held, held.begin():
        with pytest.raises(Held, match="restore"), transaction(impatient) as flush:
            locks.hold_shared(flush)
        assert held.scalar(text("SELECT 1")) == 1
