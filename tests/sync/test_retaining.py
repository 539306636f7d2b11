"""What an undo needs is not deleted, whatever came after it."""

import pytest

from taskapi.db.engine import Engine, connect
from taskapi.domain import failpoints
from taskapi.outside.shelf import Shelf
from taskapi.store.client import Store
from taskapi.sync import backup
from taskapi.sync.going_back import go_back, undo
from tests.sync.conftest import Crash, change, crash, new_task
from tests.sync.test_admission import tasks_in
from tests.sync.test_flush import run_sql
from tests.sync.test_going_back import kept
from tests.sync.test_other_installation import begin_anew

_END_WHO_SHARES = (
    "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND mode = 'ShareLock'"
)
LINES = ["freezing.locked", "going_back.archived", "turning.committed", "publishing.swapped"]


def test_a_restore_that_died_after_its_archive_costs_nobody_the_undo(
    opened: Store, engine: Engine, shelf: Shelf
):
    task = new_task(opened, title="then")
    name = kept(opened, engine, shelf)
    change(opened, task, title="now")
    archive = go_back(opened, engine, shelf, name)["archive"]
    with failpoints.armed("going_back.archived", crash), pytest.raises(Crash):
        go_back(opened, engine, shelf, name)
    last = kept(opened, engine, shelf)

    gone = backup.retain(engine, shelf, 1)

    assert gone == []
    assert {last, archive, name} < {each.id for each in backup.backups(shelf)}
    undo(opened, engine, shelf)
    assert tasks_in(opened) == {task.id: "now"}


def test_a_restore_that_was_asked_for_twice_is_taken_back_by_one_undo(
    opened: Store, engine: Engine, shelf: Shelf
):
    task = new_task(opened, title="then")
    name = kept(opened, engine, shelf)
    change(opened, task, title="now")
    go_back(opened, engine, shelf, name)
    assert not any(go_back(opened, engine, shelf, name)["records"][what] for what in ("changed", "removed"))

    undo(opened, engine, shelf)

    assert tasks_in(opened) == {task.id: "now"}
    undo(opened, engine, shelf)
    assert tasks_in(opened) == {task.id: "then"}


def test_restores_push_none_of_the_owners_backups_off_the_shelf(opened: Store, engine: Engine, shelf: Shelf):
    old = kept(opened, engine, shelf)
    own = [kept(opened, engine, shelf) for _ in range(2)]
    for _ in range(3):
        new_task(opened)
        go_back(opened, engine, shelf, own[0])
    before = [each.id for each in backup.backups(shelf) if each.reason == "before-restore"]

    gone = backup.retain(engine, shelf, 2)

    assert gone == [before[2], old]
    assert set(own) < {each.id for each in backup.backups(shelf)}


def test_what_was_last_restored_stays_until_another_was(opened: Store, engine: Engine, shelf: Shelf):
    names = []
    for title in ("first", "second"):
        new_task(opened, title=title)
        names.append(kept(opened, engine, shelf))
    new_task(opened)
    go_back(opened, engine, shelf, names[0])
    kept(opened, engine, shelf)
    assert backup.retain(engine, shelf, 1) == names[1:]
    undo(opened, engine, shelf)
    assert backup.retain(engine, shelf, 1) == names[:1]


@pytest.mark.parametrize("line", LINES)
def test_while_somebody_goes_back_no_backup_is_deleted(
    opened: Store, engine: Engine, shelf: Shelf, line: str
):
    task = new_task(opened, title="then")
    name = kept(opened, engine, shelf)
    change(opened, task, title="now")
    kept(opened, engine, shelf)
    told: list[list[str]] = []
    with failpoints.armed(line, lambda: told.append(backup.retain(engine, shelf, 1))):
        go_back(opened, engine, shelf, name)
    assert told == [[]]
    assert tasks_in(opened) == {task.id: "then"}
    assert name in {each.id for each in backup.backups(shelf)}


def test_a_lost_connection_is_no_reason_to_unsay_a_restore(opened: Store, engine: Engine, shelf: Shelf):
    name = kept(opened, engine, shelf)
    with failpoints.armed("publishing.dropped", lambda: run_sql(engine, _END_WHO_SHARES)):
        assert go_back(opened, engine, shelf, name)["target"] == name


def test_while_nobody_knows_what_an_undo_needs_nothing_is_deleted(
    opened: Store, engine: Engine, shelf: Shelf
):
    names = {kept(opened, engine, shelf) for _ in range(2)}
    away = connect("postgresql+psycopg2://nobody@127.0.0.1:1/nothing")
    assert backup.retain(away, shelf, 1) == []
    assert {each.id for each in backup.backups(shelf)} == names
    away.dispose()


def test_one_installation_does_not_delete_the_backups_of_another(opened: Store, engine: Engine, shelf: Shelf):
    theirs = kept(opened, engine, shelf)
    begin_anew(opened, engine)
    own = [kept(opened, engine, shelf) for _ in range(3)]
    assert backup.retain(engine, shelf, 2) == own[:1]
    assert {theirs, *own[1:]} == {each.id for each in backup.backups(shelf)}
