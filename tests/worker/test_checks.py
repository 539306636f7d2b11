"""The nightly check: once, whoever rings it, with its report kept."""

import threading
from datetime import datetime, time, timedelta

import pytest
from celery import Celery

from taskapi.domain import clock
from taskapi.embedded.servers import Servers
from taskapi.store import comparisons, jobs
from taskapi.sync import auditing
from tests.worker.test_jobs import make_group
from worker.checks import compare
from worker.connections import broker, store
from worker.schedule import beat_schedule
from worker.sync import flush


def kept_jobs() -> list[jobs.Job]:
    return [job for job in jobs.newest(broker(), 0, 10)[0] if job.action == "compare"]


def test_it_puts_right_and_keeps_its_report(app: Celery):
    flush()
    make_group()
    store().redis.hset("counts:all", "0:1", "7")

    compare()

    (job,) = kept_jobs()
    assert (job.state, job.progress) == (jobs.DONE, 1.0)
    assert job.report["repaired"] == ["counts:all: 0:1 is 7 and should be absent. (put right)"]
    assert (job.report["equal"], job.report["sound"], job.report["exact"]) == (True, True, True)
    last = comparisons.last(store())
    assert last is not None
    assert (last["repaired"], last["left"], last["at"]) == (1, 0, job.report["at"])


def test_two_at_once_and_two_beats_do_it_once(app: Celery):
    flush()
    broker()  # threads of a test do not know the app: what they speak to is made before
    rings = [threading.Thread(target=compare) for _ in range(3)]
    for ring in rings:
        ring.start()
    for ring in rings:
        ring.join()
    compare()
    assert len(kept_jobs()) == 1


def test_the_next_night_it_is_done_again(app: Celery, monkeypatch: pytest.MonkeyPatch):
    flush()
    compare()
    tomorrow = clock.now() + timedelta(hours=24)
    monkeypatch.setattr(clock, "now", lambda: tomorrow)
    compare()
    assert len(kept_jobs()) == 2


def test_while_a_store_is_away_it_is_not_done(app: Celery, servers: Servers, monkeypatch: pytest.MonkeyPatch):
    flush()
    servers.stop("postgres")
    try:
        compare()
    finally:
        servers.start("postgres")
    assert kept_jobs() == []


def test_one_that_is_cut_short_has_failed_and_may_be_done_again(app: Celery, monkeypatch: pytest.MonkeyPatch):
    flush()
    store().redis.hset("counts:all", "0:1", "7")
    store().redis.hset("meta", "state", "closed")
    with monkeypatch.context() as patch:
        patch.setattr(auditing, "catch_up", lambda *_: None)
        compare()
    store().redis.hset("meta", "state", "ready")
    compare()
    assert [job.state for job in kept_jobs()] == [jobs.DONE, jobs.FAILED]


def test_it_is_rung_an_hour_after_the_backup():
    entry = beat_schedule(900.0, time(23, 30))["sync.compare"]
    due = entry["schedule"].remaining_delta(datetime(2026, 1, 1, 23, 30, tzinfo=clock.now().tzinfo))[1]
    assert entry["schedule"].hour == {0}
    assert entry["schedule"].minute == {30}
    assert due
