"""A PostgreSQL that is there and answers nothing."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import text

from taskapi.db import waiting
from taskapi.db.engine import Engine, connect, is_reachable, transaction, within
from taskapi.db.errors import PostgresAway
from taskapi.db.queries import record_counts
from tests.stopping import standing_still

LONG = 20.0


@contextmanager
def frozen(engine: Engine) -> Iterator[None]:
    """All processes of the server stand still."""
    with transaction(engine) as connection:
        backend = int(connection.scalar(text("SELECT pg_backend_pid()")))
    server = _parent_of(backend)
    pids = [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]
    family = [server, *(pid for pid in pids if _parent_of(pid) == server)]
    with standing_still(*family):
        yield


def _parent_of(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    except (FileNotFoundError, ProcessLookupError):
        return 0  # it has ended meanwhile


def seconds_of_refusal(engine: Engine, statement: str = "SELECT 1") -> float:
    """How long it takes until PostgreSQL is said to be away."""
    begun = time.monotonic()
    with pytest.raises(PostgresAway, match="does not answer"), transaction(engine) as connection:
        connection.execute(text(statement))
    return time.monotonic() - begun


def test_a_frozen_server_is_away_on_a_connection_that_was_open_before(engine: Engine):
    with frozen(engine):
        begun = time.monotonic()
        for ask in (is_reachable, record_counts):
            with pytest.raises(PostgresAway):
                ask(engine)
        assert time.monotonic() - begun < LONG
    assert is_reachable(engine)


def test_a_new_connection_to_a_frozen_server_is_given_up(engine: Engine):
    fresh = connect(engine.url.render_as_string(hide_password=False))
    with frozen(engine):
        assert seconds_of_refusal(fresh) < LONG
    assert is_reachable(fresh)
    fresh.dispose()


def test_a_statement_under_way_is_given_up_when_its_time_is_over(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(waiting, "ANSWER_SECONDS", 0.3)
    assert seconds_of_refusal(engine, "SELECT pg_sleep(25)") < LONG
    assert is_reachable(engine)


def test_a_block_can_wait_longer_than_any_single_statement_may(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(waiting, "ANSWER_SECONDS", 0.1)
    with within(LONG), transaction(engine) as connection:
        connection.execute(text("SELECT pg_sleep(0.4)"))


def test_what_is_larger_than_any_buffer_goes_both_ways(engine: Engine):
    with transaction(engine) as connection:
        sent = "x" * 20_000_000
        assert connection.scalar(text("SELECT :sent"), {"sent": sent}) == sent
