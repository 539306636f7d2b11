"""Backups and the state of the stores: locked, frozen, not verified, admitted on the way, gone back."""

import pytest

from taskapi.db import locks, rows
from taskapi.db.engine import Engine, transaction
from taskapi.domain import failpoints
from taskapi.domain.errors import Unavailable
from taskapi.outside.shelf import Shelf
from taskapi.store import state
from taskapi.store.client import Store
from taskapi.sync.admission import admit
from taskapi.sync.backup import back_up
from taskapi.sync.errors import Overtaken, PostgresWentBack
from taskapi.sync.flush import drain
from taskapi.sync.sources import following
from tests.sync.conftest import many_tasks, new_task, restart
from tests.sync.shelves import SOURCES
from tests.sync.test_flush import run_sql


def test_whoever_holds_the_lock_alone_backs_up_over_its_own_connection(
    opened: Store, engine: Engine, shelf: Shelf
):
    new_task(opened)
    with locks.held_alone(engine) as connection:
        made = back_up(opened, engine, shelf, "before-restore", connection=connection)
        with transaction(connection):
            assert rows.counts(connection)["task"] == 0
    assert made.is_good
    assert made.counts["task"] == 1


def test_a_redis_that_is_frozen_for_a_restore_is_backed_up(opened: Store, engine: Engine, shelf: Shelf):
    new_task(opened)
    assert state.freeze(opened, "token")
    assert back_up(opened, engine, shelf, source="redis").counts["task"] == 1


def test_a_redis_that_nobody_has_verified_is_not_backed_up(opened: Store, engine: Engine, shelf: Shelf):
    restart(opened)
    with pytest.raises(Unavailable):
        back_up(opened, engine, shelf, source="redis")
    admit(opened, engine)
    opened.redis.hset("meta", "state", "closed")
    with pytest.raises(Unavailable):
        back_up(opened, engine, shelf, source="redis")
    assert shelf.items() == []


@pytest.mark.parametrize("source", SOURCES)
def test_an_admission_on_the_way_starts_it_over(opened: Store, engine: Engine, shelf: Shelf, source: str):
    many_tasks(opened, 3)
    seen = []

    def admit_again() -> None:
        seen.append(1)
        if len(seen) == 1:
            restart(opened)
            admit(opened, engine)
            new_task(opened)

    line = {"postgresql": "from_postgres.begun", "redis": "following.stepped"}[source]
    with failpoints.armed(line, admit_again):
        made = back_up(opened, engine, shelf, source=source)
    assert made.is_good
    assert made.epoch == 2
    assert made.counts["task"] == 4


@pytest.mark.parametrize("times", [1, 99])
def test_a_journal_that_is_trimmed_too_soon_starts_it_over(
    opened: Store, engine: Engine, shelf: Shelf, times: int
):
    seen = []

    def trim() -> None:
        seen.append(1)
        if len(seen) <= times:
            many_tasks(opened, 2)
            opened.redis.xtrim("journal", maxlen=1, approximate=False)

    with failpoints.armed("from_postgres.begun", trim):
        if times == 1:
            assert back_up(opened, engine, shelf).counts["task"] == 2
        else:
            with pytest.raises(Overtaken):
                back_up(opened, engine, shelf)
            assert len(seen) == following.ATTEMPTS
            assert shelf.items() == []


def test_a_redis_without_journal_is_backed_up(opened: Store, engine: Engine, shelf: Shelf):
    drain(opened, engine, 10)
    opened.redis.delete("journal")
    for source in SOURCES:
        with failpoints.armed("following.stepped", lambda: None):
            made = back_up(opened, engine, shelf, source=source)
        assert made.is_good
        assert made.counts["user"] == 1


def test_a_postgresql_that_went_back_is_not_backed_up(opened: Store, engine: Engine, shelf: Shelf):
    new_task(opened)
    with (
        failpoints.armed("backup.caught_up", lambda: run_sql(engine, "TRUNCATE tasks, change")),
        pytest.raises(PostgresWentBack),
    ):
        back_up(opened, engine, shelf)
    assert shelf.items() == []
