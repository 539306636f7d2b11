"""Groups over HTTP: made, read, changed, joined and left, deleted and taken back."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.conftest import PASSWORD, Person, bearer


def made(owner: Person, name: str = "Engineering", **fields: Any) -> int:
    """The id of a group that the owner has just made."""
    answer = owner.post("/groups", {"name": name, **fields})
    assert answer.status_code == 201, answer.json
    found: int = answer.json["data"]["id"]
    return found


def joined(owner: Person, name: str, *group_ids: int, role: str = "user") -> Person:
    """A new user in those groups."""
    sent = {"username": name, "password": PASSWORD, "role": role, "group_ids": group_ids}
    answer = owner.post("/users", sent)
    assert answer.status_code == 201, answer.json
    signed_in = owner.client.post("/auth/login", json={"username": name, "password": PASSWORD})
    return Person(owner.client, bearer(signed_in.json["access_token"]), answer.json["data"])


def listed(person: Person, path: str, name: str) -> list[Any]:
    """What that list has."""
    answer = person.get(path)
    assert answer.status_code == 200, answer.json
    found: list[Any] = answer.json["data"][name]
    return found


def test_a_group_is_made_and_read_with_its_admin_and_what_is_in_it(owner: Person) -> None:
    admin = joined(owner, "alice", role="group_admin")
    answer = owner.post("/v1/groups", {"name": "Engineering", "admin_id": admin.id})
    group = answer.json["data"]
    assert answer.headers["Location"] == f"/v1/groups/{group['id']}"
    assert answer.headers["ETag"] == f'"{group["version"]}"'
    user = joined(owner, "bob", group["id"])
    user.task()
    assert owner.get(f"/groups/{group['id']}").json["data"] == group | {
        "admin": {"id": admin.id, "full_name": "alice", "email": None},
        "users_count": 2,
        "tasks_count": 1,
    }
    assert listed(owner, "/groups", "groups") == [group]
    assert admin.get("/auth/me").json["data"]["group_ids"] == [group["id"]]


@pytest.mark.parametrize(
    ("sent", "field"),
    [
        ({}, "name"),
        ({"name": None}, "name"),
        ({"name": ""}, "name"),
        ({"name": " \t "}, "name"),
        ({"name": "x" * 101}, "name"),
        ({"name": 7}, "name"),
        ({"name": "a", "admin_id": 0}, "admin_id"),
        ({"name": "a", "admin_id": "2"}, "admin_id"),
        ({"name": "a", "admin_id": True}, "admin_id"),
        ({"name": "a", "admin_id": 999}, "admin_id"),
        ({"name": "a", "id": 7}, "id"),
        ({"name": "a", "member_ids": [1]}, "member_ids"),
    ],
)
def test_what_is_no_group_is_refused_by_the_name_of_its_field(
    owner: Person, sent: dict[str, Any], field: str
) -> None:
    answer = owner.post("/groups", sent)
    assert answer.status_code == 400
    assert list(answer.json["errors"]) == [field]


def test_a_plain_user_cannot_be_named_admin(owner: Person, user: Person) -> None:
    answer = owner.post("/groups", {"name": "Engineering", "admin_id": user.id})
    assert (answer.status_code, list(answer.json["errors"])) == (400, ["admin_id"])


def test_a_name_is_trimmed_composed_and_unique_whatever_its_case(owner: Person) -> None:
    made(owner, "  Cafe\u0301  ")
    assert listed(owner, "/groups?fields=name", "groups") == [{"name": "Caf\u00e9"}]
    answer = owner.post("/groups", {"name": "CAFÉ"})
    assert (answer.status_code, answer.json["code"], list(answer.json["errors"])) == (409, "taken", ["name"])
    assert made(owner, "x" * 100)


def test_a_change_touches_what_was_sent_and_minds_the_version(owner: Person) -> None:
    admin = joined(owner, "alice", role="group_admin")
    group_id = made(owner, admin_id=admin.id)
    path = f"/groups/{group_id}"
    changed = owner.put(path, {"name": "Engineering Team"})
    assert changed.json["data"]["admin_id"] == admin.id
    assert owner.put(path, {"name": "x"}, headers={"If-Match": '"1"'}).status_code == 412
    current = {"If-Match": changed.headers["ETag"]}
    assert owner.call("PATCH", path, {"admin_id": None}, headers=current).json["data"]["admin_id"] is None
    assert owner.get(path).json["data"]["admin"] is None
    assert owner.delete(path, headers={"If-Match": '"1"'}).status_code == 412


def test_a_read_with_counts_has_a_weak_tag_that_moves_with_them(owner: Person) -> None:
    group_id = made(owner)
    path = f"/groups/{group_id}"
    tag = owner.get(path).headers["ETag"]
    assert tag.startswith("W/")
    assert owner.get(path, headers={"If-None-Match": tag}).status_code == 304
    joined(owner, "bob", group_id)
    assert owner.get(path, headers={"If-None-Match": tag}).json["data"]["users_count"] == 1
    assert owner.get(f"{path}?fields=users_count").json["data"] == {"users_count": 1}


def test_who_is_added_is_told_once_as_new(owner: Person, user: Person) -> None:
    path = f"/groups/{made(owner)}/users"
    first, again = (owner.post(path, {"user_id": user.id}) for _ in range(2))
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.headers["Location"] == f"/users/{user.id}"
    assert "Location" not in again.headers
    assert first.json == again.json
    assert [member["id"] for member in listed(owner, path, "users")] == [user.id]
    assert owner.get(path).json["data"]["total"] == 1


@pytest.mark.parametrize("sent", [{}, {"user_id": "1"}, {"user_id": 0}, {"user_id": 999}, {"id": 1}])
def test_who_is_nobody_is_not_added(owner: Person, sent: dict[str, Any]) -> None:
    assert owner.post(f"/groups/{made(owner)}/users", sent).status_code == 400


def test_an_addition_is_repeated_under_its_key(owner: Person, user: Person) -> None:
    path, key = f"/groups/{made(owner)}/users", {"Idempotency-Key": "once"}
    first, again = (owner.post(path, {"user_id": user.id}, headers=key) for _ in range(2))
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.headers["Idempotency-Replayed"] == "true"
    assert first.json == again.json


def test_the_tasks_of_who_leaves_move_to_a_remaining_group_or_go(owner: Person) -> None:
    first, second = made(owner, "one"), made(owner, "two")
    user = joined(owner, "bob", first, second)
    task = user.task(group_id=second)
    assert owner.delete(f"/groups/{second}/users/{user.id}").json["data"] == {"id": user.id, "deleted": True}
    assert user.get(f"/tasks/{task['id']}").json["data"]["group_id"] == first
    assert owner.delete(f"/groups/{first}/users/{user.id}").status_code == 200
    assert user.get(f"/tasks/{task['id']}").status_code == 404
    assert [trashed["id"] for trashed in listed(user, "/tasks/trash", "tasks")] == [task["id"]]
    assert owner.delete(f"/groups/{first}/users/{user.id}").status_code == 404


def test_a_deleted_group_leaves_its_users_and_comes_back_whole(owner: Person) -> None:
    group_id = made(owner)
    user = joined(owner, "bob", group_id)
    task = user.task()
    path = f"/groups/{group_id}"
    assert owner.delete(path).json["data"] == {"id": group_id, "deleted": True}
    assert user.get(path).status_code == 403
    assert owner.get(path).status_code == 404
    assert user.get(f"/tasks/{task['id']}").status_code == 404
    assert user.get("/auth/me").json["data"]["group_ids"] == []
    assert owner.post("/groups", {"name": "engineering"}).status_code == 409
    assert owner.post(f"{path}/restore").json["data"]["name"] == "Engineering"
    assert user.get(f"/tasks/{task['id']}").json["data"]["group_id"] == group_id
    assert user.get("/auth/me").json["data"]["group_ids"] == [group_id]
    assert owner.post(f"{path}/restore").status_code == 404


def test_a_member_sees_of_others_who_they_are_and_no_more(owner: Person) -> None:
    group_id = made(owner)
    bob, eve = joined(owner, "bob", group_id), joined(owner, "eve", group_id)
    assert listed(bob, f"/groups/{group_id}/users", "users") == [
        bob.user,
        {"id": eve.id, "full_name": "eve", "username": "eve"},
    ]


def test_an_admin_sees_of_others_groups_their_own_alone(owner: Person) -> None:
    first, second = made(owner, "one"), made(owner, "two")
    admin = joined(owner, "alice", first, role="group_admin")
    joined(owner, "bob", first, second)
    shown = listed(admin, f"/groups/{first}/users", "users")
    assert [user["group_ids"] for user in shown] == [[first], [first]]
    assert "requested_role" not in shown[1]
