"""Users over HTTP: made, read, changed, deleted and taken back."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.api.conftest import PASSWORD, Person, basic


def made(owner: Person, **fields: Any) -> dict[str, Any]:
    """A user whom the owner has just made."""
    answer = owner.post("/users", {"full_name": "Grace", "password": PASSWORD, **fields})
    assert answer.status_code == 201, answer.json
    found: dict[str, Any] = answer.json["data"]
    return found


def test_the_owner_makes_a_user_who_can_sign_in(owner: Person, client: FlaskClient) -> None:
    answer = owner.post(
        "/v1/users", {"username": "grace", "password": PASSWORD, "role": "admin", "number": "17"}
    )
    user = answer.json["data"]
    assert answer.headers["Location"] == f"/v1/users/{user['id']}"
    assert (user["full_name"], user["role"], user["number"]) == ("grace", "group_admin", "17")
    assert client.get("/auth/me", headers=basic("grace", PASSWORD)).json["data"] == user
    assert owner.get(f"/users/{user['id']}").json["data"] == user


def test_a_name_or_address_that_is_taken_is_409_whatever_its_case(owner: Person) -> None:
    made(owner, username="grace", email="grace@example.com")
    for field, value in (("username", "GRACE"), ("email", "Grace@Example.com")):
        answer = owner.post("/users", {"full_name": "x", "password": PASSWORD, field: value})
        assert (answer.status_code, answer.json["code"]) == (409, "taken")
        assert list(answer.json["errors"]) == [field]


def test_a_change_touches_what_was_sent_and_nothing_else(owner: Person) -> None:
    user = made(owner, username="grace", email="grace@example.com", work_times={"Monday": 8})
    for method, sent in (("PUT", {"full_name": "Hopper"}), ("PATCH", {"work_times": {"Friday": 4}})):
        answer = owner.call(method, f"/users/{user['id']}", sent)
        assert answer.headers["ETag"] == f'"{answer.json["data"]["version"]}"'
    changed = owner.get(f"/users/{user['id']}").json["data"]
    assert changed["full_name"] == "Hopper"
    assert changed["email"] == "grace@example.com"
    assert changed["work_times"] == {"Monday": 8.0, "Friday": 4.0}
    assert owner.put(f"/users/{user['id']}", {"email": None}).json["data"]["email"] is None


def test_nobody_changes_what_is_not_theirs_to_change(user: Person, other: Person) -> None:
    assert user.put(f"/users/{user.id}", {"role": "owner"}).status_code == 403
    for path in (f"/users/{other.id}", "/users/999"):
        assert user.get(path).status_code == 403
        assert user.put(path, {"full_name": "x"}).status_code == 403
        assert user.delete(path).status_code == 403
    assert user.post("/users", {"full_name": "x", "password": PASSWORD}).status_code == 403


def test_only_who_may_see_all_learns_that_there_is_none(owner: Person) -> None:
    for method in ("GET", "PUT", "DELETE"):
        assert owner.call(method, "/users/999", {}).status_code == 404


def test_ones_own_password_is_changed_with_the_current_one(user: Person) -> None:
    path = f"/users/{user.id}"
    assert list(user.put(path, {"password": "another one"}).json["errors"]) == ["current_password"]
    sent = {"password": "another one", "current_password": PASSWORD}
    assert user.put(path, sent).status_code == 200
    assert user.client.get("/auth/me", headers=basic("ada", "another one")).status_code == 200


def test_a_deleted_user_comes_back_with_their_tasks(user: Person, owner: Person) -> None:
    task = user.task()
    assert owner.delete(f"/users/{user.id}").json["data"] == {"id": user.id, "deleted": True}
    assert owner.get(f"/tasks/{task['id']}").status_code == 404
    assert owner.post(f"/users/{user.id}/restore").json["data"]["username"] == "ada"
    assert owner.get(f"/tasks/{task['id']}").status_code == 200
    assert owner.post(f"/users/{user.id}/restore").status_code == 404
    assert owner.delete("/users/1").status_code == 403


@pytest.mark.parametrize(
    ("sent", "field"),
    [
        ({"password": PASSWORD}, "username"),
        ({"username": "eve"}, "password"),
        ({"username": "eve", "password": PASSWORD, "full_name": " "}, "full_name"),
        ({"username": "eve", "password": PASSWORD, "role": "king"}, "role"),
        ({"username": "eve", "password": PASSWORD, "group_ids": [1]}, "group_ids"),
        ({"username": "eve", "password": None}, "password"),
        ({"username": "eve\x7f", "password": PASSWORD}, "username"),
    ],
)
def test_who_cannot_be_does_not_become_a_user(client: FlaskClient, sent: dict[str, Any], field: str) -> None:
    answer = client.post("/auth/register", json=sent)
    assert answer.status_code == 400
    assert list(answer.json["errors"]) == [field]


def test_signing_in_takes_an_email_by_its_own_name(client: FlaskClient) -> None:
    client.post("/register", json={"email": "eve@example.com", "password": PASSWORD})
    assert client.post("/login", json={"email": "EVE@example.com", "password": PASSWORD}).status_code == 200
    assert list(client.post("/login", json={"email": True, "password": PASSWORD}).json["errors"]) == ["email"]
    assert client.post("/login", data={"username": ["a", "b"], "password": PASSWORD}).status_code == 400
    assert client.post("/login", data={"username": "a\0", "password": PASSWORD}).status_code == 400
