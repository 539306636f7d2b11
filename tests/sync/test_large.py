"""Records as large as they may be: each step stays small, and none waits for the others."""

import pytest

from taskapi.db.engine import Engine
from taskapi.store import dirty, placing
from taskapi.store.client import Store
from taskapi.sync.admission import admit
from taskapi.sync.flush import drain
from tests.sync.conftest import changed_tasks, counting, many_tasks
from tests.sync.test_admission import forget_everything, require_settled
from tests.sync.test_flush import require_equal

LARGE = ["\x01" * 10_000, "\x02" * 10_000]
LARGEST_BYTES = 150_000  # of one journal entry with both texts, and room to spare


def test_a_batch_of_large_records_stays_small_and_brings_everything(opened: Store, engine: Engine):
    tasks = changed_tasks(opened, many_tasks(opened, 200, information=LARGE[0]), information=LARGE[1])
    batch = dirty.peek(opened)

    assert 1 < len(batch.marks) < len(tasks)
    assert sum(len(mark.blob) for mark in batch.marks) < dirty.BATCH_BYTES + LARGEST_BYTES
    assert sum(len(entry.fields) for entry in batch.entries) < dirty.BATCH_BYTES + LARGEST_BYTES
    drain(opened, engine, 60)
    require_equal(opened, engine)


def test_a_batch_holds_one_record_and_one_entry_however_large(opened: Store, monkeypatch: pytest.MonkeyPatch):
    many_tasks(opened, 2)
    monkeypatch.setattr(dirty, "BATCH_BYTES", 1)
    batch = dirty.peek(opened)
    assert (len(batch.marks), len(batch.entries), batch.total) == (1, 1, 3)


def test_the_journal_comes_whole_and_in_order_whatever_its_slices(opened: Store):
    many_tasks(opened, 60)
    versions = [entry.version for entry in dirty.journal(opened)]
    for count in (1, 19, 20, 21, 40, 61, 100):
        assert [entry.version for entry in dirty.peek(opened, entries=count).entries] == versions[:count]


def test_large_records_are_placed_in_small_parts(
    opened: Store, engine: Engine, monkeypatch: pytest.MonkeyPatch
):
    many_tasks(opened, 100, information=LARGE[0])
    drain(opened, engine, 60)
    forget_everything(opened)
    calls = counting(monkeypatch, placing, "run_unverified")

    admit(opened, engine)

    placed = [args for args in calls if args[1] == "place"]
    sizes = [sum(len(value) for value in args if isinstance(value, bytes)) for args in placed]
    assert len(sizes) > 2
    assert max(sizes) < placing.PLACED_BYTES + LARGEST_BYTES
    require_settled(opened, engine)
