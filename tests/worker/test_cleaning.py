"""The clean-up jobs as they are rung: when due, by one worker at a time, noted, and cut short by no fault."""

import os
import threading
import time
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
from celery import Celery

from taskapi import cleaning
from taskapi.domain import clock
from taskapi.domain.callers import Claim
from taskapi.domain.clock import timestamp
from taskapi.domain.records import File, Task
from taskapi.embedded.servers import Servers
from taskapi.outside.items import DRAFT
from taskapi.services.owner import ensure_owner
from taskapi.store import cleanups, jobs, keys
from taskapi.store.plans import Change
from taskapi.store.records import save
from taskapi.store.scrub import differences
from taskapi.sync import backup
from taskapi.sync import uploads as collecting
from worker import cleaning as rung
from worker.connections import engine, shelf, store
from worker.schedule import CLEANUPS, beat_schedule
from worker.sync import flush


@pytest.fixture
def old(app: Celery, monkeypatch: pytest.MonkeyPatch) -> int:
    """How many tasks have been in the trash for 31 days."""
    flush()
    ensure_owner(store(), "o@example.org", "admin1234")
    now = timestamp()
    gone = Task(title="t", user_id=1, created_at=now, updated_at=now, deleted_at=now)
    save(store(), Claim(0), [Change(None, gone, "created")] * 100)
    later = clock.now() + timedelta(days=31)
    monkeypatch.setattr(clock, "now", lambda: later)
    return 100


def test_every_job_is_rung_each_hour_at_a_minute_of_its_own(app: Celery):
    table = beat_schedule(900.0)
    assert {name.removeprefix("cleanup.") for name in CLEANUPS} == set(cleaning.JOBS)
    assert all(name in app.tasks for name in CLEANUPS)
    minutes = [min(table[name]["schedule"].minute) for name in CLEANUPS]
    assert len(set(minutes)) == len(CLEANUPS)
    assert all(table[name]["schedule"].hour == set(range(24)) for name in CLEANUPS)


def test_two_workers_at_once_empty_the_trash_once(old: int, app: Celery):
    before = store().redis.xlen("journal")

    def ring_once() -> None:
        app.set_current()
        rung.trash()

    rings = [threading.Thread(target=ring_once) for _ in range(3)]
    for ring in rings:
        ring.start()
    for ring in rings:
        ring.join()
    assert store().redis.zcard(keys.TRASHED) == 0
    assert store().redis.xlen("journal") == before + old
    assert cleanups.last(store())["trash"]["removed"] == old
    assert differences(store()) == []


def test_it_rests_before_it_is_done_again(old: int, monkeypatch: pytest.MonkeyPatch):
    rung.trash()
    first = cleanups.last(store())
    rung.trash()
    assert cleanups.last(store()) == first
    later = clock.now() + timedelta(hours=1)
    monkeypatch.setattr(clock, "now", lambda: later)
    rung.trash()
    assert cleanups.last(store())["trash"]["removed"] == 0


def test_whoever_waits_for_a_turn_looks_again_whether_it_is_due(old: int, monkeypatch: pytest.MonkeyPatch):
    take = jobs.take_turn

    def late(*args: object) -> bool:
        cleanups.note(store(), "trash", 7)
        return bool(take(*args))  # type: ignore[arg-type]

    monkeypatch.setattr(jobs, "take_turn", late)
    rung.trash()
    assert cleanups.last(store())["trash"]["removed"] == 7
    assert store().redis.zcard(keys.TRASHED) == old


def test_while_postgresql_is_away_nothing_is_purged(old: int, servers: Servers):
    servers.stop("postgres")
    try:
        rung.trash()
    finally:
        servers.start("postgres")
    assert store().redis.zcard(keys.TRASHED) == old
    rung.trash()
    assert store().redis.zcard(keys.TRASHED) == 0


