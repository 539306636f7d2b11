"""A clean stop while others go on."""

from functools import partial

from taskapi.db import meta
from taskapi.db.engine import Engine, transaction
from taskapi.domain import failpoints
from taskapi.store import dirty, state
from taskapi.store.client import Store
from taskapi.sync import closing, flush
from taskapi.sync.admission import admit
from taskapi.sync.closing import close
from taskapi.sync.flush import drain
from taskapi.sync.judging import Finding
from tests.sync.conftest import new_task, restart
from tests.sync.test_admission import restart_cleanly


def noted(engine: Engine) -> bool:
    """Whether PostgreSQL knows of a clean stop."""
    with transaction(engine) as connection:
        found = meta.installation(connection)
    return found is not None and found.closed is not None


def test_a_stop_is_not_noted_if_another_has_opened_redis_meanwhile(opened: Store, engine: Engine):
    with failpoints.armed("closing.closed", partial(admit, opened, engine)):
        close(opened, engine)

    assert state.look(opened).is_ready
    assert not noted(engine)
    new_task(opened)
    restart(opened)
    assert admit(opened, engine).finding is Finding.UNCLEAN


def test_a_stop_is_not_noted_if_it_would_be_that_of_a_later_epoch(opened: Store, engine: Engine):
    def stop_in_a_new_epoch() -> None:
        restart(opened)
        admit(opened, engine)
        state.close(opened)

    with failpoints.armed("closing.closed", stop_in_a_new_epoch):
        close(opened, engine)

    assert not noted(engine)


def test_a_flush_that_was_under_way_leaves_the_stop_clean(opened: Store, engine: Engine):
    under_way = dirty.peek(opened)
    close(opened, engine)

    flush._write(engine, under_way)

    restart_cleanly(opened)
    assert admit(opened, engine).finding is Finding.CLEAN


def test_what_is_carried_after_a_stop_that_was_noted_too_late_takes_the_note_back(
    opened: Store, engine: Engine
):
    drain(opened, engine, 5)
    old = state.look(opened)
    new_task(opened)
    with transaction(engine) as connection:
        meta.note_closed(connection, old.epoch, old.fingerprint())

    drain(opened, engine, 5)

    assert not noted(engine)
    assert closing.close(opened, engine)
    assert noted(engine)
