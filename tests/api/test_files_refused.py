"""Uploads that are refused: with a sentence, and without leaving anything."""

from __future__ import annotations

import errno
import os
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from taskapi.services import files
from tests.api.conftest import Person
from tests.api.files import FORM, part, raw, send, sent
from tests.outside.content.samples import REFUSED


@pytest.mark.parametrize("what", ["a page", "a program", "a bomb that lies", "a picture before an archive"])
def test_what_is_refused_leaves_nothing(user: Person, folder: Any, what: str) -> None:
    name, content = REFUSED[what]
    refused = send(user, user.task()["id"], content, name)
    assert (refused.status_code, refused.json["code"]) == (415, "unsupported_media_type")
    assert list(folder.path.iterdir()) == []


def test_a_file_larger_than_the_limit_is_refused_by_its_number(user: Person, app: Flask, folder: Any) -> None:
    task_id, most = user.task()["id"], app.config["SETTINGS"].upload_max_bytes
    for told in (True, False):
        form = b"".join(part(b"a" * (most + 1)))
        answer = raw(user, task_id, form, told=told)
        assert (answer.status_code, answer.json["detail"]) == (413, f"A file may have {most} bytes at most.")
    assert raw(user, task_id, b"".join(part(b"a" * most))).status_code == 201
    assert [item.size for item in folder.items()] == [most]
    assert len(list(folder.path.iterdir())) == 1


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


@pytest.mark.parametrize(("fault", "status"), [(errno.ENOSPC, 507), (errno.EACCES, 503), (errno.ENOENT, 503)])
def test_a_shelf_that_cannot_take_a_file_does_not_tell_where_it_is(
    user: Person, shared_app: Flask, monkeypatch: pytest.MonkeyPatch, fault: int, status: int
) -> None:
    def fails(_: Any) -> None:
        raise OSError(fault, os.strerror(fault))

    monkeypatch.setattr("taskapi.outside.folder._sync", fails)
    answer = send(user, user.task()["id"])
    assert answer.status_code == status
    assert "/" not in answer.json["detail"]


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
