"""Files over HTTP: sent, listed, downloaded, removed; what is refused, and what each answer carries."""

from __future__ import annotations

import io
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from taskapi.outside.shelf import Shelf, open_shelf
from taskapi.services import durability, files
from tests.api.conftest import Person
from tests.outside.conftest import bucket_url, s3  # noqa: F401 - fixtures
from tests.outside.content.samples import PDF, PNG, REFUSED, TAKEN

FORM = "multipart/form-data"


@pytest.fixture(params=["folder", "bucket"])
def uploads(request: pytest.FixtureRequest, app: Flask, tmp_path: Any) -> Shelf:
    """The shelf of the app: a folder, or a bucket."""
    in_folder = request.param == "folder"
    url = str(tmp_path / "uploads") if in_folder else request.getfixturevalue("bucket_url")
    app.extensions["taskapi.uploads"] = shelf = open_shelf(url)
    return shelf


@pytest.fixture
def folder(app: Flask, tmp_path: Any) -> Shelf:
    """A folder as the shelf of the app."""
    app.extensions["taskapi.uploads"] = shelf = open_shelf(str(tmp_path / "uploads"))
    return shelf


def send(
    person: Person, task_id: int, content: bytes = b"hello", name: str = "a.txt", **more: Any
) -> TestResponse:
    """The answer to one upload."""
    form = {"file": (io.BytesIO(content), name, "image/x-lie")}
    return person.call("POST", f"/tasks/{task_id}/files", data=form, **more)


def sent(person: Person, task_id: int, content: bytes = b"hello", name: str = "a.txt") -> dict[str, Any]:
    """The file that has come of it."""
    answer = send(person, task_id, content, name)
    assert answer.status_code == 201, answer.json
    found: dict[str, Any] = answer.json["data"]
    return found


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
    assert headers["ETag"] == f'"{file["sha256"]}"'
    assert headers["Content-Disposition"] == (
        "attachment; filename=\"Groe _1_.docx\"; filename*=UTF-8''Gr%C3%B6%C3%9Fe%20_1_.docx"
    )


def test_who_has_it_is_told_so_and_who_only_asks_gets_no_body(user: Person, folder: Shelf) -> None:
    file = sent(user, user.task()["id"])
    known = user.get("/files/1", headers={"If-None-Match": f'"{file["sha256"]}"'})
    assert (known.status_code, known.data) == (304, b"")
    assert user.get("/files/1", headers={"If-None-Match": '"another"'}).status_code == 200
    head = user.call("HEAD", "/files/1")
    assert (head.status_code, head.data, head.headers["Content-Length"]) == (200, b"", "5")


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


@pytest.mark.parametrize("what", ["a page", "a program", "a bomb that lies", "a picture before an archive"])
def test_what_is_refused_leaves_nothing(user: Person, folder: Any, what: str) -> None:
    name, content = REFUSED[what]
    refused = send(user, user.task()["id"], content, name)
    assert (refused.status_code, refused.json["code"]) == (415, "unsupported_media_type")
    assert list(folder.path.iterdir()) == []


def test_the_type_is_that_of_the_content_and_the_name_has_no_path(user: Person, folder: Shelf) -> None:
    file = sent(user, user.task()["id"], PNG, "../../etc/gpj.\u202etxt")
    assert (file["content_type"], file["filename"]) == ("image/png", "gpj.txt")


def test_a_file_larger_than_the_limit_is_refused_by_its_number(user: Person, app: Flask, folder: Any) -> None:
    task_id, most = user.task()["id"], app.config["SETTINGS"].upload_max_bytes
    for told in (True, False):
        form = b"".join(part(b"a" * (most + 1)))
        answer = raw(user, task_id, form, told=told)
        assert (answer.status_code, answer.json["detail"]) == (413, f"A file may have {most} bytes at most.")
    assert raw(user, task_id, b"".join(part(b"a" * most))).status_code == 201
    assert [item.size for item in folder.items()] == [most]
    assert len(list(folder.path.iterdir())) == 1


def part(content: bytes, head: bytes = b'form-data; name="file"; filename="a.txt"') -> list[bytes]:
    """A form, in pieces."""
    return [b"--x\r\nContent-Disposition: " + head + b"\r\n\r\n", content, b"\r\n--x--\r\n"]


def raw(person: Person, task_id: int, form: bytes, *, told: bool = True) -> TestResponse:
    """The answer to that body; its length is `told`, or it comes in chunks."""
    ended = {} if told else {"wsgi.input_terminated": True, "HTTP_TRANSFER_ENCODING": "chunked"}
    return person.call(
        "POST",
        f"/tasks/{task_id}/files",
        input_stream=io.BytesIO(form),
        content_type=f"{FORM}; boundary=x",
        environ_overrides=ended,
    )


