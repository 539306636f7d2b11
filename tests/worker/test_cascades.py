"""The job that goes on with large cascades."""

import pytest
from celery import Celery

from taskapi.domain.callers import Claim
from taskapi.domain.clock import timestamp
from taskapi.domain.records import Task, User
from taskapi.domain.rights import Right
from taskapi.services import cascades, users
from taskapi.services.owner import ensure_owner
from taskapi.store import leaving
from taskapi.store.plans import Change
from taskapi.store.records import save
from taskapi.store.scrub import differences
from worker import housekeeping
from worker.connections import store
from worker.sync import flush


def test_a_large_cascade_is_finished_by_the_worker(app: Celery, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(cascades, "MOST_AT_ONCE", 2)
    flush()
    ensure_owner(store(), "o@example.org", "admin1234")
    now = timestamp()
    user = save(
        store(), Claim(0), [Change(None, User(full_name="Ada", created_at=now, updated_at=now), "created")]
    ).first
    task = Task(title="t", user_id=user.id, created_at=now, updated_at=now)
    save(store(), Claim(0), [Change(None, task, "created")] * 5)
    users.delete_user(store(), Claim(1, Right.DELETE_USER), user.id)
    assert leaving.accounts(store())

    housekeeping.cascades()
    housekeeping.cascades()

    assert leaving.accounts(store()) == {}
    assert differences(store()) == []
    flush()


def test_a_redis_that_is_closed_is_left_for_later(app: Celery):
    flush()
    store().redis.hset("meta", "state", "closed")
    store().redis.hset("leaving", "user:1", '{"way":"gone","at":"t","actor":1,"request_id":"-"}')
    housekeeping.cascades()
    assert leaving.accounts(store())
