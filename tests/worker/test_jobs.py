"""The worker's jobs, on the real stores."""

import time
from dataclasses import replace
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from celery import Celery

from taskapi.config import Settings
from taskapi.db import queries
from taskapi.domain.callers import Claim
from taskapi.domain.clock import timestamp
from taskapi.domain.errors import Conflict
from taskapi.domain.progress import Progress
from taskapi.domain.records import Group
from taskapi.embedded.servers import Servers
from taskapi.store import dirty, heartbeats, jobs, state, syncs
from taskapi.store.plans import Change
from taskapi.store.records import save
from worker import connections, housekeeping
from worker import sync as jobs_of_sync
from worker.connections import broker, engine, store
from worker.running import carry_out
from worker.schedule import beat_schedule
from worker.sync import flush, force, sweep


def make_group() -> None:
    group = Group(name=f"Team {time.time_ns()}", created_at=timestamp(), updated_at=timestamp())
    save(store(), Claim(1), [Change(None, group, "created")])


def groups_in_postgres() -> int:
    return queries.record_counts(engine())["group"]


def test_the_first_flush_admits_redis_and_the_next_carries(app: Celery):
    flush()
    assert state.look(store()).is_ready
    make_group()

    flush()

    assert groups_in_postgres() == 1
    assert dirty.count(store()) == 0


def test_a_flush_twice_changes_nothing(app: Celery):
    flush()
    make_group()
    flush()
    flush()

    assert groups_in_postgres() == syncs.history(store()).rows_synced == 1


def test_a_sweep_tries_again_what_was_refused_and_counts_even_if_it_finds_nothing(app: Celery):
    flush()
    sweep()
    assert syncs.history(store()).sync_count == 1
    make_group()
    dirty.quarantine(store(), dirty.peek(store()).marks, "a test")
    flush()
    assert groups_in_postgres() == 0

    sweep()

    assert groups_in_postgres() == 1


def test_a_forced_sync_keeps_its_report(app: Celery):
    flush()
    make_group()
    job = jobs.create(broker(), "force")

    force(job_id=job.id)

    kept = jobs.get(broker(), job.id)
    assert kept
    assert (kept.state, kept.progress, kept.is_over) == (jobs.DONE, 1.0, True)
    assert (kept.report["synced"], kept.report["pending_changes"]) == ({"groups": 1}, 0)


def test_a_fault_that_nobody_foresaw_ends_the_job(app: Celery, monkeypatch: pytest.MonkeyPatch):
    def break_down(*_: object) -> None:
        raise LookupError("secret")

    job = jobs.create(broker(), "force")
    monkeypatch.setattr(jobs_of_sync, "forced", break_down)

    app.tasks["sync.force"].apply(kwargs={"job_id": job.id})

    kept = jobs.get(broker(), job.id)
    assert kept
    assert kept.state == jobs.FAILED
    assert "(LookupError)" in kept.report["error"]
    assert "secret" not in kept.report["error"]


def test_a_job_that_is_done_once_is_not_done_again_by_a_message_that_came_twice(app: Celery):
    done: list[str] = []

    def work(progress: Progress) -> dict[str, Any]:
        progress(0.5)
        done.append("once")
        return {"action": "restore"}

    job = jobs.create(broker(), "restore")
    assert carry_out(job.id, work, once=True)["action"] == "restore"
    assert carry_out(job.id, work, once=True) == {}
    assert done == ["once"]


def test_a_refusal_is_kept_with_its_code(app: Celery):
    def refuse(_: Progress) -> dict[str, Any]:
        raise Conflict("not now")

    job = jobs.create(broker(), "restore")
    carry_out(job.id, refuse)
    kept = jobs.get(broker(), job.id)
    assert kept
    assert (kept.state, kept.report) == (jobs.FAILED, {"error": "not now", "code": "conflict"})


def test_a_job_goes_on_and_is_told_when_the_broker_is_back(app: Celery, servers: Servers):
    def work(progress: Progress) -> dict[str, Any]:
        servers.stop("broker")
        progress(0.5)
        return {"rows": 1}

    flush()  # connects here, in the thread that has the app
    waiting = Thread(target=carry_out, args=(jobs.create(broker(), "backup").id, work))
    waiting.start()
    time.sleep(0.5)
    servers.start("broker")
    waiting.join()

    [kept], _ = jobs.newest(broker(), 0, 1)
    assert (kept.state, kept.report["rows"]) == (jobs.DONE, 1)


def test_a_job_whose_worker_fell_silent_has_failed(app: Celery, monkeypatch: pytest.MonkeyPatch):
    job = jobs.create(broker(), "restore")
    assert jobs.begin(broker(), job.id, "this")
    monkeypatch.setattr(jobs, "SILENT_SECONDS", 0)
    kept = jobs.get(broker(), job.id)
    assert kept
    assert (kept.state, kept.report["code"]) == (jobs.FAILED, "unavailable")


def test_one_at_a_time_has_its_turn(app: Celery):
    assert jobs.take_turn(broker(), "backup.daily", 60)
    assert not jobs.take_turn(broker(), "backup.daily", 60)
    jobs.end_turn(broker(), "backup.daily")
    assert jobs.take_turn(broker(), "backup.daily", 60)


def test_with_postgresql_away_jobs_wait_for_the_next_ring(app: Celery, servers: Servers):
    flush()
    make_group()
    job = jobs.create(broker(), "force")
    servers.stop("postgres")
    try:
        flush()
        sweep()
        force(job_id=job.id)
    finally:
        servers.start("postgres")

    kept = jobs.get(broker(), job.id)
    assert kept
    assert kept.state == jobs.FAILED
    assert "PostgreSQL is away" in kept.report["error"]
    flush()
    assert groups_in_postgres() == 1


def test_every_entry_of_the_beat_is_a_job(app: Celery):
    app.loader.import_default_modules()
    for entry in beat_schedule(900.0).values():
        assert entry["task"] in app.tasks


def test_the_heartbeat_shows_the_worker_and_the_beat(app: Celery):
    assert not heartbeats.alive(broker()).is_running
    housekeeping.heartbeat()
    assert heartbeats.alive(broker()).is_running


class Sender:
    def __init__(self, hostname: str) -> None:
        self.hostname = hostname


class Heart:
    def __init__(self, hostname: str) -> None:
        self.eventer = Sender(hostname)


def test_each_worker_gives_its_own_sign(app: Celery, servers: Servers):
    housekeeping.note_worker(Sender("celery@a"))
    housekeeping.note_worker(Heart("celery@b"))
    assert heartbeats.alive(broker()).workers == ("celery@a", "celery@b")

    servers.kill("broker")
    try:
        housekeeping.note_worker(Sender("celery@a"))
    finally:
        servers.start("broker")


def test_a_forked_process_makes_its_own_connections(app: Celery):
    before = (store(), broker(), engine())
    connections.forget()
    assert all(old is not new for old, new in zip(before, (store(), broker(), engine()), strict=True))
    before[2].dispose()


def test_a_worker_that_is_not_told_where_the_servers_are_says_what_to_set(settings: Settings, tmp_path: Path):
    lost = replace(settings, broker_url=None, taskapi_home=tmp_path)
    with pytest.raises(SystemExit, match="broker"):
        connections.addresses_of(lost)


def test_celery_takes_json_only_and_gives_a_dead_workers_job_to_another(app: Celery):
    assert app.conf.accept_content == ["json"]
    assert app.conf.task_acks_late
    assert app.conf.task_reject_on_worker_lost
    with pytest.raises(KeyError):
        app.tasks["no.such.job"]
