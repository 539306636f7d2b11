"""ETags, conditions and repeated requests."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from taskapi.store.client import Store
from tests.api.conftest import PASSWORD, Person, basic, bearer


def test_a_whole_record_is_tagged_with_its_version_and_a_narrowed_one_weakly(user: Person) -> None:
    task = user.task()
    path = f"/tasks/{task['id']}"
    assert user.get(path).headers["ETag"] == f'"{task["version"]}"'
    narrowed = user.get(f"{path}?fields=id,title")
    assert narrowed.json["data"] == {"id": task["id"], "title": task["title"]}
    assert narrowed.headers["ETag"].startswith('W/"')
    assert user.get("/tasks").headers["ETag"].startswith('W/"')


def test_what_the_caller_already_has_is_304_without_a_body(user: Person) -> None:
    path = f"/tasks/{user.task()['id']}"
    for known in (path, "/tasks", f"{path}?fields=id"):
        tag = user.get(known).headers["ETag"]
        for given in (tag, f'"other", {tag}', "*", f"W/{tag}" if tag[0] == '"' else tag[2:]):
            answer = user.get(known, headers={"If-None-Match": given})
            assert (answer.status_code, answer.data) == (304, b"")
            assert answer.headers["ETag"] == tag
        assert user.get(known, headers={"If-None-Match": '"other"'}).status_code == 200
    user.put(path, {"title": "Another"})
    assert user.get("/tasks", headers={"If-None-Match": tag}).status_code == 200


def test_a_change_on_the_condition_of_a_version_passes_with_it_alone(user: Person) -> None:
    task = user.task()
    path, version = f"/tasks/{task['id']}", task["version"]
    for given in ('"1"', f'W/"{version}"', f'"00{version}"', '"abc"', '"1", "2"', '""'):
        for method in ("PUT", "PATCH", "DELETE"):
            assert user.call(method, path, {"title": "x"}, headers={"If-Match": given}).status_code == 412
        assert user.put(f"{path}/done", headers={"If-Match": given}).status_code == 412
    assert user.get(path).json["data"] == task
    answer = user.put(path, {"title": "x"}, headers={"If-Match": f'"1", "{version}"'})
    assert answer.status_code == 200
    assert answer.headers["ETag"] == f'"{answer.json["data"]["version"]}"'
    assert user.delete(path, headers={"If-Match": "*"}).status_code == 200


def test_taking_back_from_the_trash_minds_the_condition(owner: Person, user: Person) -> None:
    group = owner.post("/groups", {"name": "Engines"}).json["data"]
    for path in (f"/tasks/{user.task()['id']}", f"/groups/{group['id']}", f"/users/{user.id}"):
        before = owner.get(path).json["data"]["version"]
        assert owner.delete(path).status_code == 200
        answer = owner.post(f"{path}/restore", headers={"If-Match": f'"{before}"'})
        assert (answer.status_code, answer.json["code"]) == (412, "stale")
        assert owner.get(path).status_code == 404
        assert owner.post(f"{path}/restore", headers={"If-Match": "*"}).status_code == 200


NO_CONDITIONS = ["5", "'5'", '"5', '5"', '"5""6"', '"5";"6"', "W/5", "", ",", ", ".join(['"1"'] * 21)]


@pytest.mark.parametrize("given", NO_CONDITIONS)
def test_a_condition_that_is_none_is_400(user: Person, given: str) -> None:
    path = f"/tasks/{user.task()['id']}"
    answer = user.put(path, {"title": "x"}, headers={"If-Match": given})
    assert (answer.status_code, answer.json["code"]) == (400, "malformed")


def test_whose_record_it_is_comes_before_the_condition(user: Person, other: Person) -> None:
    path = f"/tasks/{user.task()['id']}"
    assert other.put(path, {"title": "x"}, headers={"If-Match": '"1"'}).status_code == 404


def test_a_request_with_the_same_key_is_carried_out_once(user: Person) -> None:
    key = {"Idempotency-Key": "order-1"}
    first = user.post("/tasks", {"title": "x"}, headers=key)
    again = user.post("/v1/tasks/", {"title": "x"}, headers=key)
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.json == first.json
    assert "Idempotency-Replayed" not in first.headers
    assert again.headers["Idempotency-Replayed"] == "true"
    assert user.get("/tasks").json["data"]["total"] == 1


def test_a_key_with_another_body_or_query_is_409(user: Person) -> None:
    key = {"Idempotency-Key": "k"}
    path = f"/tasks/{user.task()['id']}"
    assert user.put(path, {"title": "x"}, headers=key).status_code == 200
    assert user.put(path, {"title": "y"}, headers=key).json["code"] == "idempotency_key_reused"
    assert user.delete(path, headers=key).status_code == 200
    assert user.delete(f"{path}?permanent=true", headers=key).status_code == 409


def test_a_key_belongs_to_its_caller(user: Person, other: Person) -> None:
    key = {"Idempotency-Key": "k"}
    mine = user.post("/tasks", {"title": "x"}, headers=key).json["data"]
    theirs = other.post("/tasks", {"title": "x"}, headers=key).json["data"]
    assert (mine["user_id"], theirs["user_id"]) == (user.id, other.id)


@pytest.mark.parametrize("key", ["", "a b", "x" * 256, "ä", "a\tb"])
def test_a_key_that_is_none_is_400_on_a_write_and_nothing_on_a_read(user: Person, key: str) -> None:
    assert user.post("/tasks", {"title": "x"}, headers={"Idempotency-Key": key}).status_code == 400
    assert user.get("/tasks", headers={"Idempotency-Key": key}).status_code == 200


def test_a_write_that_waits_for_postgresql_says_what_came_of_it(
    user: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("taskapi.api.answers.DURABLE_SECONDS", 0.05)
    wish = {"Prefer": 'respond-async, Durability="postgres"'}
    left = user.post("/tasks", {"title": "x"}, headers=wish)
    assert (left.status_code, left.headers["Preference-Applied"]) == (201, "durability=redis")
    for other in ("durability=redis", "wait; durability=postgres", 'wait="durability=postgres"'):
        plain = user.post("/tasks", {"title": "x"}, headers={"Prefer": other})
        assert "Preference-Applied" not in plain.headers


def test_a_write_that_waited_long_enough_says_so(user: Person, data: Store) -> None:
    flush = threading.Timer(0.2, data.redis.delete, ["dirty"])
    flush.start()
    answer = user.post("/tasks", {"title": "x"}, headers={"Prefer": "durability=postgres"})
    flush.join()
    assert answer.headers["Preference-Applied"] == "durability=postgres"


def test_where_postgresql_is_demanded_every_write_waits(
    make_app: Callable[..., Flask], monkeypatch: pytest.MonkeyPatch, user: Person
) -> None:
    app = make_app(durability="postgres")
    monkeypatch.setattr("taskapi.api.answers.DURABLE_SECONDS", 0.05)
    client: FlaskClient = app.test_client()
    answer = client.post("/tasks", json={"title": "x"}, headers=user.headers)
    assert answer.headers["Preference-Applied"] == "durability=redis"
    app.extensions["taskapi.api"].bell.stop()


def test_what_was_made_is_found_where_the_answer_says(user: Person) -> None:
    for mount in ("", "/v1"):
        answer = user.post(f"{mount}/tasks", {"title": "x"})
        assert answer.headers["Location"] == f"{mount}/tasks/{answer.json['data']['id']}"
        assert user.get(answer.headers["Location"]).json == answer.json


def test_a_sync_with_the_same_key_is_one_job(owner: Person) -> None:
    key = {"Idempotency-Key": "k"}
    first = owner.post("/admin/sync?action=force&wait=0", headers=key)
    again = owner.post("/v1/admin/sync?action=force&wait=0", headers=key)
    assert again.json["data"]["job_id"] == first.json["data"]["job_id"]
    assert again.headers["Idempotency-Replayed"] == "true"
    assert owner.get("/admin/jobs").json["data"]["total"] == 1
    assert owner.post("/admin/sync?action=force&wait=1", headers=key).status_code == 409


def test_sessions_that_are_ended_with_the_same_key_end_once(user: Person) -> None:
    mine = Person(user.client, basic("ada", PASSWORD), user.user)
    for path, key in ((f"/auth/sessions/{_session_of(mine)}", "one"), ("/auth/sessions", "all")):
        sign_in(mine)
        first = mine.delete(path, headers={"Idempotency-Key": key})
        assert first.status_code == 200
        kept = sign_in(mine)
        again = mine.delete(path, headers={"Idempotency-Key": key})
        assert (again.status_code, again.json) == (200, first.json)
        assert again.headers["Idempotency-Replayed"] == "true"
        assert mine.client.get("/auth/me", headers=bearer(kept["access_token"])).status_code == 200


def _session_of(person: Person) -> str:
    found: str = person.get("/auth/sessions").json["data"]["sessions"][0]["id"]
    return found


def sign_in(person: Person, headers: dict[str, str] | None = None) -> dict[str, Any]:
    """The tokens of a new session."""
    sent = {"username": "ada", "password": PASSWORD}
    found: dict[str, Any] = person.client.post("/login", json=sent, headers=headers).json
    return found


def test_a_sign_in_with_the_same_key_is_one_session(user: Person) -> None:
    key = {"Idempotency-Key": "k"}
    tokens = [sign_in(user, key), sign_in(user, key)]
    assert user.get("/auth/sessions").json["data"]["total"] == 2
    for each in tokens:
        assert user.client.get("/auth/me", headers=bearer(each["access_token"])).status_code == 200
    assert user.client.post("/auth/refresh", headers=bearer(tokens[1]["refresh_token"])).status_code == 200


def test_a_session_that_is_over_does_not_come_back_with_its_key(user: Person) -> None:
    key = {"Idempotency-Key": "k"}
    over = bearer(sign_in(user, key)["access_token"])
    user.client.post("/logout", headers=over)
    again = sign_in(user, key)
    for token in (over, bearer(again["access_token"])):
        assert user.client.get("/auth/me", headers=token).status_code == 401
    assert user.client.get("/auth/me", headers=bearer(sign_in(user)["access_token"])).status_code == 200


def test_registering_with_the_same_key_is_one_session(client: FlaskClient) -> None:
    sent, key = {"username": "eve", "password": PASSWORD}, {"Idempotency-Key": "k"}
    answers = [client.post("/register", json=sent, headers=key) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 201]
    eve = bearer(answers[1].json["access_token"])
    assert client.get("/auth/sessions", headers=eve).json["data"]["total"] == 1


def test_a_refresh_with_the_same_key_gives_the_same_and_ends_nothing(user: Person) -> None:
    key = {"Idempotency-Key": "k"}
    token = sign_in(user)["refresh_token"]
    answers = [user.client.post("/auth/refresh", headers=bearer(token) | key) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 200]
    following = bearer(answers[0].json["refresh_token"])
    assert user.client.post("/auth/refresh", headers=following).status_code == 200
    assert user.client.post("/auth/refresh", headers=bearer(token)).status_code == 401


def test_a_new_password_with_the_same_key_begins_one_session(user: Person) -> None:
    sent, key = {"current_password": PASSWORD, "new_password": "another horse"}, {"Idempotency-Key": "k"}
    first = user.client.put("/auth/password", json=sent, headers=basic("ada", PASSWORD) | key)
    again = user.client.put("/auth/password", json=sent, headers=basic("ada", "another horse") | key)
    assert (first.status_code, again.status_code) == (200, 200)
    assert again.headers["Idempotency-Replayed"] == "true"
    mine = bearer(again.json["access_token"])
    assert user.client.get("/auth/sessions", headers=mine).json["data"]["total"] == 1
