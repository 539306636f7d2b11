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
from tests.sync.test_going_back import kept
from tests.sync.test_other_installation import begin_anew


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

    assert gone == [name]
    assert {last, archive} <= {each.id for each in backup.backups(shelf)}
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
