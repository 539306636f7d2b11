"""Backups that come from somewhere else."""

from pathlib import Path

import pytest

from taskapi.db.engine import Engine
from taskapi.domain.errors import Unavailable
from taskapi.outside.shelf import Shelf
from taskapi.store.client import Store
from taskapi.sync import backup
from taskapi.sync.bringing import apart, bring
from taskapi.sync.errors import Broken
from taskapi.sync.going_back import go_back, plan_backup
from tests.sync.conftest import change, new_task
from tests.sync.test_admission import tasks_in
from tests.sync.test_going_back import kept


def test_a_whole_file_takes_the_place_of_a_broken_one(
    opened: Store, engine: Engine, shelf: Shelf, tmp_path: Path
):
    task = new_task(opened, title="then")
    name = kept(opened, engine, shelf)
    there, elsewhere = tmp_path / "backups" / f"{name}.taskapi", tmp_path / "elsewhere"
    elsewhere.write_bytes(there.read_bytes())
    damage(there)
    with pytest.raises(Broken):
        backup.verify(engine, shelf, name)
    change(opened, task, title="now")

    assert bring(shelf, elsewhere) == name

    assert backup.verify(engine, shelf, name).is_good
    go_back(opened, engine, shelf, name)
    assert tasks_in(opened) == {task.id: "then"}


def test_a_broken_file_takes_no_place(opened: Store, engine: Engine, shelf: Shelf, tmp_path: Path):
    name = kept(opened, engine, shelf)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_bytes((tmp_path / "backups" / f"{name}.taskapi").read_bytes())
    damage(elsewhere)
    with pytest.raises(Broken):
        bring(shelf, elsewhere)
    assert backup.verify(engine, shelf, name).is_good


def test_a_file_is_looked_at_where_it_lies_whatever_its_name(
    opened: Store, engine: Engine, shelf: Shelf, tmp_path: Path
):
    name = kept(opened, engine, shelf)
    elsewhere = tmp_path / "my copy"
    (tmp_path / "backups" / f"{name}.taskapi").rename(elsewhere)
    with apart(elsewhere) as (other, backup_id):
        assert backup_id == name
        assert plan_backup(opened, engine, other, name)["records"]["removed"] == {}
    assert backup.backups(shelf) == []


def test_a_file_that_cannot_be_opened_is_named(shelf: Shelf, tmp_path: Path):
    with pytest.raises(Unavailable, match=r"The file .*/nothing cannot be read: No such file"):
        bring(shelf, tmp_path / "nothing")


def damage(file: Path) -> None:
    """Flips a bit among the lines."""
    content = bytearray(file.read_bytes())
    content[40] ^= 1
    file.write_bytes(content)
