"""What a group's admin and its members see of its tasks and numbers."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from tests.api.conftest import Person
from tests.api.test_groups import joined, listed, made


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
