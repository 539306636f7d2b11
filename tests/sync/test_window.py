"""How much of the journal stays in Redis: a window, and whatever PostgreSQL does not have yet."""

from dataclasses import asdict, replace
from functools import partial

import orjson
import pytest

from taskapi.cli.telling import told as line_of
from taskapi.db import journal
from taskapi.db.engine import Engine, transaction
from taskapi.outside.shelf import Shelf
from taskapi.store import dirty, state
from taskapi.store.client import Store
from taskapi.sync.admission import admit
from taskapi.sync.backup import back_up
from taskapi.sync.flush import drain, flush_batch
from taskapi.sync.going_back import go_back
from tests.sync.conftest import changed_tasks, many_tasks, new_task, restart, snapshot, turn_back
from tests.sync.shelves import whole
from tests.sync.test_admission import forget_everything, require_settled
from tests.sync.test_going_back import kept
from tests.sync.test_other_installation import begin_anew


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

    assert [entry.version for entry in dirty.journal(opened)] == written[5:]
    drain(opened, engine, 10)
    with transaction(engine) as connection:
        assert sorted(journal.some(connection, written)) == written


def test_of_what_postgresql_has_a_window_stays(opened: Store, engine: Engine, narrow: None) -> None:
    many_tasks(opened, 30)
    last = dirty.journal(opened)[-1].version

    drain(opened, engine, 10)

    assert [entry.version for entry in dirty.journal(opened)] == list(range(last - 4, last + 1))


def test_entries_are_put_behind_the_others_or_not_at_all(opened: Store) -> None:
    new_task(opened)
    entries = dirty.journal(opened)
    later = [replace(entries[-1], version=entries[-1].version + more) for more in (7, 9)]
    assert dirty.relate(opened, later) == 0
    state.close(opened)
    assert dirty.relate(opened, entries) == 0
    assert dirty.relate(opened, [entries[0], *later]) == 2
    assert dirty.journal(opened) == [*entries, *later]


def test_the_window_is_kept_through_every_admission(opened: Store, engine: Engine, narrow: None) -> None:
    for _ in range(3):
        many_tasks(opened, 2)
        drain(opened, engine, 10)
        restart(opened)
        admit(opened, engine)
    assert len(dirty.journal(opened)) == 5
    assert len({entry.version // state.EPOCH_SPAN for entry in dirty.journal(opened)}) == 3


def test_a_redis_that_was_lost_has_the_window_again(opened: Store, engine: Engine, narrow: None) -> None:
    changed_tasks(opened, many_tasks(opened, 10), title="\N{SNOWMAN} \\ \x01")
    drain(opened, engine, 10)
    written = told(opened)
    forget_everything(opened)

    admit(opened, engine)

    assert told(opened) == written
    require_settled(opened, engine)


def test_an_older_redis_gets_what_it_lacks(opened: Store, engine: Engine) -> None:
    many_tasks(opened, 3)
    drain(opened, engine, 10)
    old_disk = snapshot(opened)
    many_tasks(opened, 3)
    drain(opened, engine, 10)
    written = told(opened)
    turn_back(opened, old_disk)

    admit(opened, engine)

    assert told(opened) == written
    require_settled(opened, engine)


@pytest.mark.parametrize("offline", [False, True])
def test_the_window_is_kept_through_restores(
    opened: Store, engine: Engine, shelf: Shelf, narrow: None, offline: bool
) -> None:
    many_tasks(opened, 10)
    name = kept(opened, engine, shelf)
    many_tasks(opened, 2)
    for _ in range(2):
        written = told(opened)
        go_back(opened, engine, shelf, name, offline=offline)
        assert [*written, told(opened)[-1]][-5:] == told(opened)[-5:]
        assert len(told(opened)) >= 5
    require_settled(opened, engine)


def test_who_takes_another_installation_over_has_its_last_lines(
    opened: Store, engine: Engine, shelf: Shelf, narrow: None
) -> None:
    many_tasks(opened, 10)
    name = kept(opened, engine, shelf)
    written = told(opened)
    begin_anew(opened, engine)

    go_back(opened, engine, shelf, name)

    assert told(opened)[:-1] == written
    require_settled(opened, engine)


@pytest.mark.parametrize("count", [3, 20])
def test_a_backup_from_redis_alone_says_which_history_it_lacks(
    opened: Store, engine: Engine, shelf: Shelf, narrow: None, count: int
) -> None:
    many_tasks(opened, count)
    drain(opened, engine, 10)
    first = dirty.journal(opened)[0].version

    made = back_up(opened, engine, shelf, source="redis")

    assert made.history_above == (first - 1 if count == 20 else 0)
    assert whole(shelf, made.id).manifest.about.history_above == made.history_above
    assert (f"; no history up to version {first - 1}" in line_of(made)) == (count == 20)
    assert back_up(opened, engine, shelf).history_above == 0
    assert made.is_good


def test_a_backup_from_a_redis_without_a_journal_has_no_history(
    opened: Store, engine: Engine, shelf: Shelf
) -> None:
    drain(opened, engine, 10)
    opened.redis.delete("journal")
    made = back_up(opened, engine, shelf, source="redis")
    assert made.history_above == made.version


def told(store: Store) -> list[tuple[object, ...]]:
    """The journal, as anybody reads it."""
    lines = (asdict(entry) for entry in dirty.journal(store))
    return [tuple((line | {"fields": orjson.loads(line["fields"])}).values()) for line in lines]
