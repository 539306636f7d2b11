"""The first steps of a newcomer: register, make a task, see it."""

from tests.api.conftest import Person


def test_a_newcomer_makes_a_task_and_reads_it_back(user: Person) -> None:
    task = user.task(due_date="2026-01-01", description="in detail", tags=["a", "b", "a"])
    assert task["deadline"] == "2026-01-01"
    assert task["information"] == "in detail"
    assert task["tags"] == ["a", "b"]
    for path in (f"/tasks/{task['id']}", f"/v1/users/{user.id}/tasks/{task['id']}/"):
        assert user.get(path).json == {"success": True, "data": task}
