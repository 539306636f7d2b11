"""Input that is wrong is told so with a 4xx: never a 500, never taken as something else."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.api.conftest import PASSWORD, Person

JSON = {"Content-Type": "application/json"}


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        (b"", "not JSON"),
        (b"{", "not JSON"),
        (b'{"title": "x"} x', "not JSON"),
        (b"[]", "must be a JSON object"),
        (b'"x"', "must be a JSON object"),
        (b"null", "must be a JSON object"),
        (b"\xff\xfe", "not UTF-8"),
        (b'{"title": "\xff"}', "not UTF-8"),
        (b'{"title": "x", "title": "y"}', "twice"),
        (b'{"title": "x", "tags": [{"a": 1, "a": 1}]}', "twice"),
        (b'{"title": "x", "estimate_hours": NaN}', "NaN is not JSON"),
        (b'{"title": "x", "estimate_hours": -Infinity}', "-Infinity is not JSON"),
        (b'{"title": "x", "estimate_hours": 1e400}', "too large"),
        (b'{"title": "x", "estimate_hours": ' + b"9" * 5000 + b"}", "too large"),
        (b'{"title": "a\\u0000b"}', "U+0000"),
        (b'{"title": "x", "a\\u0000b": 1}', "U+0000"),
        (b'{"title": "\\ud800"}', "surrogate"),
        (b'{"title": "x", "\\udfff": 1}', "surrogate"),
        (b'{"title": "a\x01b"}', "not JSON"),
        (b'{"title":' + b"[" * 40 + b"]" * 40 + b"}", "deeper"),
        (b'{"title":' + b"[" * 100_000, "deeper"),
        (b'{"a":' * 33 + b"1" + b"}" * 33, "deeper"),
    ],
)
def test_json_that_is_not_sound_is_refused_and_says_why(user: Person, body: bytes, detail: str) -> None:
    answer = user.call("POST", "/tasks", data=body, headers=JSON)
    assert answer.status_code == 400
    assert answer.json["code"] == "malformed"
    assert detail in answer.json["detail"]


def test_json_as_deep_as_allowed_is_read(user: Person) -> None:
    body = b'{"title":' + b"[" * 31 + b"]" * 31 + b"}"
    assert user.call("POST", "/tasks", data=body, headers=JSON).json["code"] == "invalid"


@pytest.mark.parametrize(
    "media",
    [
        None,
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/json; charset=latin-1",
        "application/jsonp",
        "x",
        "/",
    ],
)
def test_another_media_type_is_415(user: Person, media: str | None) -> None:
    answer = user.call(
        "POST", "/tasks", data=b'{"title": "x"}', headers={"Content-Type": media} if media else {}
    )
    assert answer.status_code == 415


def test_a_compressed_body_is_415(user: Person) -> None:
    headers = JSON | {"Content-Encoding": "gzip"}
    assert user.call("POST", "/tasks", data=b"x", headers=headers).status_code == 415


def test_json_by_another_name_is_taken(user: Person) -> None:
    for media in ("application/json;charset=UTF-8", "application/merge-patch+json", "Application/JSON"):
        body = b'\xef\xbb\xbf{"title": "x"}'
        assert user.call("POST", "/tasks", data=body, headers={"Content-Type": media}).status_code == 201


def test_a_body_beyond_a_mebibyte_is_413(user: Person) -> None:
    body = b'{"title": "' + b"x" * 1024 * 1024 + b'"}'
    assert user.call("POST", "/tasks", data=body, headers=JSON).status_code == 413


class BrokenOff:
    """A connection that breaks off."""

    def read(self, *_: int) -> bytes:
        """Nothing more comes."""
        raise ConnectionResetError

    readline = readinto = read


@pytest.mark.parametrize(
    "media", ["application/json", "application/x-www-form-urlencoded", "multipart/form-data;boundary=x"]
)
def test_a_body_that_breaks_off_is_400(client: FlaskClient, media: str) -> None:
    cut = {"wsgi.input": BrokenOff(), "CONTENT_LENGTH": "9", "CONTENT_TYPE": media}
    answer = client.post("/login", environ_overrides=cut)
    assert (answer.status_code, answer.json["code"]) == (400, "bad_request")


BAD_TASKS: list[tuple[dict[str, Any], str]] = [
    ({}, "title"),
    ({"title": None}, "title"),
    ({"title": ""}, "title"),
    ({"title": "  \t "}, "title"),
    ({"title": 5}, "title"),
    ({"title": ["x"]}, "title"),
    ({"title": "x" * 201}, "title"),
    ({"title": "x", "status": 1}, "status"),
    ({"title": "x", "status": "true"}, "status"),
    ({"title": "x", "status": None}, "status"),
    ({"title": "x", "completed": "yes"}, "completed"),
    ({"title": "x", "completed": True, "status": False}, "completed"),
    ({"title": "x", "priority": 0}, "priority"),
    ({"title": "x", "priority": True}, "priority"),
    ({"title": "x", "priority": 1.0}, "priority"),
    ({"title": "x", "priority": "1"}, "priority"),
    ({"title": "x", "priority": "urgent"}, "priority"),
    ({"title": "x", "priority": None}, "priority"),
    ({"title": "x", "priority": []}, "priority"),
    ({"title": "x", "deadline": "2026-02-30"}, "deadline"),
    ({"title": "x", "deadline": "20260101"}, "deadline"),
    ({"title": "x", "deadline": "2026-01-01T00:00:00Z"}, "deadline"),
    ({"title": "x", "deadline": "\u0662026-01-01"}, "deadline"),
    ({"title": "x", "deadline": 20260101}, "deadline"),
    ({"title": "x", "due_date": "soon"}, "due_date"),
    ({"title": "x", "deadline": "2026-01-01", "due_date": "2026-01-02"}, "due_date"),
    ({"title": "x", "information": "x" * 10_001}, "information"),
    ({"title": "x", "description": 1}, "description"),
    ({"title": "x", "tags": "a"}, "tags"),
    ({"title": "x", "tags": ["a", 1]}, "tags"),
    ({"title": "x", "tags": ["a", None]}, "tags"),
    ({"title": "x", "tags": [""]}, "tags"),
    ({"title": "x", "tags": ["   "]}, "tags"),
    ({"title": "x", "tags": ["x" * 51]}, "tags"),
    ({"title": "x", "tags": [str(number) for number in range(21)]}, "tags"),
    ({"title": "x", "tags": {"a": 1}}, "tags"),
    ({"title": "x", "estimate_hours": -0.5}, "estimate_hours"),
    ({"title": "x", "estimate_hours": "2"}, "estimate_hours"),
    ({"title": "x", "estimate_hours": True}, "estimate_hours"),
    ({"title": "x", "estimate_hours": 10**20}, "estimate_hours"),
    ({"title": "x", "group_id": 0}, "group_id"),
    ({"title": "x", "group_id": 1.5}, "group_id"),
    ({"title": "x", "group_id": 2**53}, "group_id"),
    ({"title": "x", "group_id": 7}, "group_id"),
    ({"title": "x", "user_id": "1"}, "user_id"),
    ({"title": "x", "user_id": None}, "user_id"),
    ({"title": "x", "id": 9}, "id"),
    ({"title": "x", "version": 1}, "version"),
    ({"title": "x", "created_at": "2026-01-01T00:00:00Z"}, "created_at"),
    ({"title": "x", "deleted_at": None}, "deleted_at"),
    ({"title": "x", "unknown": 1}, "unknown"),
    ({"title": "x", "": 1}, ""),
]


@pytest.mark.parametrize(("sent", "field"), BAD_TASKS)
def test_a_task_that_cannot_be_is_refused_by_the_name_of_its_field(
    user: Person, sent: dict[str, Any], field: str
) -> None:
    answer = user.post("/tasks", sent)
    assert answer.status_code == 400
    assert answer.json["code"] == "invalid"
    assert list(answer.json["errors"]) == [field]


BAD_USERS: list[tuple[dict[str, Any], str]] = [
    ({"password": PASSWORD}, "full_name"),
    ({"full_name": "x"}, "password"),
    ({"full_name": "x", "password": "seven 7"}, "password"),
    ({"full_name": "x", "password": "x" * 257}, "password"),
    ({"full_name": "x", "password": 12345678}, "password"),
    ({"full_name": "x", "password": PASSWORD, "username": "ab"}, "username"),
    ({"full_name": "x", "password": PASSWORD, "username": "1abc"}, "username"),
    ({"full_name": "x", "password": PASSWORD, "username": "a@bc"}, "username"),
    ({"full_name": "x", "password": PASSWORD, "username": "abc\n"}, "username"),
    ({"full_name": "x", "password": PASSWORD, "username": "x" * 51}, "username"),
    ({"full_name": "x", "password": PASSWORD, "email": "nobody"}, "email"),
    ({"full_name": "x", "password": PASSWORD, "email": "a@b"}, "email"),
    ({"full_name": "x", "password": PASSWORD, "email": f"{'x' * 250}@b.example"}, "email"),
    ({"full_name": "x", "password": PASSWORD, "role": "king"}, "role"),
    ({"full_name": "x", "password": PASSWORD, "role": ["user"]}, "role"),
    ({"full_name": "x", "password": PASSWORD, "group_ids": [0]}, "group_ids"),
    ({"full_name": "x", "password": PASSWORD, "group_ids": 1}, "group_ids"),
    ({"full_name": "x", "password": PASSWORD, "group_ids": [99]}, "group_ids"),
    ({"full_name": "x", "password": PASSWORD, "work_times": {"Someday": 8}}, "work_times"),
    ({"full_name": "x", "password": PASSWORD, "work_times": {"Monday": 25}}, "work_times.Monday"),
    ({"full_name": "x", "password": PASSWORD, "work_times": {"Monday": True}}, "work_times.Monday"),
    ({"full_name": "x", "password": PASSWORD, "work_times": {"Monday": None}}, "work_times.Monday"),
    ({"full_name": "x", "password": PASSWORD, "work_times": []}, "work_times"),
    ({"full_name": "x", "password": PASSWORD, "requested_role": "owner"}, "requested_role"),
    ({"full_name": "x", "password": PASSWORD, "password_hash": "x"}, "password_hash"),
]


@pytest.mark.parametrize(("sent", "field"), BAD_USERS)
def test_a_user_that_cannot_be_is_refused_by_the_name_of_its_field(
    owner: Person, sent: dict[str, Any], field: str
) -> None:
    answer = owner.post("/users", sent)
    assert answer.status_code == 400
    assert list(answer.json["errors"]) == [field]


def test_null_clears_what_is_optional_and_nothing_else(user: Person) -> None:
    filled = {"deadline": "2026-01-01", "estimate_hours": 2, "information": "x", "tags": ["a"]}
    task = user.task(**filled)
    cleared = user.put(f"/tasks/{task['id']}", dict.fromkeys(filled)).json["data"]
    assert [cleared[name] for name in filled] == [None, None, "", []]


def test_text_is_kept_in_its_composed_form(user: Person) -> None:
    assert user.task(title="Cafe\u0301")["title"] == "Caf\u00e9"


def test_work_times_may_be_sent_bare_and_merge(user: Person) -> None:
    path = f"/users/{user.id}/worktimes"
    user.put(path, {"work_times": {"Friday": 4, "Monday": 8}})
    answer = user.put(path, {"Friday": 5.5})
    assert answer.json["data"] == {"user_id": user.id, "work_times": {"Monday": 8.0, "Friday": 5.5}}
