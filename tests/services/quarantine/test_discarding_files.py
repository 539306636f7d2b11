"""Giving up a refused change of a file, or of a task that has some."""

from collections.abc import Iterator

import pytest

from taskapi.domain.clock import timestamp
from taskapi.domain.errors import Conflict
from tests.services.conftest import ANN
from tests.services.quarantine.conftest import BAD, Ward, same


@pytest.fixture
def grudging(ward: Ward) -> Iterator[Ward]:
    """PostgreSQL refuses to let a file go."""
    ward.sql("ALTER TABLE files ADD CONSTRAINT no_purges CHECK (purged IS NOT TRUE) NOT VALID")
    yield ward
    ward.sql("ALTER TABLE files DROP CONSTRAINT no_purges")


def test_a_new_file_of_which_postgresql_has_nothing_is_purged(ward: Ward):
    made = ward.refused(ward.make.file(ward.house.task(ANN).id, filename=BAD))
    assert ward.given_up("file", made.id) is None


def test_a_new_task_goes_with_its_files(ward: Ward):
    task = ward.house.task(ANN, title=BAD)
    ward.make.file(task.id)
    ward.refused(task)
    assert ward.given_up("task", task.id) is None
    assert ward.now("file", 1) is None


def test_a_refused_purge_of_a_file_is_taken_back(grudging: Ward):
    file = grudging.carried(grudging.make.file(grudging.house.task(ANN).id))
    grudging.make.purged(file)
    grudging.carry()
    assert grudging.names == [f"file:{file.id}"]
    assert same(grudging.given_up("file", file.id), file)


def test_no_file_comes_back_without_its_task(grudging: Ward):
    task = grudging.house.task(ANN)
    file = grudging.carried(grudging.make.file(task.id))
    grudging.make.purged(file)
    task = grudging.make.changed(task, deleted_at=timestamp())
    grudging.carry()
    with pytest.raises(Conflict, match="in the trash: restore it"):
        grudging.discard("file", file.id)
    grudging.make.purged(task)
    with pytest.raises(Conflict, match="gone: retry"):
        grudging.discard("file", file.id)
