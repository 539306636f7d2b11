"""The log of each day, as the worker writes it."""

from datetime import timedelta

import pytest
from celery import Celery
from sqlalchemy import text
from structlog.testing import capture_logs

from taskapi.db.engine import transaction
from taskapi.domain import clock
from taskapi.domain.callers import Claim
from taskapi.domain.records import Task, User
from taskapi.store import state
from taskapi.store.plans import Change
from taskapi.store.records import save
from taskapi.sync.admission import admit
from taskapi.sync.flush import drain
from worker import housekeeping
from worker.connections import engine, store
from worker.schedule import beat_schedule


def test_it_is_rung_every_ten_minutes(app: Celery) -> None:
    assert beat_schedule(900.0)["housekeeping.task_log"]["schedule"] == 600.0
    assert "housekeeping.task_log" in app.tasks


def test_the_day_before_is_written_once(app: Celery, monkeypatch: pytest.MonkeyPatch) -> None:
    admit(store(), engine())
    now = clock.timestamp()
    user = User(full_name="Ada", created_at=now, updated_at=now)
    save(store(), Claim(0), [Change(None, user, "created", "1")])
    task = Task(title="t", user_id=1, created_at=now, updated_at=now)
    save(store(), Claim(0), [Change(None, task, "created")])
    drain(store(), engine(), 5)
    tomorrow = clock.now() + timedelta(days=1)
    monkeypatch.setattr(clock, "now", lambda: tomorrow)
    with capture_logs() as logs:
        for _ in range(2):
            housekeeping.task_log()
    assert [(line["event"], line["entries"]) for line in logs] == [("wrote the log of days", 1)]
    with transaction(engine()) as connection:
        assert connection.scalar(text("SELECT count(*) FROM task_log")) == 1


def test_while_a_store_is_away_it_says_so(app: Celery) -> None:
    admit(store(), engine())
    state.close(store())
    with capture_logs() as logs:
        housekeeping.task_log()
    assert [line["event"] for line in logs] == ["the log of the day could not be written"]
