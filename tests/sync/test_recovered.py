"""What was left of each epoch, written down where every process can compare it with what it has seen."""

from taskapi.db import meta
from taskapi.db.engine import Engine, transaction
from taskapi.domain import failpoints
from taskapi.store import state, syncs
from taskapi.store.client import Store
from taskapi.store.state import EPOCH_SPAN
from taskapi.sync.admission import admit
from taskapi.sync.closing import close
from taskapi.sync.flush import drain
from taskapi.sync.judging import Finding
from tests.sync.conftest import new_task, restart, snapshot, turn_back
from tests.sync.test_admission import forget_everything, restart_cleanly
from tests.sync.test_flush import run_sql


def test_every_new_epoch_says_what_was_left(opened: Store, engine: Engine):
    last = new_task(opened).version
    restart(opened)

    admit(opened, engine)

    assert state.recovered(opened) == {1: 0, 2: last}


def test_a_clean_start_opens_no_epoch(opened: Store, engine: Engine):
    close(opened, engine)
    restart_cleanly(opened)

    admit(opened, engine)

    assert state.recovered(opened) == {1: 0}


def test_a_redis_that_lost_its_account_gets_it_again_from_postgresql(opened: Store, engine: Engine):
    first = new_task(opened).version
    drain(opened, engine, 5)
    new_task(opened)
    forget_everything(opened)
    admit(opened, engine)
    second = new_task(opened).version
    drain(opened, engine, 5)
    forget_everything(opened)

    admit(opened, engine)

    assert state.recovered(opened) == {1: 0, 2: first, 3: second}


def test_an_epoch_that_was_never_opened_counts_what_an_older_redis_still_has(opened: Store, engine: Engine):
    unsynced = new_task(opened).version
    old_disk = snapshot(opened)
    forget_everything(opened)
    admit(opened, engine)
    drain(opened, engine, 5)
    turn_back(opened, old_disk)

    admit(opened, engine)

    assert state.recovered(opened) == {1: 0, 2: unsynced, 3: unsynced}


def test_what_is_written_until_redis_is_closed_counts_as_left(opened: Store, engine: Engine):
    new_task(opened)
    drain(opened, engine, 5)
    run_sql(engine, "UPDATE meta SET commits = 0")
    later = []

    with failpoints.armed("admission.judged", lambda: later.append(new_task(opened).version)):
        assert admit(opened, engine, suspect=True).finding is Finding.WENT_BACK
    new_task(opened)

    assert state.recovered(opened)[2] == later[0]
    assert [loss.store for loss in syncs.losses_of(opened)] == ["postgresql"]


def test_a_hundred_epochs_are_kept(opened: Store, engine: Engine):
    with transaction(engine) as connection:
        found = meta.installation(connection)
        assert found
        meta.admit(connection, found.incarnation, 250)
    forget_everything(opened)

    admit(opened, engine)
    assert sorted(state.recovered(opened)) == list(range(152, 252))

    restart(opened)
    admit(opened, engine)
    kept = state.recovered(opened)
    assert sorted(kept) == list(range(153, 253))
    assert kept[252] == 251 * EPOCH_SPAN
