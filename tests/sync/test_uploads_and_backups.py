"""Bytes of uploads that a backup names stay: whoever goes back to it finds them."""

from pathlib import Path

import pytest

from taskapi.db.engine import Engine
from taskapi.outside.shelf import Shelf
from taskapi.store.client import Store
from taskapi.sync import uploads
from taskapi.sync.admission import admit
from taskapi.sync.backup import back_up, backups
from taskapi.sync.flush import drain
from taskapi.sync.going_back import go_back, undo
from taskapi.sync.keeping import file_of
from taskapi.sync.restoring import Discard, rebuild
from tests.sync.attic import SHA, died, names, uploaded
from tests.sync.conftest import Collect, new_task, purge
from tests.sync.test_admission import forget_everything


def test_what_a_backup_has_stays_as_long_as_the_backup(
    opened: Store, engine: Engine, shelf: Shelf, attic: Shelf, collect: Collect
):
    file = uploaded(opened, attic, new_task(opened).id)
    old = back_up(opened, engine, shelf)
    purge(opened, file)
    back_up(opened, engine, shelf)
    assert collect() == 0
    shelf.delete(file_of(old.id))
    assert collect() == 1


@pytest.mark.parametrize("spoiled", ["its end", "all of it"])
def test_while_a_backup_cannot_be_read_nobody_knows_what_it_has(
    opened: Store, engine: Engine, shelf: Shelf, attic: Shelf, collect: Collect, spoiled: str
):
    died(opened, attic)
    made = back_up(opened, engine, shelf)
    path = Path(shelf.shown) / file_of(made.id)
    whole = path.read_bytes()
    path.write_bytes(whole[:-1] + b"?" if spoiled == "its end" else b"?")
    assert collect() == 0
    shelf.delete(file_of(made.id))
    assert collect() == 1


def test_what_was_discarded_stays_as_long_as_its_archive(
    opened: Store, engine: Engine, shelf: Shelf, attic: Shelf, collect: Collect
):
    drain(opened, engine, 5)
    task = new_task(opened)
    file = uploaded(opened, attic, task.id)
    archive = rebuild(opened, engine, shelf, discard=Discard(2, file.version))["archive"]
    assert collect() == 0
    shelf.delete(file_of(archive))
    assert collect() == 1


def test_what_was_lost_with_redis_stays_as_long_as_a_backup_has_it(
    opened: Store, engine: Engine, shelf: Shelf, attic: Shelf, collect: Collect
):
    lost = uploaded(opened, attic, new_task(opened).id)
    made = back_up(opened, engine, shelf, source="redis")
    orphan = died(opened, attic)
    forget_everything(opened)
    admit(opened, engine)

    assert not opened.redis.exists(f"file:{lost.id}")
    assert collect() == 1
    assert orphan not in names(attic)
    go_back(opened, engine, shelf, made.id)
    assert opened.redis.exists(f"file:{lost.id}")
    assert names(attic) == [f"{lost.id}-{SHA}"]


def test_a_backup_that_is_deleted_meanwhile_names_nothing(
    opened: Store,
    engine: Engine,
    shelf: Shelf,
    attic: Shelf,
    collect: Collect,
    monkeypatch: pytest.MonkeyPatch,
):
    died(opened, attic)
    made = back_up(opened, engine, shelf)
    listed = backups(shelf)
    shelf.delete(file_of(made.id))
    monkeypatch.setattr(uploads, "backups", lambda _: listed)
    assert collect() == 1


def test_whoever_goes_back_finds_every_byte(
    opened: Store, engine: Engine, shelf: Shelf, attic: Shelf, collect: Collect
):
    purged = uploaded(opened, attic, new_task(opened).id)
    target = back_up(opened, engine, shelf)
    purge(opened, purged)
    added = uploaded(opened, attic, new_task(opened).id)

    go_back(opened, engine, shelf, target.id)
    assert opened.redis.exists(f"file:{purged.id}")
    assert not opened.redis.exists(f"file:{added.id}")
    assert collect() == 0
    undo(opened, engine, shelf)
    assert opened.redis.exists(f"file:{added.id}")
    assert collect() == 0
    assert len(names(attic)) == 2
