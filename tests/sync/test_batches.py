"""What a batch brings to PostgreSQL is everything up to the last line of its journal."""

import pytest

from taskapi.db.engine import Engine, transaction
from taskapi.db.journal import last_version
from taskapi.db.rows import versions_of
from taskapi.domain.records import Task
from taskapi.store import contents, dirty
from taskapi.store.client import Store
from taskapi.store.dirty import Batch
from taskapi.sync import flush
from tests.sync.conftest import change, changed_tasks, many_tasks, new_task, purge
from tests.sync.test_flush import require_equal


def versions(batch: Batch) -> dict[str, int]:
    return {mark.name: mark.version for mark in batch.marks}


def lines(batch: Batch) -> list[int]:
    return [entry.version for entry in batch.entries]


@pytest.fixture
def clean(opened: Store, engine: Engine) -> Store:
    """Open, and all that there is has been carried."""
    flush.drain(opened, engine, 5)
    return opened


def test_each_line_comes_with_its_record(clean: Store):
    tasks = many_tasks(clean, 5)

    batch = dirty.peek(clean, records=3)

    assert list(versions(batch)) == [f"task:{task.id}" for task in tasks[:3]]
    assert lines(batch) == [task.version for task in tasks[:3]]


def test_no_record_comes_before_its_first_line(clean: Store):
    tasks = many_tasks(clean, 5)
    last = changed_tasks(clean, tasks, title="again")[-1]

    batch = dirty.peek(clean, entries=3)

    assert list(versions(batch)) == [f"task:{task.id}" for task in tasks[:3]]
    assert lines(batch) == [task.version for task in tasks[:3]]
    assert max(versions(batch).values()) < last.version


def test_a_record_that_is_changed_all_the_time_comes_with_its_first_line(clean: Store):
    hot = new_task(clean)
    for number in range(10):
        hot = change(clean, hot, title=f"{number}")
    cold = new_task(clean)

    batch = dirty.peek(clean, entries=2)

    assert versions(batch) == {f"task:{hot.id}": hot.version}
    assert len(lines(batch)) == 2
    assert f"task:{cold.id}" not in versions(batch)


def test_what_was_purged_comes_with_its_line(clean: Store):
    task = new_task(clean)
    purge(clean, task)
    batch = dirty.peek(clean)
    assert versions(batch) == {f"task:{task.id}": lines(batch)[-1]}


def test_what_is_dirty_without_a_line_gets_its_turn_beside_a_long_journal(clean: Store, engine: Engine):
    marked = many_tasks(clean, 10)
    flush.drain(clean, engine, 5)
    contents.mark_dirty(clean, {f"task:{task.id}": task.version for task in marked})
    many_tasks(clean, 20)

    batch = dirty.peek(clean, records=8)

    names = list(versions(batch))
    assert len(names) == 8
    assert len(lines(batch)) == 6
    assert len(set(names) & {f"task:{task.id}" for task in marked}) == 2


def test_without_a_journal_the_oldest_marks_come_first(clean: Store):
    tasks = many_tasks(clean, 3)
    clean.redis.delete("journal", "dirty:since")
    clean.redis.zadd("dirty:since", {f"task:{task.id}": 9 - task.id for task in tasks})

    assert list(versions(dirty.peek(clean, records=2))) == [f"task:{task.id}" for task in tasks[:0:-1]]


def test_a_batch_is_bounded_in_bytes_but_never_empty(clean: Store, monkeypatch: pytest.MonkeyPatch):
    tasks = many_tasks(clean, 3, information="x" * 5000)
    monkeypatch.setattr(dirty, "BATCH_BYTES", 1)

    batch = dirty.peek(clean)

    assert list(versions(batch)) == [f"task:{tasks[0].id}"]
    assert lines(batch) == [tasks[0].version]


def test_whatever_the_sizes_postgresql_has_all_up_to_the_last_line_after_each_batch(
    clean: Store, engine: Engine, monkeypatch: pytest.MonkeyPatch
):
    real = dirty.peek
    monkeypatch.setattr(flush.dirty, "peek", lambda store: real(store, records=7, entries=11))
    tasks: list[Task] = []
    written: dict[int, list[int]] = {}
    for round_ in range(12):
        made = many_tasks(clean, 5)
        tasks = changed_tasks(clean, [*made, *tasks[:10]], title=f"{round_}")
        for task in [*made, *tasks]:
            written.setdefault(task.id, []).append(task.version)
        flush.flush_batch(clean, engine)
        require_whole(engine, written)

    while not flush.flush_batch(clean, engine).is_clean:
        require_whole(engine, written)
    require_equal(clean, engine)


def require_whole(engine: Engine, written: dict[int, list[int]]) -> None:
    """Each write up to the last line is there, in its record."""
    with transaction(engine) as connection:
        last = last_version(connection)
        there = versions_of(connection, "task", list(written))
    for number, given in written.items():
        due = [version for version in given if version <= last]
        assert not due or there[number] >= due[-1]
