"""The jobs of restores."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from celery import Celery

from taskapi.db.errors import PostgresAway
from taskapi.domain import failpoints
from taskapi.services.owner import ensure_owner
from taskapi.store import checks, jobs
from taskapi.sync.backup import backups
from taskapi.sync.freezing import DECIDED
from tests.worker.test_jobs import make_group
from worker import archives, restores
from worker.connections import broker, settings, shelf, store
from worker.sync import flush


@pytest.fixture
def filled(app: Celery, tmp_path: Path) -> Celery:
    """An app with the owner and a group, and with a folder of its own for backups."""
    app.settings = replace(app.settings, backup_url=tmp_path.as_uri())
    flush()
    ensure_owner(store(), settings().owner_email, settings().owner_password)
    make_group()
    return app


def asked(job: Any, *, action: str = "restore", **options: Any) -> dict[str, Any]:
    """The report of a job that was asked for."""
    return dict(job(job_id=jobs.create(broker(), action).id, **options))


def groups() -> int:
    """How many there are in Redis."""
    return checks.record_counts(store())["groups"]


def test_a_rebuild_leaves_everything_as_it_was(filled: Celery) -> None:
    report = asked(restores.rebuild)
    assert (report["action"], report["archive"], groups()) == ("restore", None, 1)


def test_a_dry_run_tells_and_changes_nothing(filled: Celery) -> None:
    backup = asked(archives.asked)["id"]
    make_group()
    report = asked(restores.restore_backup, backup_id=backup, dry_run=True)
    assert (report["records"]["removed"]["groups"], groups()) == (1, 2)
    make_group()
    assert asked(restores.rebuild, dry_run=True)["unsynced"]["count"] == 1


def test_what_postgresql_lacks_goes_only_if_it_is_confirmed(filled: Celery) -> None:
    flush()
    make_group()
    plan = asked(restores.rebuild, dry_run=True)["unsynced"]
    wrong = asked(restores.rebuild, confirm=plan["count"] + 1, up_to=plan["up_to"])
    assert (wrong["code"], groups()) == ("conflict", 2)
    asked(restores.rebuild, confirm=plan["count"], up_to=plan["up_to"])
    assert groups() == 1


def test_going_back_and_taking_that_back(filled: Celery) -> None:
    backup = asked(archives.asked)["id"]
    make_group()

    report = asked(restores.restore_backup, backup_id=backup)
    assert (groups(), report["archive"]) == (1, backups(shelf())[0].id)
    asked(restores.undo, action="undo")
    assert groups() == 2


def test_a_restore_is_not_begun_again_by_a_message_that_came_twice(filled: Celery) -> None:
    backup = asked(archives.asked)["id"]
    job = jobs.create(broker(), "restore")
    restores.restore_backup(job_id=job.id, backup_id=backup)
    make_group()
    assert restores.restore_backup.apply(kwargs={"job_id": job.id, "backup_id": backup}).get() == {}
    assert groups() == 2


def test_the_owner_signs_in_as_the_settings_say_after_a_restore(filled: Celery) -> None:
    backup = asked(archives.asked)["id"]
    filled.settings = replace(filled.settings, owner_email="moved@example.org", owner_password="another one")
    ensure_owner(store(), "moved@example.org", "another one")
    asked(restores.restore_backup, backup_id=backup)
    assert b"moved@example.org" in store().redis.get("user:1")


def test_the_owner_is_not_discarded(app: Celery, tmp_path: Path) -> None:
    app.settings = replace(app.settings, backup_url=tmp_path.as_uri())
    flush()
    ensure_owner(store(), settings().owner_email, settings().owner_password)
    make_group()
    plan = asked(restores.rebuild, dry_run=True)["unsynced"]

    asked(restores.rebuild, confirm=plan["count"], up_to=plan["up_to"])

    assert (store().redis.exists("user:1", "credential:1"), groups()) == (2, 0)


def test_a_restore_that_is_decided_is_not_told_to_be_refused(filled: Celery) -> None:
    backup = asked(archives.asked)["id"]
    make_group()

    def lose_postgresql() -> None:
        raise PostgresAway("PostgreSQL is away.")

    with failpoints.armed("turning.committed", lose_postgresql):
        report = asked(restores.restore_backup, backup_id=backup)

    assert report["error"] == f"PostgreSQL is away. {DECIDED}"
    flush()
    assert groups() == 1


def test_the_owner_is_as_the_settings_say_when_an_admission_has_ended_a_restore(filled: Celery) -> None:
    backup = asked(archives.asked)["id"]
    filled.settings = replace(filled.settings, owner_email="moved@example.org")
    ensure_owner(store(), "moved@example.org", settings().owner_password)

    def die() -> None:
        raise PostgresAway("gone")

    with failpoints.armed("turning.committed", die):
        asked(restores.restore_backup, backup_id=backup)
    flush()
    assert b"moved@example.org" in store().redis.get("user:1")
