"""The tasks of a day over HTTP: their shape, their refusals, their limit."""

from collections.abc import Callable

import pytest
from flask import Flask
from redis import Redis

from taskapi.store.client import Store
from tests.api.conftest import OWNER_PASSWORD, PASSWORD, Person, bearer, signed_up

DAY = "2026-02-28"


@pytest.mark.parametrize("path", ["/tasks/by-date", "/tasks/task", "/v1/tasks/by-date", "/v1/tasks/task"])
def test_a_day_is_answered_as_a_list_with_its_date(user: Person, path: str) -> None:
    tasks = [user.task(deadline=DAY) for _ in range(3)]
    user.task(deadline="2026-03-01")
    answer = user.get(f"{path}/{DAY}?per_page=2")
    assert answer.status_code == 200
    data = answer.json["data"]
    next_cursor = data.pop("next_cursor")
    assert data == {"tasks": tasks[:2], "count": 2, "total": 3, "date": DAY, "complete": True}
    assert 'rel="next"' in answer.headers["Link"]
    rest = user.get(f"{path}/{DAY}?cursor={next_cursor}&fields=id").json["data"]
    assert rest["tasks"] == [{"id": tasks[2]["id"]}]


def test_what_was_made_today_is_there_and_a_write_is_seen_at_once(user: Person) -> None:
    made = user.task()
    path = f"/tasks/by-date/{made['created_at'][:10]}"
    assert [task["id"] for task in user.get(path).json["data"]["tasks"]] == [made["id"]]
    changed = user.put(f"/tasks/{made['id']}", {"title": "Another"}).json["data"]
    assert user.get(path).json["data"]["tasks"] == [changed]
    user.delete(f"/tasks/{made['id']}")
    assert user.get(path).status_code == 404


def test_a_day_without_tasks_is_404_and_no_date_is_400_that_names_it(user: Person) -> None:
    answer = user.get(f"/tasks/by-date/{DAY}")
    assert (answer.status_code, answer.json["code"]) == (404, "not_found")
    for text in ("2026-02-30", "tomorrow", "28.02.2026", "%00", "1", "2026-02-28T00:00"):
        answer = user.get(f"/tasks/task/{text}")
        assert (answer.status_code, list(answer.json["errors"])) == (400, ["date"])
    assert user.get(f"/tasks/by-date/{DAY}?status=all").status_code == 400


def test_it_lies_on_the_broker_under_its_date(user: Person, redis_broker: Redis) -> None:
    user.task(deadline=DAY)
    user.get(f"/tasks/by-date/{DAY}")
    assert len(redis_broker.keys(f"task:{DAY}:*")) == 1


def test_without_the_broker_it_is_answered_all_the_same(data: Store, make_app: Callable[..., Flask]) -> None:
    client = make_app(broker_url="redis://127.0.0.1:1/0", rate_limit_by_date="5 per minute").test_client()
    user = signed_up(client, "ada")
    task = user.task(deadline=DAY)
    statuses = [user.get(f"/tasks/by-date/{DAY}").status_code for _ in range(6)]
    assert statuses == [200, 200, 200, 200, 200, 429]
    assert user.put(f"/tasks/{task['id']}", {"title": "Another"}).status_code == 200


def test_five_days_a_minute_of_one_caller_at_either_path(data: Store, make_app: Callable[..., Flask]) -> None:
    client = make_app(rate_limit_by_date="5 per minute", rate_limit_default="100 per minute").test_client()
    user, other = signed_up(client, "ada"), signed_up(client, "bob")
    first = user.get(f"/tasks/by-date/{DAY}")
    assert first.status_code == 404
    assert first.headers["RateLimit-Policy"] == '"by_date";q=5;w=60'
    assert first.headers["X-RateLimit-Remaining"] == "4"
    assert [user.get(f"/tasks/task/{DAY}").status_code for _ in range(4)] == [404] * 4
    last = user.get(f"/v1/tasks/by-date/{DAY}")
    assert (last.status_code, last.json["code"]) == (429, "rate_limited")
    assert 1 <= last.json["retry_after"] == int(last.headers["Retry-After"]) <= 61
    assert last.headers["X-RateLimit-Remaining"] == "0"
    assert user.get("/tasks").status_code == 200
    assert other.get(f"/tasks/by-date/{DAY}").status_code == 404
    assert (
        client.get(f"/tasks/by-date/{DAY}", headers={"X-Owner-Password": OWNER_PASSWORD}).status_code == 404
    )


def test_who_may_not_call_does_not_use_up_the_share_of_who_may(
    data: Store, make_app: Callable[..., Flask]
) -> None:
    app = make_app(rate_limit_by_date="2 per minute")
    user, client = signed_up(app.test_client(), "ada"), app.test_client()
    again = client.post("/login", json={"username": "ada", "password": PASSWORD}).json["access_token"]
    user.post("/auth/logout")
    assert [user.get(f"/tasks/by-date/{DAY}").status_code for _ in range(3)] == [401] * 3
    fresh = Person(client, bearer(again), user.user)
    assert [fresh.get(f"/tasks/by-date/{DAY}").status_code for _ in range(3)] == [404, 404, 429]
