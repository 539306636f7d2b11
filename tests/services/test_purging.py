"""What goes for good with a task."""

import pytest

from taskapi.domain.errors import Moved, NotFound
from taskapi.services import purging, tasks
from taskapi.services.purging import purge_of
from taskapi.store.records import save
from tests.services.conftest import ANN, EVE, House, claim, said
from tests.store.conftest import SYSTEM


def test_the_files_of_a_task_go_with_it_and_nobody_elses(house: House):
    task, other = house.task(ANN), house.task(ANN)
    for each in (task, task, other):
        house.make.file(each.id)

    assert said(tasks.remove_task(house.store, claim(ANN), task.id, permanent=True))["deleted"]

    assert house.stored("file:1") is house.stored("file:2") is None
    assert house.stored("file:3")["task_id"] == other.id
    assert house.store.redis.exists(f"files:{task.id}") == 0
    assert house.stored("purged:file:2") is not None


def test_files_stay_while_their_task_lies_in_the_trash(house: House):
    task = house.task(ANN)
    house.make.file(task.id)
    tasks.remove_task(house.store, claim(ANN), task.id)
    assert house.store.redis.zcard(f"files:{task.id}") == 1

    tasks.restore_task(house.store, claim(ANN), task.id)
    tasks.remove_task(house.store, claim(ANN), task.id)
    tasks.remove_task(house.store, claim(ANN), task.id, permanent=True)
    assert house.store.redis.keys("file*") == []


def test_a_file_that_comes_meanwhile_goes_too(house: House, monkeypatch: pytest.MonkeyPatch):
    task = house.task(ANN)
    house.make.file(task.id)
    found = purging.files_of

    def files_of(*args):
        files = found(*args)
        if len(files) == 1:
            house.make.file(task.id)
        return files

    monkeypatch.setattr(purging, "files_of", files_of)
    purge = purge_of(house.store, claim(ANN), [task])
    with pytest.raises(Moved):
        save(house.store, SYSTEM, purge.changes, counts=purge.counts)
    tasks.remove_task(house.store, claim(ANN), task.id, permanent=True)
    assert house.store.redis.keys("file*") == []


def test_who_may_not_purge_the_task_takes_no_file_away(house: House):
    task = house.task(ANN)
    house.make.file(task.id)
    with pytest.raises(NotFound):
        tasks.remove_task(house.store, claim(EVE), task.id, permanent=True)
    assert house.stored("file:1") is not None
