"""A Redis that came back with an older disk."""

from taskapi.db.engine import Engine
from taskapi.domain.callers import Claim
from taskapi.domain.clock import timestamp
from taskapi.domain.records import Credential
from taskapi.store import sessions, syncs
from taskapi.store.client import Store
from taskapi.sync.admission import admit
from taskapi.sync.flush import drain
from taskapi.sync.judging import Finding
from tests.sync.conftest import change, create_with_id, new_task, purge, restart, snapshot, turn_back
from tests.sync.test_admission import require_settled, tasks_in
from tests.sync.test_flush import run_sql, titles
from tests.sync.test_went_back import copy_aside, put_back


def test_a_session_that_had_ended_does_not_live_again(opened: Store, engine: Engine):
    sign_in(opened)
    old_disk = snapshot(opened)
    sessions.end(opened, Claim(1), 1)
    new_task(opened)
    drain(opened, engine, 5)
    turn_back(opened, old_disk)
    assert sessions.of_user(opened, 1)

    assert admit(opened, engine).finding is Finding.STALE

    assert opened.redis.keys("session*") == []


def test_sessions_go_on_after_a_restart_that_lost_nothing(opened: Store, engine: Engine):
    sign_in(opened)
    restart(opened)

    assert admit(opened, engine).finding is Finding.UNCLEAN

    assert len(sessions.of_user(opened, 1)) == 1


def test_what_postgresql_alone_has_is_brought_over_even_if_it_went_back_too(opened: Store, engine: Engine):
    purged = new_task(opened, title="purged")
    changed = new_task(opened, title="old")
    drain(opened, engine, 5)
    copy_aside(engine, "tasks")
    purge(opened, purged)
    drain(opened, engine, 5)
    sign_in(opened)
    old_disk = snapshot(opened)
    change(opened, changed, title="new")
    alone = new_task(opened, title="alone")
    drain(opened, engine, 5)
    run_sql(engine, "INSERT INTO old_tasks SELECT * FROM tasks WHERE title IN ('new', 'alone')")
    run_sql(engine, "DELETE FROM old_tasks WHERE title = 'old'")
    put_back(engine, "tasks")
    run_sql(engine, "TRUNCATE change")
    turn_back(opened, old_disk)

    verdict = admit(opened, engine)

    assert (verdict.finding, verdict.placed, verdict.buried) == (Finding.WENT_BACK, 2, 1)
    expected = {changed.id: "new", alone.id: "alone"}
    assert tasks_in(opened) == expected
    require_settled(opened, engine)
    assert titles(engine) == expected
    assert sessions.of_user(opened, 1) == []
    assert {loss["store"] for loss in syncs.history(opened).losses} == {"postgresql", "redis"}


def sign_in(store: Store) -> None:
    """User 1 has a session."""
    credential = create_with_id(store, Credential(password_hash="x", updated_at=timestamp()), 1)
    sessions.begin(store, Claim(1), 1, credential.version, 60, {})
