"""`flask quarantine`: what PostgreSQL refuses, tried again or given up."""

from collections.abc import Iterator

import pytest

from taskapi.db.engine import Engine
from taskapi.db.engine import connect as connect_postgres
from taskapi.services.owner import ensure_owner
from taskapi.store.client import Store
from taskapi.sync.admission import admit
from taskapi.sync.flush import drain
from tests.cli.conftest import Run
from tests.store.conftest import Maker

BAD = "\x00"


@pytest.fixture
def engine(store: Store, database_url: str) -> Iterator[Engine]:
    """PostgreSQL, to which the open Redis belongs."""
    made = connect_postgres(database_url)
    store.redis.flushdb()
    admit(store, made)
    ensure_owner(store, "admin@example.org", "owner-password")
    yield made
    made.dispose()


@pytest.fixture
def refused(store: Store, engine: Engine) -> int:
    """The id of a task of which PostgreSQL has only the state before."""
    task = Maker(store).task(title="good")
    drain(store, engine, 5)
    Maker(store).changed(task, title=BAD)
    drain(store, engine, 5)
    return int(task.id)


def test_it_is_listed_with_its_reason(run: Run, engine: Engine, store: Store) -> None:
    assert run("quarantine").output == "Nothing is in quarantine.\n"
    task = Maker(store).task(title=BAD)
    drain(store, engine, 5)
    [line] = run("quarantine").output.splitlines()
    assert line.startswith(f"task:{task.id}  version {task.version}  ")
    assert "Unicode" in line


def test_what_is_refused_again_is_told(run: Run, refused: int) -> None:
    done = run("quarantine", "retry", "task", str(refused))
    assert done.exit_code == 1
    assert f"PostgreSQL refuses task:{refused} again: " in done.stderr


def test_what_is_taken_at_last_is_told(run: Run, refused: int, store: Store) -> None:
    blob = store.redis.get(f"task:{refused}").replace(rb"\u0000", b"mended")
    store.redis.set(f"task:{refused}", blob)
    done = run("quarantine", "retry", "task", str(refused))
    assert (done.exit_code, f"task:{refused}" in done.output) == (0, True)
    assert run("quarantine").output == "Nothing is in quarantine.\n"


def test_a_change_is_given_up(run: Run, refused: int, store: Store) -> None:
    done = run("quarantine", "discard", "task", str(refused), "--yes")
    assert (done.exit_code, "is what PostgreSQL has of it" in done.output) == (0, True)
    assert b'"title":"good"' in store.redis.get(f"task:{refused}")


def test_nothing_is_given_up_unasked(run: Run, refused: int, store: Store) -> None:
    asked = run("quarantine", "discard", "task", str(refused), typed="n\n")
    assert asked.exit_code == 1
    assert f"PostgreSQL refuses task:{refused}: " in asked.output
    assert b'"title":"good"' not in store.redis.get(f"task:{refused}")
    assert run("quarantine", "discard", "task", str(refused), typed="y\n").exit_code == 0
    assert b'"title":"good"' in store.redis.get(f"task:{refused}")


def test_a_sync_says_what_is_set_apart(run: Run, refused: int) -> None:
    done = run("sync")
    said = "PostgreSQL refuses 1 record, set apart and served on: `flask quarantine` tells why."
    assert (done.exit_code, done.output.splitlines()[-1]) == (0, said)
    run("quarantine", "discard", "task", str(refused), "--yes")
    assert "refuses" not in run("sync").output


def test_a_record_of_which_postgresql_has_nothing_is_purged(run: Run, engine: Engine, store: Store) -> None:
    task = Maker(store).task(title=BAD)
    drain(store, engine, 5)
    done = run("quarantine", "discard", "task", str(task.id), "--yes")
    assert done.output == f"task:{task.id} is purged: PostgreSQL had nothing of it.\n"


def test_what_is_not_there_is_one_sentence(run: Run, engine: Engine) -> None:
    done = run("quarantine", "discard", "task", "77")
    assert (done.exit_code, done.stderr) == (1, "task 77 is not in quarantine.\n")
