"""Giving up a refused change while somebody else writes: what is newer stays."""

import pytest

from taskapi.domain.errors import Conflict, Stale
from taskapi.services.quarantine import retry_refused
from taskapi.store import contents
from taskapi.store.kinds import TASK
from tests.services.conftest import ANN, said
from tests.services.quarantine.conftest import BAD, CALLER, Ward


def test_a_new_write_between_the_looks_of_somebody_who_gives_up_wins(ward: Ward):
    was = ward.carried(ward.house.task(ANN))
    worse = ward.refused(ward.make.changed(was, title=BAD))

    def read_late(kind: str, record_id: int):
        if ward.now("task", was.id) == worse:
            ward.make.changed(worse, title="newer")
        return {**vars_of(was)}

    with pytest.raises(Conflict, match="changed since"):
        ward.discard("task", was.id, read=read_late)

    ward.settle()
    assert ward.now("task", was.id).title == "newer"


def vars_of(record) -> dict:
    return {name: getattr(record, name) for name in record.__dataclass_fields__}


def test_what_is_wanted_of_another_version_is_stale(ward: Ward):
    was = ward.carried(ward.house.task(ANN))
    worse = ward.refused(ward.make.changed(was, title=BAD))
    with pytest.raises(Stale):
        ward.discard("task", was.id, if_match=was.version)

    assert not said(ward.discard("task", was.id, if_match=worse.version))["purged"]
    with pytest.raises(Conflict, match="changed since"):
        ward.discard("task", was.id)
    ward.settle()


def test_who_moves_into_what_is_given_up_meanwhile_keeps_it(ward: Ward):
    made = ward.refused(ward.make.user(full_name=BAD))

    def read(kind: str, record_id: int) -> None:
        nonlocal read_before
        if not read_before:
            read_before = True
        return

    read_before = False
    real = ward.store.redis.hget("spread:users", str(made.id))
    assert real is None
    task = ward.house.task(made.id)
    with pytest.raises(Conflict, match="to whom 1 tasks belong"):
        ward.discard("user", made.id, read=read)
    assert contents.present(ward.store, TASK, [task.id]) == [task]
    assert read_before
    assert retry_refused(ward.store, CALLER, "user", made.id).dirty == (f"user:{made.id}",)
