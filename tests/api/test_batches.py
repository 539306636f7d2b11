"""Many tasks in one call: changed, finished, deleted, each with its own answer."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.conftest import Person

WAYS = [("POST", "/tasks/batch"), ("PATCH", "/v1/tasks/bulk")]


def ids(person: Person, count: int) -> list[int]:
    """The ids of new tasks."""
    return [person.task(title=f"number {number}")["id"] for number in range(count)]


def changed(person: Person, sent: Any, query: str = "") -> dict[str, Any]:
    """What a batch has come to."""
    answer = person.post(f"/tasks/batch{query}", sent)
    assert answer.status_code == 200, answer.json
    found: dict[str, Any] = answer.json["data"]
    return found


def one(task_id: int, status: int = 200) -> dict[str, Any]:
    """The result of one task, without the sentence."""
    return {"id": task_id, "status": status, "success": status == 200}


def results(told: dict[str, Any]) -> list[dict[str, Any]]:
    """Those of a batch, without the sentences."""
    return [{name: value for name, value in each.items() if name != "error"} for each in told["results"]]


@pytest.mark.parametrize(("method", "path"), WAYS)
def test_a_batch_changes_what_was_sent_of_each_task(user: Person, method: str, path: str) -> None:
    first, second = ids(user, 2)
    sent = {"task_ids": [first, second, first], "updates": {"priority": "high", "due_date": "2030-01-31"}}
    answer = user.call(method, path, sent)
    assert answer.json["data"] == {"results": [one(first), one(second)], "updated": 2, "failed": 0}
    for number, task_id in enumerate((first, second)):
        task = user.get(f"/tasks/{task_id}").json["data"]
        assert (task["priority"], task["deadline"], task["title"]) == (1, "2030-01-31", f"number {number}")


def test_a_batch_finishes_or_deletes(user: Person) -> None:
    first, second = ids(user, 2)
    assert changed(user, {"task_ids": [first, second], "action": "mark_done"})["updated"] == 2
    assert user.get(f"/tasks/{first}").json["data"]["completed_at"] is not None
    assert changed(user, {"task_ids": [first, second], "action": "delete", "updates": {}})["updated"] == 2
    assert user.get("/tasks").json["data"]["total"] == 0
    assert user.get("/tasks/trash").json["data"]["total"] == 2


def test_each_task_has_its_own_answer(user: Person, other: Person) -> None:
    [mine], [foreign] = ids(user, 1), ids(other, 1)
    told = changed(user, {"task_ids": [foreign, mine, 999], "updates": {"status": True}})
    assert (told["updated"], told["failed"]) == (1, 2)
    assert results(told) == [one(foreign, 404), one(mine), one(999, 404)]
    assert all(each["error"] for each in told["results"] if not each["success"])
    assert other.get(f"/tasks/{foreign}").json["data"]["status"] is False


def test_all_or_none_when_that_is_asked_for(user: Person) -> None:
    [mine] = ids(user, 1)
    sent = {"task_ids": [mine, 999], "updates": {"title": "another"}}
    answer = user.post("/tasks/batch?atomic=true", sent)
    assert (answer.status_code, answer.json["code"]) == (409, "conflict")
    assert [(each["id"], each["status"]) for each in answer.json["results"]] == [(999, 404)]
    assert user.get(f"/tasks/{mine}").json["data"]["title"] == "number 0"
    assert changed(user, {**sent, "task_ids": [mine]}, "?atomic=true")["updated"] == 1


def test_a_batch_is_repeated_under_its_key(user: Person) -> None:
    sent = {"task_ids": ids(user, 2), "action": "delete"}
    first, again = (user.post("/tasks/batch", sent, headers={"Idempotency-Key": "once"}) for _ in range(2))
    assert again.headers["Idempotency-Replayed"] == "true"
    assert first.json == again.json
    other = user.post("/tasks/batch?atomic=true", sent, headers={"Idempotency-Key": "once"})
    assert (other.status_code, other.json["code"]) == (409, "idempotency_key_reused")


@pytest.mark.parametrize(
    ("sent", "field"),
    [
        ({}, "task_ids"),
        ({"task_ids": [], "updates": {}}, "task_ids"),
        ({"task_ids": 1, "updates": {}}, "task_ids"),
        ({"task_ids": ["1"], "updates": {}}, "task_ids"),
        ({"task_ids": [0], "updates": {}}, "task_ids"),
        ({"task_ids": [True], "updates": {}}, "task_ids"),
        ({"task_ids": [None], "updates": {}}, "task_ids"),
        ({"task_ids": list(range(1, 502)), "updates": {}}, "task_ids"),
        ({"task_ids": [1]}, "updates"),
        ({"task_ids": [1], "updates": None}, "updates"),
        ({"task_ids": [1], "updates": []}, "updates"),
        ({"task_ids": [1], "updates": {"title": ""}}, "updates.title"),
        ({"task_ids": [1], "updates": {"due_date": "soon"}}, "updates.due_date"),
        ({"task_ids": [1], "updates": {"id": 7}}, "updates.id"),
        ({"task_ids": [1], "updates": {"status": True}, "action": "delete"}, "updates"),
        ({"task_ids": [1], "action": "archive"}, "action"),
        ({"task_ids": [1], "action": "delete", "tasks": []}, "tasks"),
    ],
)
def test_what_is_no_batch_is_refused_by_the_name_of_its_field(
    user: Person, sent: dict[str, Any], field: str
) -> None:
    answer = user.post("/tasks/batch", sent)
    assert answer.status_code == 400
    assert list(answer.json["errors"]) == [field]
    assert user.post("/tasks/batch?atomic=yes", {"task_ids": [1], "action": "delete"}).status_code == 400


def test_five_hundred_tasks_go_in_one_call(user: Person) -> None:
    [mine] = ids(user, 1)
    told = changed(user, {"task_ids": list(range(mine, mine + 500)), "action": "mark_done"})
    assert (told["updated"], told["failed"], len(told["results"])) == (1, 499, 500)


def test_what_was_deleted_in_a_batch_is_not_changed_by_another(user: Person) -> None:
    task_ids = ids(user, 2)
    changed(user, {"task_ids": task_ids[:1], "action": "delete"})
    told = changed(user, {"task_ids": task_ids, "updates": {"title": "another"}})
    assert results(told) == [one(task_ids[0], 404), one(task_ids[1])]
