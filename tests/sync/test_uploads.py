"""Bytes of uploads: those that nobody needs go, and none that anything names, or may name again."""

import os
import time
from pathlib import Path

import pytest

from taskapi.db.engine import Engine
from taskapi.domain import failpoints
from taskapi.domain.clock import timestamp
from taskapi.domain.errors import Unavailable
from taskapi.outside.shelf import Shelf
from taskapi.store import state
from taskapi.store.client import Store
from taskapi.sync import retaining, uploads
from taskapi.sync.flush import drain
from tests.sync.attic import SHA, died, keep, names, uploaded
from tests.sync.conftest import Collect, Crash, change, crash, new_task, purge


def test_what_a_record_names_stays(opened: Store, engine: Engine, attic: Shelf, collect: Collect):
    uploaded(opened, attic, new_task(opened).id)
    trashed = new_task(opened)
    uploaded(opened, attic, trashed.id)
    uploaded(opened, attic, trashed.id, filename="a\0b")  # which PostgreSQL refuses
    change(opened, trashed, deleted_at=timestamp())
    drain(opened, engine, 5)
    uploaded(opened, attic, new_task(opened).id)
    assert collect() == 0

    opened.redis.delete(*(f"file:{number}" for number in (1, 2, 3)))
    assert collect() == 0
    assert len(names(attic)) == 4


def test_what_was_purged_goes_once_postgresql_knows_it(
    opened: Store, engine: Engine, attic: Shelf, collect: Collect
):
    purge(opened, uploaded(opened, attic, new_task(opened).id))
    assert collect() == 0
    drain(opened, engine, 5)
    assert collect(uploads.DAY_SECONDS) == 0
    assert collect(dry_run=True) == 1
    assert len(names(attic)) == 1
    assert collect() == 1
    assert names(attic) == []


def test_old_bytes_of_a_late_purge_stay(opened: Store, engine: Engine, attic: Shelf, collect: Collect):
    file = uploaded(opened, attic, new_task(opened).id)
    long_ago = time.time() - 2 * uploads.DAY_SECONDS
    os.utime(Path(attic.shown) / f"{file.id}-{SHA}", (long_ago, long_ago))
    purge(opened, file)
    drain(opened, engine, 5)
    assert collect(uploads.DAY_SECONDS) == 0
    assert collect() == 1


def test_an_upload_that_died_leaves_nothing_for_long(opened: Store, attic: Shelf, collect: Collect):
    died(opened, attic)
    assert collect(uploads.DAY_SECONDS) == 0
    assert collect() == 1


def test_what_is_not_of_this_installation_stays(opened: Store, attic: Shelf, collect: Collect):
    others = died(opened, attic)
    before = time.time() - 3600
    os.utime(Path(attic.shown) / others, (before, before))
    for name in ("readme.txt", f"1-{SHA}.txt", f"{10**9}-{SHA}"):
        keep(attic, name)
    assert collect() == 0
    assert len(names(attic)) == 4


def test_without_a_journal_nobody_knows_when_anything_was(
    opened: Store, engine: Engine, attic: Shelf, collect: Collect, monkeypatch: pytest.MonkeyPatch
):
    died(opened, attic)
    purge(opened, uploaded(opened, attic, new_task(opened).id))
    drain(opened, engine, 5)
    monkeypatch.setattr(uploads.journal, "moment_from", lambda *_: None)
    assert collect() == 0


def test_nothing_goes_while_redis_is_not_open(
    opened: Store, attic: Shelf, collect: Collect, monkeypatch: pytest.MonkeyPatch
):
    died(opened, attic)
    look = state.look
    seen = [look(opened)]

    def restarted(store: Store) -> state.State:
        found = look(store)
        seen.append(found)
        return found if len(seen) % 2 else state.State("another", found.meta, found.ids, False)

    with monkeypatch.context() as patch:
        patch.setattr(uploads.state, "look", restarted)
        with pytest.raises(Unavailable):
            collect()
    state.close(opened)
    with pytest.raises(Unavailable):
        collect()
    assert len(names(attic)) == 1


@pytest.mark.parametrize("line", uploads.LINES)
def test_killed_anywhere_the_next_goes_on(opened: Store, attic: Shelf, collect: Collect, line: str):
    living = uploaded(opened, attic, new_task(opened).id)
    for _ in range(3):
        died(opened, attic)
    with failpoints.armed(line, crash), pytest.raises(Crash):
        collect()
    collect()
    assert names(attic) == [f"{living.id}-{SHA}"]


def test_many_are_looked_at_in_parts(
    opened: Store, attic: Shelf, collect: Collect, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(uploads, "AT_ONCE", 2)
    for _ in range(5):
        died(opened, attic)
    uploaded(opened, attic, new_task(opened).id)
    assert collect() == 5
    assert retaining.LEFT_BEHIND_SECONDS == uploads.DAY_SECONDS
