"""A minute of chaos over the whole product, and that the checker sees what it is there to see."""

import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg2
import pytest
from redis import Redis

from tests.chaos.client import Answer
from tests.chaos.findings import DOUBLED, LOST, RISEN, WRONG, Findings
from tests.chaos.model import GROUP, LIVE, TASK, Known, World
from tests.chaos.plan import Plan
from tests.chaos.stores import look
from tests.chaos.story import Story
from tests.chaos.telling import told
from tests.chaos.verdict import judge
from tests.chaos.writer import Writer

SECONDS = 40.0
NOBODYS = 10**12
"""So far above is no id, however often ids have gone on behind a gap."""


@pytest.fixture(scope="module")
def story() -> Iterator[Story]:
    """A product that has been through it, and still runs."""
    folder = Path(tempfile.mkdtemp(prefix="taskapi-chaos-"))
    folder.chmod(0o711)
    seed = time.time_ns() % 10**6
    made = Story(Plan(SECONDS, seed, writers=3, crowds=0, write_pause=0.06, fault_pause=1.0), folder)
    try:
        with made.told():
            made.run()
            made.judge()
            yield made
    finally:
        shutil.rmtree(folder)


def test_nothing_acknowledged_is_lost_doubled_or_risen_whatever_is_killed(story: Story):
    account = told(story)
    print(account)
    assert story.findings.told == [], f"{account}\n{story.house.last_words()}"
    assert story.tally.writes["ok"] > 100
    assert len(story.pulse.faults) > 5


def judged(story: Story, *more: World) -> Findings:
    """What the checker finds in the product as it is now."""
    findings = Findings()
    judge([*story.crew.worlds(), *more], look(story.crew.owner, story.house.urls["postgres"]), findings)
    return findings


def require_told(story: Story, *words: str, of: tuple[World, ...] = ()) -> None:
    """The checker says these words, and no other."""
    findings = judged(story, *of)
    assert {word for word, _ in findings.told} == set(words), findings.told


@pytest.fixture
def redis(story: Story) -> Iterator[Redis]:
    """The data Redis, behind the product's back."""
    with Redis.from_url(story.house.urls["redis"], decode_responses=True) as client:
        yield client


@pytest.fixture
def task(story: Story) -> Known:
    """A task that must be there."""
    return next(task for writer in story.crew.writers for task in writer.world.live(TASK) if task.is_exact)


def test_the_checker_misses_an_acknowledged_write(story: Story):
    record = {"id": NOBODYS, "version": 1, "created_at": "2030-01-01T00:00:00.000Z"}
    told_of = World()
    told_of.made(GROUP, record, {"name": "acknowledged"})
    require_told(story, LOST, of=(told_of,))
    require_told(story)


def test_the_checker_misses_a_record_that_was_taken_out_of_redis(story: Story, redis: Redis, task: Known):
    kept = redis.getdel(f"task:{task.id}")
    try:
        require_told(story, LOST)
    finally:
        redis.set(f"task:{task.id}", kept)


def test_the_checker_sees_an_older_record(story: Story, redis: Redis, task: Known):
    kept = redis.get(f"task:{task.id}")
    older = kept.replace(f'"version":{task.version}}}', f'"version":{task.version - 1}}}')
    assert older != kept
    redis.set(f"task:{task.id}", older)
    try:
        require_told(story, LOST)
    finally:
        redis.set(f"task:{task.id}", kept)


def test_the_checker_sees_a_lost_update_of_what_is_counted_together(story: Story):
    counter = next(each for each in story.crew.counters if each.added)
    task_id = next(iter(counter.added))
    counter.added[task_id] += 1
    try:
        require_told(story, LOST)
    finally:
        counter.added[task_id] -= 1


def test_the_checker_sees_a_counter_that_is_wrong(story: Story, redis: Redis):
    key = next(iter(redis.scan_iter("counts:u*:g0")))
    field = next(field for field in redis.hkeys(key) if field.startswith(("0:", "1:")))
    redis.hincrby(key, field, 1)
    redis.hincrby("counts:all", field, 1)
    try:
        require_told(story, WRONG)
    finally:
        redis.hincrby(key, field, -1)
        redis.hincrby("counts:all", field, -1)


def test_the_checker_misses_an_entry_of_the_journal(story: Story, task: Known):
    connection = psycopg2.connect(story.house.urls["postgres"].replace("+psycopg2", ""))
    moved = "UPDATE change SET record_id = record_id + %s WHERE version = %s"
    try:
        with connection, connection.cursor() as cursor:
            cursor.execute(moved, (NOBODYS, task.version))
        require_told(story, LOST)
        with connection, connection.cursor() as cursor:
            cursor.execute(moved, (-NOBODYS, task.version))
    finally:
        connection.close()


@pytest.fixture
def writer(story: Story) -> Writer:
    """One of the writers, who tells nobody else what he finds."""
    one = story.crew.writers[0]
    return Writer(one.client, Findings(), one.dice, one.world)


def test_a_writer_sees_a_repeated_request_that_is_answered_otherwise(writer: Writer, task: Known):
    request = writer.client.request("PUT", f"/tasks/{task.id}", {"title": task.fields["title"]})
    first = writer.client.send(request)
    writer.again(request, Answer(200, {}, {"data": dict(first.data) | {"id": 0}}))
    assert [word for word, _ in writer.findings.told] == [DOUBLED]


def test_a_writer_sees_a_version_that_fell(writer: Writer, task: Known):
    writer.read(task)
    assert writer.findings.told == []
    task.version += 1
    try:
        writer.read(task)
    finally:
        task.version -= 1
    assert [word for word, _ in writer.findings.told] == [LOST]


BEHIND: dict[str, Callable[[Story, Known], None]] = {
    RISEN: lambda story, task: _sent(story, "POST", f"/tasks/{task.id}/restore"),
    DOUBLED: lambda story, task: _sent(story, "POST", "/tasks", {"title": "made twice", "user_id": 1}),
}


@pytest.mark.parametrize("word", [RISEN, DOUBLED])
def test_the_checker_sees_what_nobody_has_done(story: Story, word: str):
    """Last, for what was done cannot be undone without a trace."""
    trashed = next(
        task
        for writer in story.crew.writers
        for task in writer.world.trashed(TASK)
        if writer.world.records["user", task.fields["user_id"]].state == LIVE
    )
    BEHIND[word](story, trashed)
    assert judged(story).counts[word] > 0


def _sent(story: Story, method: str, path: str, body: object = None) -> None:
    assert story.crew.owner.write(method, path, body).is_ok
