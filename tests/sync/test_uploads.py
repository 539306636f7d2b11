"""Bytes of uploads: those that nobody needs go, and none that anything names, or may name again."""

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from taskapi.db.engine import Engine
from taskapi.domain import failpoints
from taskapi.domain.clock import timestamp
from taskapi.domain.errors import Unavailable
from taskapi.domain.records import File
from taskapi.outside.shelf import Shelf, open_shelf
from taskapi.store import state
from taskapi.store.client import Store
from taskapi.store.kinds import FILE
from taskapi.sync import keeping, uploads
from taskapi.sync.admission import admit
from taskapi.sync.backup import back_up, backups
from taskapi.sync.flush import drain
from taskapi.sync.going_back import go_back, undo
from taskapi.sync.keeping import file_of
from taskapi.sync.restoring import Discard, rebuild
from taskapi.sync.uploads import collect_orphans
from tests.sync.conftest import Crash, change, crash, new_file, new_task, purge
from tests.sync.test_admission import forget_everything

NO_TIME = -60.0
"""Whatever was kept or purged until now counts as long ago."""

SHA = "0" * 64
Collect = Callable[..., int]


@pytest.fixture
def attic(tmp_path: Path) -> Shelf:
    """The shelf of the uploads."""
    return open_shelf(str(tmp_path / "uploads"))


@pytest.fixture
def collect(opened: Store, engine: Engine, attic: Shelf, shelf: Shelf) -> Collect:
    """Collects what was not needed a moment ago; how many."""
    drain(opened, engine, 5)

    def collect(seconds: float = NO_TIME, **options: bool) -> int:
        return collect_orphans(opened, engine, attic, shelf, seconds, **options)

    return collect


def keep(attic: Shelf, name: str) -> None:
    with attic.draft() as draft:
        draft.write_bytes(b"x")
        attic.put(name, draft)


def names(attic: Shelf) -> list[str]:
    return [item.name for item in attic.items()]


def uploaded(store: Store, attic: Shelf, task_id: int, **values: str) -> File:
    """A file of that task, with its bytes."""
    file = new_file(store, task_id, **values)
    keep(attic, f"{file.id}-{SHA}")
    return file


def died(store: Store, attic: Shelf) -> str:
    """The bytes of an upload that came no further."""
    name = f"{state.reserve(store, FILE)}-{SHA}"
    keep(attic, name)
    return name


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
    assert keeping.LEFT_BEHIND_SECONDS == uploads.DAY_SECONDS
