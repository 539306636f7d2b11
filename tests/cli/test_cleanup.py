"""`flask cleanup`: all of it or one by name, and only counted if asked so."""

from datetime import timedelta

import pytest

from taskapi import cleaning
from taskapi.domain import clock
from taskapi.domain.clock import timestamp
from taskapi.store import cleanups, keys
from taskapi.store.client import Store
from tests.cli.conftest import Run
from tests.store.conftest import Maker


@pytest.fixture
def old(store: Store, database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two tasks that have been in the trash for 31 days."""
    make = Maker(store)
    for _ in range(2):
        make.changed(make.task(), deleted_at=timestamp())
    later = clock.now() + timedelta(days=31)
    monkeypatch.setattr(clock, "now", lambda: later)


def test_it_removes_what_one_job_removes_or_only_counts_it(store: Store, run: Run, old: None):
    assert run("cleanup", "trash", "--dry-run").output == "trash: 2 tasks would be removed.\n"
    assert store.redis.zcard(keys.TRASHED) == 2
    assert run("cleanup", "trash").output == "trash: 2 tasks removed.\n"
    assert store.redis.zcard(keys.TRASHED) == 0
    assert run("cleanup", "trash").output == "trash: nothing removed.\n"
    assert set(cleanups.last(store)) == {"trash"}


def test_without_a_name_it_does_them_all(store: Store, run: Run, old: None):
    done = run("cleanup")
    assert done.exit_code == 0
    assert [line.partition(":")[0] for line in done.output.splitlines()] == list(cleaning.JOBS)
    assert set(cleanups.last(store)) == set(cleaning.JOBS)


def test_a_name_that_is_none_or_a_store_that_is_closed_is_one_sentence(store: Store, run: Run, old: None):
    assert run("cleanup", "everything").exit_code == 2
    store.redis.hset("meta", "state", "closed")
    done = run("cleanup")
    assert done.exit_code == 1
    assert "trash: " in done.stderr
    assert "Try again" in done.stderr
    assert "jobs: nothing removed.\n" in done.output
