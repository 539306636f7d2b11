"""How much of the journal stays in Redis: a window, and whatever PostgreSQL does not have yet."""

from dataclasses import replace
from functools import partial

import pytest

from taskapi.db import journal
from taskapi.db.engine import Engine, transaction
from taskapi.store import dirty
from taskapi.store.client import Store
from taskapi.sync.flush import drain, flush_batch
from tests.sync.conftest import changed_tasks, many_tasks, new_task


@pytest.fixture
def narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    """A window of five entries, and ten entries a flush."""
    monkeypatch.setattr(dirty, "JOURNAL_WINDOW", 5)
    monkeypatch.setattr(dirty, "peek", partial(dirty.peek, entries=10))


def test_entries_that_postgresql_lacks_are_not_trimmed_however_old(
    opened: Store, engine: Engine, narrow: None
) -> None:
    changed_tasks(opened, many_tasks(opened, 20), title="changed")
    written = [entry.version for entry in dirty.journal(opened)]

    flush_batch(opened, engine)

    assert [entry.version for entry in dirty.journal(opened)] == written[9:]
    drain(opened, engine, 10)
    with transaction(engine) as connection:
        assert sorted(journal.some(connection, written)) == written


def test_of_what_postgresql_has_a_window_stays(opened: Store, engine: Engine, narrow: None) -> None:
    many_tasks(opened, 30)
    last = dirty.journal(opened)[-1].version

    drain(opened, engine, 10)

    assert [entry.version for entry in dirty.journal(opened)] == list(range(last - 5, last + 1))


def test_an_entry_is_put_behind_the_others_or_not_at_all(opened: Store) -> None:
    new_task(opened)
    entries = dirty.journal(opened)
    dirty.append(opened, entries[0])
    assert dirty.journal(opened) == entries
    later = replace(entries[-1], version=entries[-1].version + 7)
    dirty.append(opened, later)
    assert dirty.journal(opened) == [*entries, later]
