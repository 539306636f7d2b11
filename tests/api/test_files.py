"""Files over HTTP: sent, listed, downloaded, removed; and what each answer carries."""

from __future__ import annotations

import socket
import time
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask

from taskapi import create_app
from taskapi.config import Settings
from taskapi.outside import bucket
from taskapi.outside.shelf import Shelf, open_shelf
from taskapi.services import durability
from tests.api.conftest import Person
from tests.api.files import send, sent
from tests.outside.conftest import bucket_url, s3, use  # noqa: F401 - fixtures
from tests.outside.content.samples import PDF, PNG, TAKEN


@pytest.fixture(params=["folder", "bucket"])
def uploads(request: pytest.FixtureRequest, app: Flask, tmp_path: Any) -> Shelf:
    """The shelf of the app: a folder, or a bucket."""
    in_folder = request.param == "folder"
    url = str(tmp_path / "uploads") if in_folder else request.getfixturevalue("bucket_url")
    app.extensions["taskapi.uploads"] = shelf = open_shelf(url)
    return shelf


def test_a_file_goes_up_and_comes_back_as_it_was(user: Person, uploads: Shelf) -> None:
    task_id = user.task()["id"]
    content, content_type = TAKEN["a.docx"]

    made = send(user, task_id, content, "Größe *1*.docx")

    assert (made.status_code, made.headers["Location"]) == (201, "/files/1")
    file = made.json["data"]
    assert file | {"created_at": "", "version": 0, "sha256": ""} == {
        "id": 1,
        "task_id": task_id,
        "filename": "Größe _1_.docx",
        "content_type": content_type,
        "size": len(content),
        "sha256": "",
        "user_id": user.id,
        "created_at": "",
        "version": 0,
    }
    assert [item.name for item in uploads.items()] == [f"1-{file['sha256']}"]
    back = user.get("/v1/files/1")
    assert (back.status_code, back.data) == (200, content)
    headers = back.headers
    assert headers["Content-Type"] == content_type
    assert headers["Content-Length"] == str(len(content))
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert headers["ETag"] == f'"{file["version"]}"'
    assert headers["Accept-Ranges"] == "none"
    assert headers["Content-Disposition"] == (
        "attachment; filename=\"Gr__e _1_.docx\"; filename*=UTF-8''Gr%C3%B6%C3%9Fe%20_1_.docx"
    )


def test_who_has_it_is_told_so_and_who_only_asks_gets_no_body(user: Person, folder: Shelf) -> None:
    file = sent(user, user.task()["id"])
    known = user.get("/files/1", headers={"If-None-Match": f'"{file["version"]}"'})
    assert (known.status_code, known.data) == (304, b"")
    assert user.get("/files/1", headers={"If-None-Match": '"another"'}).status_code == 200
    head = user.call("HEAD", "/files/1")
    assert (head.status_code, head.data, head.headers["Content-Length"]) == (200, b"", "5")


def test_the_tag_of_a_download_is_one_for_if_match(user: Person, folder: Shelf) -> None:
    sent(user, user.task()["id"])
    tag = user.get("/files/1").headers["ETag"]
    assert user.delete("/files/1", headers={"If-Match": tag}).status_code == 200


@pytest.mark.parametrize(
    "name", ["a.éxe", "a.\uff42\uff41t", "\uff0f\uff0e\uff0e\uff0fa.txt", "\u2100.txt", "é.bashrc"]
)
def test_no_letter_turns_into_an_ending_or_a_path_for_old_clients(
    user: Person, folder: Shelf, name: str
) -> None:
    sent(user, user.task()["id"], name=name)
    plain = user.get("/files/1").headers["Content-Disposition"].split('"')[1]
    assert not {"/", "\\"} & set(plain)
    assert not plain.endswith((".exe", ".bat"))
    assert not plain.startswith(".")


def test_the_files_of_a_task_are_listed_in_pages(user: Person, folder: Shelf) -> None:
    task_id, other = user.task()["id"], user.task()["id"]
    for number in range(5):
        sent(user, task_id, name=f"{number}.txt")
    sent(user, other)
    first = user.get(f"/tasks/{task_id}/files?per_page=2").json["data"]
    assert ([file["filename"] for file in first["files"]], first["count"], first["total"]) == (
        ["0.txt", "1.txt"],
        2,
        5,
    )
    rest = user.get(f"/tasks/{task_id}/files?per_page=9&cursor={first['next_cursor']}&fields=id").json["data"]
    assert (rest["files"], rest["next_cursor"]) == ([{"id": 3}, {"id": 4}, {"id": 5}], None)
    assert user.get(f"/tasks/{other}/files").json["data"]["total"] == 1


