"""A Redis that came back with an older disk."""

from taskapi.db.engine import Engine
from taskapi.domain.callers import Claim
from taskapi.domain.clock import timestamp
from taskapi.domain.records import Credential
from taskapi.store import sessions
from taskapi.store.client import Store
from taskapi.sync.admission import admit
from taskapi.sync.flush import drain
from taskapi.sync.judging import Finding
from tests.sync.conftest import create_with_id, new_task, restart, snapshot, turn_back


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


def sign_in(store: Store) -> None:
    """User 1 has a session."""
    credential = create_with_id(store, Credential(password_hash="x", updated_at=timestamp()), 1)
    sessions.begin(store, Claim(1), 1, credential.version, 60, {})
