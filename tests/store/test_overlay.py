"""What waits for PostgreSQL."""

import pytest

from taskapi.domain.errors import Unavailable
from taskapi.store import dirty, overlay
from taskapi.store.client import Store
from tests.store.conftest import Maker


def test_tasks_wait_that_are_dirty_or_were_refused(store: Store, make: Maker):
    make.user()
    first, second, third = make.task(), make.task(), make.task()
    make.changed(third, deleted_at="2026-01-01T00:00:00.000Z")
    batch = dirty.peek(store)
    marks = {mark.name: mark for mark in batch.marks}
    dirty.settle(store, batch, [marks[f"task:{first.id}"]])
    dirty.quarantine(store, [marks[f"task:{second.id}"]], "no")

    assert overlay.tasks_waiting(store, 100) == {second.id, third.id}


def test_too_many_marks_are_told_instead_of_named(store: Store, make: Maker):
    make.user()
    make.task()

    assert overlay.tasks_waiting(store, 2) == {1}
    assert overlay.tasks_waiting(store, 1) is None


def test_looking_writes_nothing(store: Store, make: Maker):
    make.user()
    before = store.redis.info("persistence")["rdb_changes_since_last_save"]
    overlay.tasks_waiting(store, 2)
    assert store.redis.info("persistence")["rdb_changes_since_last_save"] == before


def test_an_unverified_store_is_not_looked_into(store: Store):
    store.redis.hset("meta", "state", "unverified")
    with pytest.raises(Unavailable):
        overlay.tasks_waiting(store, 2)