def test_a_removed_file_is_gone_and_so_are_those_of_a_purged_task(user: Person, folder: Shelf) -> None:
    task_id = user.task()["id"]
    file, kept = sent(user, task_id), sent(user, task_id)
    stale = user.delete(f"/files/{file['id']}", headers={"If-Match": '"5"'})
    assert stale.status_code == 412
    gone = user.delete(f"/files/{file['id']}", headers={"If-Match": f'"{file["version"]}"'})
    assert gone.json["data"] == {"id": file["id"], "deleted": True}
    assert user.get(f"/files/{file['id']}").status_code == 404
    assert user.delete(f"/files/{file['id']}").status_code == 404
    user.delete(f"/tasks/{task_id}")
    assert user.get(f"/files/{kept['id']}").status_code == 404
    user.post(f"/tasks/{task_id}/restore")
    assert user.get(f"/files/{kept['id']}").data == b"hello"
    user.delete(f"/tasks/{task_id}?permanent=true")
    assert user.get(f"/files/{kept['id']}").json["detail"] == f"There is no file {kept['id']}."


def test_a_repeated_upload_is_kept_once(user: Person, folder: Shelf) -> None:
    task_id = user.task()["id"]
    key = {"Idempotency-Key": "once"}
    first = send(user, task_id, headers=key)
    again = send(user, task_id, headers=key)
    assert (again.status_code, again.json) == (201, first.json)
    assert again.headers["Idempotency-Replayed"] == "true"
    assert again.headers["Location"] == "/files/1"
    for other in ({"content": b"other"}, {"name": "b.txt"}):
        assert send(user, task_id, headers=key, **other).status_code == 409
    assert len(folder.items()) == 1
    assert user.get(f"/tasks/{task_id}/files").json["data"]["total"] == 1
    user.delete(f"/tasks/{task_id}")
    assert send(user, task_id, headers=key).status_code == 404


def test_the_type_is_that_of_the_content_and_the_name_has_no_path(user: Person, folder: Shelf) -> None:
    file = sent(user, user.task()["id"], PNG, "../../etc/gpj.\u202etxt")
    assert (file["content_type"], file["filename"]) == ("image/png", "gpj.txt")


def test_bytes_that_somebody_has_taken_away_are_told(user: Person, folder: Shelf) -> None:
    sent(user, user.task()["id"], PDF, "a.pdf")
    folder.delete(folder.items()[0].name)
    answer = user.get("/files/1")
    assert (answer.status_code, answer.json["code"]) == (503, "unavailable")
    assert "/" not in answer.json["detail"]
    assert user.delete("/files/1").status_code == 200


@pytest.mark.parametrize("left", [b"", b"hel", b"hello world"])
def test_bytes_that_are_more_or_fewer_than_they_were_are_told(user: Person, folder: Any, left: bytes) -> None:
    sent(user, user.task()["id"])
    (folder.path / folder.items()[0].name).write_bytes(left)
    assert user.get("/files/1").status_code == 503


def test_a_bucket_that_hangs_keeps_no_thread_for_long(
    user: Person, folder: Shelf, plain_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent(user, user.task()["id"])
    monkeypatch.setattr("taskapi.factory.SERVING_SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        use(f"http://127.0.0.1:{silent.getsockname()[1]}", monkeypatch)
        app = create_app(replace(plain_settings, upload_url="s3://some/where"))
        begun = time.monotonic()
        answer = Person(app.test_client(), user.headers, user.user).get("/files/1")
        app.extensions["taskapi.api"].bell.stop()
    assert (answer.status_code, time.monotonic() - begun < 0.2 * bucket.REQUEST_SECONDS) == (503, True)


def test_an_upload_can_be_waited_for(user: Person, folder: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[Any] = []
    monkeypatch.setattr(durability, "wait_until_committed", lambda _, written, __: waited.append(written))
    answer = send(user, user.task()["id"], headers={"Prefer": "durability=postgres"})
    assert answer.headers["Preference-Applied"] == "durability=redis"
    assert waited == [(f"file:1@{answer.json['data']['version']}",)]
