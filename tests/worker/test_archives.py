"""The jobs of backups."""

from dataclasses import replace
from datetime import datetime, time
from pathlib import Path
from typing import Any

import pytest
from celery import Celery

from taskapi.domain import clock
from taskapi.domain.clock import timestamp
from taskapi.embedded.servers import Servers
from taskapi.store import jobs
from taskapi.sync import archive, backup, daily, keeping
from taskapi.sync.archive import About
from tests.worker.test_jobs import make_group
from worker import archives, running
from worker.connections import broker, shelf
from worker.sync import flush


@pytest.fixture
def filled(app: Celery, tmp_path: Path) -> Celery:
    """An app with a group, and with a folder of its own for backups."""
    app.settings = replace(app.settings, backup_url=tmp_path.as_uri(), backup_keep=2)
    flush()
    make_group()
    return app


def test_a_backup_that_was_asked_for_is_good_and_told_of(filled: Celery) -> None:
    job = jobs.create(broker(), "backup")

    archives.asked(job_id=job.id)

    [made] = backup.backups(shelf())
    kept = jobs.get(broker(), job.id)
    assert kept
    assert (made.is_good, made.reason, kept.state) == (True, "asked", jobs.DONE)
    assert (kept.report["id"], kept.report["synced"]["groups"]) == (made.id, 1)
    assert set(kept.report["synced"]) == {"users", "groups", "credentials", "tasks", "files"}


def test_a_job_tells_how_far_it_is(filled: Celery, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "STEP_SECONDS", 0.0)
    told: list[float] = []
    update = jobs.update

    def listened(*args: Any) -> Any:
        told.append(args[3])
        return update(*args)

    monkeypatch.setattr(jobs, "update", listened)
    archives.asked(job_id=jobs.create(broker(), "backup").id)
    assert told == sorted(told)
    assert (told[0], told[-1], len(set(told)) > 4) == (0.0, 1.0, True)


def test_the_daily_backup_is_made_once_a_day_however_often_it_is_rung_for(filled: Celery) -> None:
    for _ in range(3):
        archives.daily()

    assert [each.reason for each in backup.backups(shelf())] == ["daily"]


def test_a_daily_backup_of_another_installation_does_not_count(filled: Celery, tmp_path: Path) -> None:
    own = keeping.new_id()
    about = About(own, timestamp(), "daily", "postgresql", "another", 1, 1, {})
    archive.write(tmp_path / f"{own}.taskapi", about, [])

    archives.daily()

    assert [each.reason for each in backup.backups(shelf()) if each.incarnation != "another"] == ["daily"]


def test_the_backup_of_a_day_is_made_by_one_worker_at_a_time(filled: Celery) -> None:
    assert jobs.take_turn(broker(), archives.TURN, 60)
    archives.daily()
    assert backup.backups(shelf()) == []
    jobs.end_turn(broker(), archives.TURN)
    archives.daily()
    assert len(backup.backups(shelf())) == 1


def test_old_backups_go(filled: Celery) -> None:
    ids = []
    for _ in range(3):
        job = jobs.create(broker(), "backup")
        ids.append(archives.asked(job_id=job.id)["id"])

    assert [each.id for each in backup.backups(shelf())] == ids[:0:-1]


def test_a_backup_is_verified_again_when_asked(filled: Celery) -> None:
    made = archives.asked(job_id=jobs.create(broker(), "backup").id)

    report = archives.verify(job_id=jobs.create(broker(), "verify").id, backup_id=made["id"])

    assert report["is_good"] is True
    assert report["verified_at"] >= made["verified_at"]


def test_a_backup_that_is_none_is_refused(filled: Celery) -> None:
    report = archives.verify(job_id=jobs.create(broker(), "verify").id, backup_id="nonsense")
    assert report["code"] == "not_found"


def test_without_postgresql_the_daily_backup_comes_from_redis_and_is_verified_later(
    filled: Celery, servers: Servers
) -> None:
    servers.stop("postgres")
    try:
        archives.daily()
    finally:
        servers.start("postgres")
    assert [(each.source, each.is_good) for each in backup.backups(shelf())] == [("redis", False)]

    archives.daily()

    assert [each.is_good for each in backup.backups(shelf())] == [True]


def test_one_that_cannot_be_verified_keeps_no_day_from_its_backup(filled: Celery, servers: Servers) -> None:
    servers.stop("postgres")
    try:
        archives.asked(job_id=jobs.create(broker(), "backup").id)
        archives.daily()
    finally:
        servers.start("postgres")
    assert [each.reason for each in backup.backups(shelf())] == ["daily", "asked"]


def test_a_shelf_that_cannot_be_written_is_told_and_changes_nothing(filled: Celery, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    filled.settings = replace(filled.settings, backup_url=(tmp_path / "file").as_uri())
    archives.daily()


@pytest.mark.parametrize(
    ("now", "passed"),
    [("2026-11-21T02:59:59+00:00", "2026-11-20"), ("2026-11-21T03:00:00+00:00", "2026-11-21")],
)
def test_a_day_begins_when_its_backup_is_due(now: str, passed: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now", lambda: datetime.fromisoformat(now))
    assert daily.last_passed(time(3)).isoformat() == f"{passed}T03:00:00+00:00"