BROKEN: dict[str, tuple[bytes, int]] = {
    "nothing": (b"", 400),
    "no end": (b"".join(part(b"a"))[:-6], 400),
    "no form": (b"hello", 400),
    "no header": (b"--x\r\n\r\na\r\n--x--\r\n", 400),
    "no name": (b"".join(part(b"a", b"form-data; filename=a.txt")), 400),
    "a name in another encoding": (b"".join(part(b"a", b'form-data; name="file"; filename="\xff"')), 400),
    "a name of nothing": (b"".join(part(b"a", b'form-data; name="file"; filename="../"')), 400),
    "an empty form": (b"--x--\r\n", 400),
    "a header without an end": (b"--x\r\n" + b"a" * 200_000, 400),
    "an empty file": (b"".join(part(b"")), 400),
    "a field": (b"".join(part(b"a", b'form-data; name="file"')), 400),
    "another field": (b"".join(part(b"a", b'form-data; name="other"; filename="a.txt"')), 400),
    "two files": (b"".join(part(b"a")[:2]) + b"\r\n" + b"".join(part(b"b")), 400),
    "much behind it": (b"".join(part(b"a")) + b" " * 200_000, 400),
}


@pytest.mark.parametrize("what", BROKEN)
def test_a_form_that_is_none_is_refused_with_a_sentence(user: Person, folder: Any, what: str) -> None:
    form, status = BROKEN[what]
    answer = raw(user, user.task()["id"], form)
    assert answer.status_code == status, answer.json
    assert answer.json["code"] in ("malformed", "invalid")
    assert list(folder.path.iterdir()) == []


def test_what_is_no_form_is_another_media_type(user: Person, folder: Any) -> None:
    task_id = user.task()["id"]
    assert user.post(f"/tasks/{task_id}/files", {"file": "x"}).status_code == 415
    assert user.call("POST", f"/tasks/{task_id}/files", data=b"x", content_type=FORM).status_code == 415
    packed = {"Content-Encoding": "gzip"}
    assert send(user, task_id, headers=packed).status_code == 415


@pytest.mark.parametrize("how", ["silence", "a fault"])
def test_a_connection_that_breaks_off_leaves_nothing(user: Person, folder: Any, how: str) -> None:
    class Breaking:
        """Sends the half of a file."""

        said = [b"".join(part(b"a" * 1000))[:500]]  # noqa: RUF012 - gone with the test

        def read(self, *_: Any) -> bytes:
            if not self.said and how == "a fault":
                raise ConnectionResetError
            return self.said.pop() if self.said else b""

    told = {"wsgi.input": Breaking(), "CONTENT_LENGTH": "1100", "CONTENT_TYPE": f"{FORM}; boundary=x"}
    answer = user.call("POST", f"/tasks/{user.task()['id']}/files", environ_overrides=told)
    assert (answer.status_code, answer.json["detail"]) == (400, "The body did not arrive whole.")
    assert list(folder.path.iterdir()) == []


def test_the_right_is_asked_for_before_anything_is_kept(
    user: Person, other: Person, client: FlaskClient, folder: Any
) -> None:
    task_id = user.task()["id"]
    assert send(other, task_id).status_code == 404
    assert send(Person(client, {}, {}), task_id).status_code == 401
    assert send(user, task_id, query_string={"x": "1"}).status_code == 400
    assert not folder.path.exists()


def test_a_task_has_so_many_files_at_most(user: Person, folder: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "MOST_FILES", 2)
    task_id = user.task()["id"]
    key = {"Idempotency-Key": "last"}
    sent(user, task_id)
    assert send(user, task_id, headers=key).status_code == 201
    refused = send(user, task_id)
    assert (refused.status_code, refused.json["code"]) == (409, "conflict")
    assert send(user, task_id, headers={"Idempotency-Key": "new"}).status_code == 409
    assert send(user, task_id, headers=key).headers["Idempotency-Replayed"] == "true"
    assert len(list(folder.path.iterdir())) == 2
    user.delete("/files/1")
    assert send(user, task_id).status_code == 201


def test_bytes_that_somebody_has_taken_away_are_told(user: Person, folder: Shelf) -> None:
    sent(user, user.task()["id"], PDF, "a.pdf")
    folder.delete(folder.items()[0].name)
    answer = user.get("/files/1")
    assert (answer.status_code, answer.json["code"]) == (503, "unavailable")
    assert "/" not in answer.json["detail"]
    assert user.delete("/files/1").status_code == 200


def test_an_upload_can_be_waited_for(user: Person, folder: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[Any] = []
    monkeypatch.setattr(durability, "wait_until_committed", lambda _, written, __: waited.append(written))
    answer = send(user, user.task()["id"], headers={"Prefer": "durability=postgres"})
    assert answer.headers["Preference-Applied"] == "durability=redis"
    assert waited == [(f"file:1@{answer.json['data']['version']}",)]