@pytest.fixture
def folders(app: Celery, tmp_path: Path) -> tuple[Path, Path]:
    """Where backups and uploads go."""
    found = (tmp_path / "backups", tmp_path / "uploads")
    urls = dict(zip(("backup_url", "upload_url"), (folder.as_uri() for folder in found), strict=True))
    app.settings = replace(app.settings, backup_keep=1, **urls)
    flush()
    return found


def test_backups_and_drafts_go_though_no_new_backup_is_made(folders: tuple[Path, Path]):
    made = [backup.back_up(store(), engine(), shelf()).id for _ in range(3)]
    left = [left_behind(folder) for folder in folders]

    rung.backups()
    rung.uploads()

    assert [each.id for each in backup.backups(shelf())] == [made[2]]
    assert not any(path.exists() for path in left)
    assert {name: each["removed"] for name, each in cleanups.last(store()).items()} == {
        "backups": 2,
        "uploads": 1,
    }


def test_a_job_of_the_day_rests_for_a_day(folders: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch):
    rung.uploads()
    done = cleanups.last(store())
    left = left_behind(folders[1])
    rung.uploads()
    assert cleanups.last(store()) == done
    later = clock.now() + timedelta(hours=24)
    monkeypatch.setattr(clock, "now", lambda: later)
    rung.uploads()
    assert cleanups.last(store())["uploads"]["removed"] == 1
    assert not left.exists()


def test_bytes_of_a_task_whose_time_in_the_trash_is_over_go_with_the_backups_that_name_them(
    old: int, folders: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
):
    bytes_of_it = folders[1] / f"1-{'0' * 64}"
    bytes_of_it.parent.mkdir()
    bytes_of_it.write_bytes(b"x")
    about = {"filename": "f", "content_type": "text/plain", "size": 1, "sha256": "0" * 64}
    live = Task(title="t", user_id=1, created_at=timestamp(), updated_at=timestamp())
    task = save(store(), Claim(0), [Change(None, live, "created")]).first.record
    file = File(task_id=task.id, user_id=1, created_at=timestamp(), **about)
    save(store(), Claim(0), [Change(None, file, "created")])
    backup.back_up(store(), engine(), shelf())
    save(store(), Claim(0), [Change(task, task.changed(deleted_at=clock.ago(40)), "deleted")])
    rung.trash()
    flush()
    assert bytes_of_it.exists()
    monkeypatch.setattr(collecting, "time", SimpleNamespace(time=lambda: 2**32))
    rung.uploads()
    assert bytes_of_it.exists()
    flush()
    pass_by(monkeypatch, timedelta(seconds=1))
    backup.back_up(store(), engine(), shelf())
    rung.backups()
    pass_by(monkeypatch, timedelta(hours=24))
    rung.uploads()
    assert not bytes_of_it.exists()


def pass_by(monkeypatch: pytest.MonkeyPatch, time: timedelta) -> None:
    """It is so much later from now on."""
    later = clock.now() + time
    monkeypatch.setattr(clock, "now", lambda: later)


def left_behind(folder: Path) -> Path:
    """A draft whose owner died two days ago."""
    folder.mkdir(exist_ok=True)
    draft = folder / f"{DRAFT}x"
    draft.write_bytes(b"half")
    two_days_ago = time.time() - 2 * 86_400
    os.utime(draft, (two_days_ago, two_days_ago))
    return draft


def test_each_job_notes_that_it_was_done(app: Celery, tmp_path: Path):
    app.settings = replace(app.settings, backup_url=tmp_path.as_uri(), upload_url=tmp_path.as_uri())
    flush()
    for name in CLEANUPS:
        app.tasks[name]()
    assert {name: each["removed"] for name, each in cleanups.last(store()).items()} == dict.fromkeys(
        cleaning.JOBS, 0
    )


def test_a_shelf_that_is_away_is_told_and_tried_again_later(app: Celery, tmp_path: Path):
    (tmp_path / "file").write_text("no folder")
    app.settings = replace(app.settings, backup_url=(tmp_path / "file").as_uri())
    flush()
    rung.backups()
    assert cleanups.last(store()) == {}
