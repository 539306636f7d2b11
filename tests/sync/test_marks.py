"""Marks, jobs and checks at their edges."""

from collections.abc import Iterator

import pytest
from redis import Redis
from redis.exceptions import ResponseError

from taskapi.domain.errors import Unavailable
from taskapi.embedded.servers import Servers
from taskapi.store import checks, client, contents, dirty, jobs, safety, state
from taskapi.store.client import Store
from taskapi.store.jobs import Jobs
from taskapi.store.kinds import TASK
from tests.sync.conftest import change, new_task, purge


@pytest.fixture
def broker(servers: Servers, redis_broker: Redis) -> Iterator[Jobs]:
    broker = jobs.connect(servers.urls["broker"])
    yield broker
    broker.redis.close()


def test_a_closed_redis_shows_nothing_to_carry(opened: Store):
    dirty.peek(opened)
    state.close(opened)
    with pytest.raises(Unavailable):
        dirty.peek(opened)


def test_nothing_is_marked_for_nothing(opened: Store):
    before = dirty.count(opened)
    contents.mark_dirty(opened, {})
    assert dirty.count(opened) == before
    assert contents.versions(opened, TASK, []) == contents.present(opened, TASK, []) == []


def test_a_mark_never_goes_back_to_an_older_version(opened: Store):
    task = new_task(opened)
    later = change(opened, task, title="later")
    contents.mark_dirty(opened, {"task:1": task.version})

    marks = {mark.name: mark.version for mark in dirty.peek(opened).marks}
    assert marks["task:1"] == later.version


def test_a_just_purged_record_still_has_a_version(opened: Store):
    task = new_task(opened)
    purge(opened, task)
    assert contents.versions(opened, TASK, [task.id, 99]) == [state.look(opened).version, 0]


def test_a_quarantined_record_still_waits_for_postgresql(opened: Store):
    new_task(opened)
    dirty.quarantine(opened, dirty.peek(opened).marks, "a test")

    assert dirty.count(opened) == 0
    assert not dirty.is_committed(opened, ["task:1"])
    assert dirty.is_committed(opened, ["task:2"])


def test_forgotten_quarantine_is_cleared_away(opened: Store):
    opened.redis.hset("quarantine", "task:9", "{}")
    assert dirty.rearm(opened) == 0
    assert dirty.backlog(opened).quarantined == {}


def test_a_quarantine_for_an_older_version_is_not_set(opened: Store):
    task = new_task(opened)
    marks = dirty.peek(opened).marks
    change(opened, task, title="later")

    assert dirty.quarantine(opened, marks, "a test") == 1  # user 1 alone
    assert list(dirty.backlog(opened).quarantined) == ["user:1"]


def test_jobs_are_listed_from_the_newest(broker: Jobs):
    made = [jobs.create(broker, "force") for _ in range(3)]

    found, total = jobs.newest(broker, 0, 2)

    assert [job.id for job in found] == [made[2].id, made[1].id]
    assert total == 3
    assert jobs.newest(broker, 3, 2) == ([], 3)


def test_a_redis_that_refuses_to_show_its_settings_is_not_called_safe(
    opened: Store, monkeypatch: pytest.MonkeyPatch
):
    def refuse(*names: str) -> None:
        raise ResponseError("unknown command CONFIG")

    assert safety.flaws(opened) == []
    monkeypatch.setattr(opened.redis, "config_get", refuse)
    hidden = {flaw.what: flaw.is_now for flaw in safety.flaws(opened)}
    assert hidden == {"appendfsync": "unknown", "no-appendfsync-on-rewrite": "unknown"}


def test_a_redis_that_is_away_has_no_room_to_tell():
    with pytest.raises(Unavailable):
        checks.room(client.connect("redis://127.0.0.1:1/0"))


@pytest.mark.parametrize("answer", [b"# Server\r\nrun_id:abc\r\n", {"run_id": "abc"}])
def test_the_server_process_is_known_by_its_run_id(answer: object):
    assert state._run_of(answer) == "abc"
