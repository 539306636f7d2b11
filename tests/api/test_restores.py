"""What the owner sets in motion over HTTP: syncs, backups and restores, and how they are answered."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from taskapi.db.engine import connect as connect_postgres
from taskapi.outside.shelf import open_shelf
from taskapi.services.owner import ensure_owner
from taskapi.store import jobs
from taskapi.store.client import Store
from taskapi.sync.admission import admit
from taskapi.sync.backup import back_up
from tests.api.conftest import OWNER_PASSWORD, Person

WRONG = [
    ("action=force&dry_run=true", "dry_run"),
    ("action=backup&offline=true", "offline"),
    ("action=restore&confirm=3", "up_to"),
    ("action=restore&up_to=3", "confirm"),
    ("action=restore&confirm=-1&up_to=3", "confirm"),
    ("action=restore&dry_run=yes", "dry_run"),
    ("action=undo", "action"),
    ("action=force&wait=61", "wait"),
    ("", "action"),
]


def test_an_undo_has_no_dry_run(owner: Person) -> None:
    assert "dry_run" in owner.post("/admin/restore/undo?dry_run=true").json["errors"]


@pytest.mark.parametrize(("query", "field"), WRONG)
def test_what_cannot_be_meant_is_named(owner: Person, query: str, field: str) -> None:
    answer = owner.post(f"/admin/sync?{query}")
    assert answer.status_code == 400
    assert field in answer.json["errors"]


ASKED = [
    ("/admin/sync?action=force", "force"),
    ("/admin/sync?action=backup", "backup"),
    ("/admin/sync?action=restore", "restore"),
    ("/admin/sync?action=restore&confirm=1&up_to=9", "restore"),
    ("/admin/restore/undo", "undo"),
    ("/admin/backups/20261121T030000Z-00000000/verify", "verify"),
    ("/admin/backups/20261121T030000Z-00000000/restore", "restore"),
]


@pytest.mark.parametrize(("path", "action"), ASKED)
def test_each_becomes_a_job_that_can_be_followed(owner: Person, path: str, action: str) -> None:
    answer = owner.post(f"/v1{path}{'&' if '?' in path else '?'}wait=0")
    assert answer.status_code == 202
    told = answer.json["data"]
    assert (told["action"], told["state"], told["synced"], told["report"]) == (action, "queued", {}, {})
    job = owner.get(answer.headers["Location"]).json["data"]
    assert (job["id"], job["action"], job["progress"]) == (told["job_id"], action, 0.0)


SENT = {
    "/admin/sync?action=restore&dry_run=true": ("restore.rebuild", {"dry_run": True}),
    "/admin/sync?action=restore&offline=true&dry_run=false": ("restore.rebuild", {"offline": True}),
    "/admin/sync?action=restore&confirm=2&up_to=9": ("restore.rebuild", {"confirm": 2, "up_to": 9}),
    "/admin/backups/b/restore?dry_run=true": ("restore.backup", {"backup_id": "b", "dry_run": True}),
    "/admin/restore/undo?offline=true": ("restore.undo", {"offline": True}),
}


@pytest.mark.parametrize("path", SENT)
def test_a_worker_is_told_what_was_asked(app: Flask, owner: Person, path: str) -> None:
    sent = listened(app)
    owner.post(f"{path}&wait=0")
    [(name, options)] = sent
    told = {key: value for key, value in options.items() if key not in ("job_id", "expires")}
    assert (name, told) == SENT[path]


REFUSED = [("conflict", 409), ("full", 507), ("not_found", 404), ("unavailable", 503), ("", 503)]


@pytest.mark.parametrize(("code", "status"), REFUSED)
def test_what_a_worker_refuses_is_refused_with_its_own_status(
    app: Flask, owner: Person, code: str, status: int
) -> None:
    def refuse(_: str, job_id: str, **__: Any) -> None:
        report = {"error": "Not like this.", "code": code}
        jobs.update(app.extensions["taskapi.jobs"], job_id, jobs.FAILED, 0.0, report)

    listened(app, refuse)
    answer = owner.post("/admin/sync?action=restore")
    assert (answer.status_code, answer.json["detail"]) == (status, "Not like this.")


def listened(app: Flask, act: Callable[..., None] | None = None) -> list[tuple[str, dict[str, Any]]]:
    """What would be sent to the workers; `act` is done in their place."""
    sent: list[tuple[str, dict[str, Any]]] = []

    def send_job(name: str, **options: Any) -> None:
        sent.append((name, options))
        if act:
            act(name, **options)

    app.extensions["taskapi.api"] = dataclasses.replace(app.extensions["taskapi.api"], send_job=send_job)
    return sent


@pytest.fixture
def shelf(app: Flask, data: Store, database_url: str, tmp_path: Path) -> list[str]:
    """The names of three backups, oldest first."""
    app.extensions["taskapi.archives"] = dataclasses.replace(
        app.extensions["taskapi.archives"], url=tmp_path.as_uri()
    )
    engine = connect_postgres(database_url)
    data.redis.flushdb()
    admit(data, engine)
    ensure_owner(data, "admin@example.org", OWNER_PASSWORD)
    made = [back_up(data, engine, open_shelf(tmp_path.as_uri())).id for _ in range(3)]
    engine.dispose()
    return made


def test_the_backups_are_listed_newest_first_and_page_by_page(shelf: list[str], owner: Person) -> None:
    answer = owner.get("/admin/backups?per_page=2").json["data"]
    assert [each["id"] for each in answer["backups"]] == shelf[:0:-1]
    assert (answer["count"], answer["total"], answer["next_cursor"]) == (2, 3, shelf[1])
    assert owner.get(f"/admin/backups?cursor={shelf[1]}").json["data"]["backups"][0]["id"] == shelf[0]
    rest = owner.get("/admin/backups?per_page=2&page=2").json["data"]
    assert ([each["id"] for each in rest["backups"]], rest["next_cursor"]) == (shelf[:1], None)


def test_one_backup_tells_what_the_document_says(shelf: list[str], owner: Person) -> None:
    told = owner.get(f"/v1/admin/backups/{shelf[0]}").json["data"]
    assert (told["id"], told["is_good"], told["source"]) == (shelf[0], True, "postgresql")
    schemas = owner.get("/openapi.json").json["components"]["schemas"]
    assert set(told) == set(schemas["BackupOut"]["properties"])
    assert owner.get("/admin/backups/nonsense").status_code == 404
    assert owner.get("/admin/backups/20261121T030000Z-00000000").status_code == 404
