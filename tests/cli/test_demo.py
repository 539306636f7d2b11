"""`flask demo`: a believable company, made once."""

from dataclasses import replace

import orjson
import pytest

from taskapi.demo import making, work
from taskapi.demo.cast import PASSWORD, PEOPLE
from taskapi.domain.callers import Claim
from taskapi.domain.clock import now, today
from taskapi.domain.rights import Right
from taskapi.services import accounts, passwords, statistics, users
from taskapi.store import codec, scrub
from taskapi.store.client import Limit
from taskapi.store.contents import stored_records
from taskapi.store.kinds import TASK

OWNER = Claim(1, Right.FIND_TASKS)


@pytest.fixture(autouse=True)
def quick_hashes(monkeypatch):
    """Twelve passwords cost a second; here one hash serves all."""
    once = passwords.hashed(PASSWORD)
    monkeypatch.setattr(passwords, "hashed", lambda password: once)


@pytest.fixture
def few(monkeypatch):
    """Two tasks for each are enough where their number does not matter."""
    monkeypatch.setattr(work, "TASKS_EACH", 2)


def test_it_makes_three_groups_twelve_users_and_three_hundred_tasks(run, store):
    done = run("demo")
    assert done.exit_code == 0, done.output
    assert "Made 3 groups, 12 users and 300 tasks." in done.output
    found = orjson.loads(statistics.read_statistics(store, OWNER).body)
    assert (found["total_tasks"], found["total_users"]) == (300, 13)
    assert sorted(found["group_task_counts"]) == ["1", "2", "3"]
    assert 0.25 < found["completion_rate"] / 100 < 0.6
    assert found["overdue_tasks"] > 10
    assert scrub.differences(store) == []


def test_the_tasks_are_different_and_around_today(run, store):
    done = run("demo")
    assert done.exit_code == 0, done.output
    tasks = [record for record in stored_records(store) if type(record) is TASK.record]
    assert len({task.title for task in tasks}) == 300
    days = [
        abs((now().date().fromisoformat(task.deadline) - now().date()).days)
        for task in tasks
        if task.deadline
    ]
    assert max(days) < 40
    assert any(task.deadline and task.deadline > today() for task in tasks)
    assert {tag for task in tasks for tag in task.tags} >= {"bug", "customers", "purchasing"}


def test_a_second_run_says_that_it_is_there(run, store, few):
    run("demo")
    version = store.redis.hget("meta", "version")
    done = run("demo")
    assert done.exit_code == 0
    assert "The demo is there already." in done.output
    assert store.redis.hget("meta", "version") == version


def test_a_run_that_was_interrupted_is_taken_up(run, store, monkeypatch):
    made = []

    def step():
        made.append(1)
        if len(made) == 50:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        making.make(store, step)
    run("demo")
    assert orjson.loads(statistics.read_statistics(store, OWNER).body)["total_tasks"] == 300


def test_each_group_has_the_admin_who_leads_it(run, store, few):
    run("demo")
    for group_id, person in zip((1, 2, 3), [person for person in PEOPLE if person.leads], strict=True):
        group = codec.as_sent(store.redis.get(f"group:{group_id}"))
        admin = codec.as_sent(store.redis.get(f"user:{group['admin_id']}"))
        assert (group["name"], admin["username"], admin["role"]) == (
            person.leads,
            person.username,
            "group_admin",
        )


def test_its_people_can_sign_in(run, store, few):
    done = run("demo")
    assert f"curl -u priya.nair:{PASSWORD} http://127.0.0.1:7890/v1/tasks/stats" in done.output
    login = accounts.log_in(
        store, Claim(0), "priya.nair", PASSWORD, accounts.Device("127.0.0.1", "test"), life_seconds=60
    )
    assert orjson.loads(login.user.body)["full_name"] == "Priya Nair"


def test_no_limit_stops_it(run, store, few):
    limited = replace(store, limits=(Limit(5, 60_000),))
    assert making.make(limited, lambda: None).tasks == 24


def test_it_is_not_made_in_production(run, app):
    app.config["SETTINGS"] = replace(app.config["SETTINGS"], taskapi_env="production")
    done = run("demo")
    assert done.exit_code == 1
    assert "not made in production" in done.output


def test_without_the_product_it_says_what_to_start(run, store):
    store.redis.hset("meta", "state", "closed")
    done = run("demo")
    assert done.exit_code == 1
    assert "`make run`" in done.output


def test_a_part_in_the_trash_is_said(run, store, few):
    run("demo")
    users.delete_user(store, Claim(1, Right.DELETE_USER), 5)
    done = run("demo")
    assert done.exit_code == 1
    assert "This email is already taken. A part of the demo may lie in the trash" in done.output
