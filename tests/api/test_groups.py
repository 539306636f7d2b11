"""Groups over HTTP: made, read, changed, joined and left, deleted and taken back."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient

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


@pytest.fixture
def team(owner: Person) -> tuple[int, Person, Person, Person]:
    """A group, its admin, and two users with a task each, of whom one has finished it."""
    group_id = made(owner)
    admin = joined(owner, "alice", group_id, role="group_admin")
    bob, eve = joined(owner, "bob", group_id), joined(owner, "eve", group_id)
    bob.task(title="of bob", status=True)
    eve.task(title="of eve", priority=1)
    return group_id, admin, bob, eve


def test_the_tasks_of_a_group_are_all_to_its_admin_and_ones_own_to_a_member(
    team: tuple[int, Person, Person, Person], owner: Person
) -> None:
    group_id, admin, bob, _ = team
    path = f"/groups/{group_id}/tasks"
    assert owner.get(path).json["data"]["group_id"] == group_id
    for person, titles in ((owner, ["of bob", "of eve"]), (admin, ["of bob", "of eve"]), (bob, ["of bob"])):
        assert [task["title"] for task in listed(person, path, "tasks")] == titles
    assert [task["title"] for task in listed(admin, f"{path}?status=pending", "tasks")] == ["of eve"]
    of_bob = f"/tasks?group_id={group_id}&user_id={bob.id}"
    assert [task["title"] for task in listed(admin, of_bob, "tasks")] == ["of bob"]
    assert admin.get(f"{path}?group_id=1").status_code == 400


def test_a_member_reads_no_tasks_of_another_by_asking_for_their_id(
    team: tuple[int, Person, Person, Person],
) -> None:
    group_id, _, bob, eve = team
    assert bob.get(f"/groups/{group_id}/tasks?user_id={eve.id}").status_code == 400
    assert bob.get(f"/tasks?group_id={group_id}&user_id={eve.id}").status_code == 403


def test_the_statistics_of_a_group_name_everybody_in_it(
    team: tuple[int, Person, Person, Person], owner: Person
) -> None:
    group_id, admin, bob, _ = team
    told = {
        "group": {"id": group_id, "name": "Engineering"},
        "users_count": 3,
        "total_tasks": 2,
        "completed_tasks": 1,
        "pending_tasks": 1,
        "completion_rate": 50.0,
        "user_task_counts": {"alice": 0, "bob": 1, "eve": 1},
    }
    for person in (owner, admin, bob):
        assert person.get(f"/groups/{group_id}/stats").json["data"] == told


def test_statistics_count_what_the_caller_may_see(
    team: tuple[int, Person, Person, Person], owner: Person, client: FlaskClient
) -> None:
    group_id, admin, bob, _ = team
    owner.task(deadline="2020-01-01", tags=["late"])
    told = owner.get("/tasks/stats").json["data"]
    assert (told["total_tasks"], told["completed_tasks"], told["pending_tasks"]) == (3, 1, 2)
    assert (told["completion_rate"], told["overdue_tasks"]) == (33.33, 1)
    assert told["priority_counts"] == {"1": 1, "2": 2, "3": 0}
    assert told["tag_counts"] == {"late": 1}
    assert told["user_task_counts"] == {"System Owner": 1, "alice": 0, "bob": 1, "eve": 1}
    assert told["group_task_counts"] == {str(group_id): 2}
    assert told["total_users"] == 4
    assert admin.get("/tasks/stats").json["data"]["total_tasks"] == 2
    assert bob.get("/v1/tasks/stats").json["data"]["total_tasks"] == 1
    properties = client.get("/openapi.json").json["components"]["schemas"]["Statistics"]["properties"]
    assert set(properties) == set(told)


def test_what_a_group_shows_is_what_the_document_says(
    team: tuple[int, Person, Person, Person], owner: Person, client: FlaskClient
) -> None:
    schemas = client.get("/openapi.json").json["components"]["schemas"]
    path = f"/groups/{team[0]}"
    shown = {"GroupOut": "?fields=id,name,admin_id,created_at,updated_at,version", "GroupDetails": ""}
    for schema, query in shown.items():
        assert set(owner.get(path + query).json["data"]) == set(schemas[schema]["properties"])
    assert set(owner.get(f"{path}/stats").json["data"]) == set(schemas["GroupStatistics"]["properties"])
