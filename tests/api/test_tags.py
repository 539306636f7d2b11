"""Tags added to a task and taken away, one by one or several, beside others who do the same."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import quote

import pytest

from taskapi.services import task_changes
from tests.api.conftest import Person


def path_of(task: dict[str, Any], tag: str = "") -> str:
    """Where the tags of a task are, or one of them."""
    return f"/tasks/{task['id']}/tags" + (f"/{quote(tag, safe='')}" if tag else "")


def test_tags_are_added_behind_those_that_are_there(user: Person) -> None:
    task = user.task(tags=["paper"])
    answer = user.post(path_of(task), {"tags": ["urgent", "paper", "Urgent", "urgent"]})
    assert answer.status_code == 200
    assert answer.json["data"]["tags"] == ["paper", "urgent", "Urgent"]
    assert answer.json["data"]["version"] > task["version"]
    assert user.get("/tasks?tag=urgent").json["data"]["total"] == 1
    assert user.get("/tasks/stats").json["data"]["tag_counts"] == {"paper": 1, "urgent": 1, "Urgent": 1}


def test_what_is_already_there_changes_nothing(user: Person) -> None:
    task = user.task(tags=["paper", "urgent"])
    for tags in (["urgent"], ["urgent", "paper"], []):
        answer = user.post(path_of(task), {"tags": tags})
        assert (answer.status_code, answer.json["data"]) == (200, task)


def test_a_tag_is_taken_away_and_the_rest_stays(user: Person) -> None:
    task = user.task(tags=["paper", "urgent", "late"])
    answer = user.delete(path_of(task, "urgent"))
    assert (answer.status_code, answer.json["data"]["tags"]) == (200, ["paper", "late"])
    again = user.delete(path_of(task, "urgent"))
    assert (again.status_code, again.json["code"]) == (404, "not_found")
    assert user.delete(path_of(task, "Paper")).status_code == 404
    assert user.get("/tasks?tag=urgent").json["data"]["total"] == 0


@pytest.mark.parametrize(
    "tag",
    ["a/b", "/a", "a/", "a//b", "/", "50 %", "a?b=c#d", "naïve", "日本語", "%2F", "a+b", "tags/x", "🎉"],
)
def test_any_tag_can_be_named_in_the_path(user: Person, tag: str) -> None:
    task = user.task(tags=["keep", tag, "x", "a", "b"])
    answer = user.delete("/v1" + path_of(task, tag))
    assert answer.status_code == 200, answer.json
    assert answer.json["data"]["tags"] == ["keep", "x", "a", "b"]


def test_a_tag_in_the_path_may_have_its_slashes_as_they_are_and_one_more_at_the_end(user: Person) -> None:
    task = user.task(tags=["a/b", "c"])
    assert user.delete(path_of(task) + "/a/b").json["data"]["tags"] == ["c"]
    assert user.delete(path_of(task) + "/c/").json["data"]["tags"] == []


def test_one_letter_written_in_two_ways_is_one_tag(user: Person) -> None:
    task = user.task(tags=["nai\u0308ve"])
    assert user.post(path_of(task), {"tags": ["na\u00efve"]}).json["data"] == task
    assert user.delete(path_of(task, "nai\u0308ve")).json["data"]["tags"] == []


NO_TAGS: list[dict[str, Any]] = [
    {},
    *({"tags": tags} for tags in ("a", None, [1], [""], ["  "], ["x" * 51], [str(n) for n in range(21)])),
    {"tag": "a"},
    {"tags": ["a"], "title": "x"},
]


@pytest.mark.parametrize("sent", NO_TAGS)
def test_tags_have_the_same_rules_as_in_the_task_itself(user: Person, sent: dict[str, Any]) -> None:
    task = user.task()
    answer = user.post(path_of(task), sent)
    assert (answer.status_code, answer.json["code"]) == (400, "invalid")
    assert user.get(f"/tasks/{task['id']}").json["data"] == task


def test_a_task_has_twenty_tags_at_most(user: Person) -> None:
    task = user.task(tags=[f"t{number}" for number in range(18)])
    assert user.post(path_of(task), {"tags": ["t0", "a", "b"]}).status_code == 200
    refused = user.post(path_of(task), {"tags": ["a", "c"]})
    assert refused.json["errors"] == {"tags": ["A task has 20 tags at most; with these it would have 21."]}
    assert user.delete(path_of(task, "t0")).status_code == 200
    assert len(user.post(path_of(task), {"tags": ["c"]}).json["data"]["tags"]) == 20


def test_the_condition_is_minded_when_tags_come_and_go(user: Person) -> None:
    task = user.task(tags=["a"])
    right, wrong = ({"If-Match": f'"{version}"'} for version in (task["version"], 1))
    assert user.post(path_of(task), {"tags": ["b"]}, headers=wrong).status_code == 412
    assert user.delete(path_of(task, "a"), headers=wrong).status_code == 412
    answer = user.post(path_of(task), {"tags": ["b"]}, headers=right)
    assert answer.headers["ETag"] == f'"{answer.json["data"]["version"]}"'
    assert user.delete(path_of(task, "a"), headers={"If-Match": answer.headers["ETag"]}).status_code == 200


def test_under_one_key_a_tag_is_taken_away_once_and_the_answer_comes_again(user: Person) -> None:
    task = user.task(tags=["a", "b"])
    key = {"Idempotency-Key": "k"}
    first = user.delete(path_of(task, "a"), headers=key)
    user.post(path_of(task), {"tags": ["a"]})
    again = user.delete(path_of(task, "a"), headers=key)
    assert (again.json, again.headers["Idempotency-Replayed"]) == (first.json, "true")
    assert user.get(f"/tasks/{task['id']}").json["data"]["tags"] == ["b", "a"]
    assert user.post(path_of(task), {"tags": ["c"]}, headers=key).status_code == 200
    assert user.post(path_of(task), {"tags": ["d"]}, headers=key).status_code == 409


def test_tags_that_are_added_at_the_same_moment_are_all_kept(user: Person) -> None:
    task = user.task()
    app, kept = user.client.application, []

    def add(name: str) -> None:
        person = Person(app.test_client(), user.headers, user.user)
        for number in range(6):
            tag = f"{name}{number}"
            while (answer := person.post(path_of(task), {"tags": [tag]})).status_code == 409:
                assert answer.json["code"] == "conflict"
            assert answer.status_code == 200
            kept.append(tag)

    crowd = [threading.Thread(target=add, args=(name,)) for name in "abc"]
    for thread in crowd:
        thread.start()
    for thread in crowd:
        thread.join()
    assert len(kept) == 18
    assert set(user.get(f"/tasks/{task['id']}").json["data"]["tags"]) == set(kept)


def test_as_many_as_a_task_takes_may_be_added_at_one_moment(user: Person) -> None:
    task = user.task()

    def add(number: int) -> int:
        return user.post(path_of(task), {"tags": [f"t{number}"]}).status_code

    with ThreadPoolExecutor(20) as pool:
        assert set(pool.map(add, range(20))) == {200}


def test_a_tag_that_is_added_between_the_look_and_the_write_is_kept(
    user: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    task, tagged = user.task(), task_changes.tagged
    rivals = [lambda: user.post(path_of(task), {"tags": ["theirs"]})]

    def overtaken(*args: Any, **kwargs: Any) -> dict[str, Any]:
        if rivals:
            assert rivals.pop()().status_code == 200
        return tagged(*args, **kwargs)

    monkeypatch.setattr("taskapi.services.task_changes.tagged", overtaken)
    answer = user.post(path_of(task), {"tags": ["mine"]})
    assert (answer.status_code, answer.json["data"]["tags"]) == (200, ["theirs", "mine"])
