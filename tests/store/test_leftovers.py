"""What has no end of its own is found and taken away, and nothing else."""

import time

import pytest
from redis import Redis

from taskapi.domain.callers import Claim, Operation
from taskapi.domain.clock import timestamp
from taskapi.domain.errors import Unavailable
from taskapi.domain.records import Credential, Task
from taskapi.embedded.servers import Servers
from taskapi.store import jobs, leftovers, sessions
from taskapi.store.client import Limit, Store, connect
from taskapi.store.plans import Change
from taskapi.store.reading import Question, ask
from taskapi.store.records import save
from tests.store.conftest import SYSTEM, Maker, open_anew

LIFE = 3600


@pytest.fixture
def people(store: Store, make: Maker) -> list[tuple[int, int]]:
    """The ids of two users, each with the version of the password."""
    found = []
    for number in (1, 2):
        make.user(full_name=f"U{number}")
        login = Credential(password_hash="x", updated_at=timestamp())
        made = save(store, SYSTEM, [Change(None, login, "created", str(number))]).first
        found.append((number, made.version))
    return found


def signed_in(store: Store, person: tuple[int, int], life: int = LIFE) -> str:
    return sessions.begin(store, Claim(0), *person, life, {"address": "-", "agent": "-"}).id


def test_ended_sessions_leave_their_list_and_live_ones_stay(store: Store, people: list[tuple[int, int]]):
    ended = [signed_in(store, person) for person in people for _ in range(3)]
    live = [signed_in(store, person) for person in people]
    for number, name in enumerate(ended):
        store.redis.delete(f"session:{1 + number // 3}:{name}")  # as their time brings it about

    assert leftovers.sessions(store, dry_run=True) == 6
    assert store.redis.zcard("sessions:1") == 4
    seen: list[float] = []
    assert leftovers.sessions(store, progress=seen.append) == 6

    for number in (1, 2):
        assert store.redis.zrange(f"sessions:{number}", 0, -1) == [live[number - 1].encode()]
        assert len(sessions.of_user(store, number)) == 1
    assert leftovers.sessions(store) == 0
    assert seen == sorted(seen)
    assert seen[-1] > 0


def test_among_many_keys_each_list_is_found(store: Store, people: list[tuple[int, int]]):
    store.redis.mset({f"op:{number}": "" for number in range(3000)})
    store.redis.zadd("sessions:2", {"gone": 1})
    assert leftovers.sessions(store) == 1


def test_the_list_of_sessions_lasts_as_long_as_each_of_them(store: Store, people: list[tuple[int, int]]):
    long = signed_in(store, people[0])
    signed_in(store, people[0], 1)
    assert store.redis.ttl("sessions:1") > LIFE - 60
    time.sleep(1.1)
    assert leftovers.sessions(store) == 1
    assert store.redis.zrange("sessions:1", 0, -1) == [long.encode()]
    assert sessions.end(store, Claim(1), 1).count == 1


def named(number: int) -> Claim:
    return Claim(1, operation=Operation(f"k{number}", "f"))


def written(store: Store, make: Maker, count: int) -> None:
    task = make.task()
    for number in range(count):
        now = Task(title="t", user_id=1, created_at=task.created_at, updated_at=task.updated_at)
        save(store, named(number), [Change(None, now, "created")])


def test_forgotten_answers_leave_their_list_and_others_are_given_again(
    store: Store, make: Maker, people: list[tuple[int, int]]
):
    written(store, make, 5)
    names = [name.decode() for name in store.redis.zrange("kept:1", 0, -1)]
    store.redis.delete(*names[:3])  # as their time brings it about
    assert leftovers.answers(store, dry_run=True) == 3
    assert leftovers.answers(store) == 3
    assert [name.decode() for name in store.redis.zrange("kept:1", 0, -1)] == names[3:]
    assert ask(store, named(4), Question()).replayed is not None
    assert leftovers.answers(store) == 0


def test_what_writes_and_sign_ins_leave_behind_has_an_end(
    store: Store, make: Maker, people: list[tuple[int, int]]
):
    written(store, make, 3)
    session = sessions.begin(store, named(9), *people[0], LIFE, {})
    sessions.rotate(store, named(10), session, LIFE)
    sessions.end(store, named(11), 2)
    save(store, SYSTEM, [])
    for family in ("op:*", "session:*", "sessions:*", "kept:*"):
        found = store.redis.keys(family)
        assert found, family
        assert all(store.redis.ttl(name) > 0 for name in found), family


def test_callers_who_have_all_calls_back_are_forgotten_without_a_word_in_the_file(
    servers: Servers, store: Store, people: list[tuple[int, int]]
):
    limited = connect(servers.urls["redis"], (Limit(100, 60_000),))
    for number in (1, 2):
        ask(limited, Claim(number), Question())
    long_ago = {f"{number}:100:60000": "1000000" for number in range(10, 3010)}
    store.redis.hset("limits", mapping=long_ago)
    before = store.redis.info("persistence")["aof_current_size"]

    assert leftovers.limits(store, dry_run=True) == 3000
    assert store.redis.hlen("limits") == 3002
    seen: list[float] = []
    assert leftovers.limits(store, progress=seen.append) == 3000

    assert set(store.redis.hkeys("limits")) == {b"1:100:60000", b"2:100:60000"}
    assert store.redis.info("persistence")["aof_current_size"] == before
    assert leftovers.limits(store) == 0
    assert seen == sorted(seen)
    assert len(seen) > 2
    limited.redis.close()


def test_limits_that_come_back_with_the_file_are_forgotten_again(
    servers: Servers, store: Store, people: list[tuple[int, int]]
):
    store.redis.hset("limits", "9:100:60000", "1000000")  # as a rewrite of the file would have it
    assert leftovers.limits(store) == 1
    servers.stop("redis")
    servers.start("redis")
    assert store.redis.hgetall("limits") == {b"9:100:60000": b"1000000"}
    store.redis.delete("meta")
    open_anew(store)
    assert leftovers.limits(store) == 1
    assert store.redis.exists("limits") == 0


def test_a_store_that_is_not_open_is_left_alone(store: Store, people: list[tuple[int, int]]):
    name = signed_in(store, people[0])
    store.redis.delete(f"session:1:{name}")
    store.redis.hset("meta", "state", "restoring")
    with pytest.raises(Unavailable):
        leftovers.sessions(store)
    assert store.redis.zcard("sessions:1") == 1


def test_forgotten_jobs_leave_their_list(servers: Servers, redis_broker: Redis):
    broker = jobs.connect(servers.urls["broker"])
    kept = jobs.create(broker, "force")
    redis_broker.zadd("jobs", {"old": time.time() - jobs.KEPT_SECONDS - 1})
    assert jobs.forget(broker, dry_run=True) == 1
    assert jobs.forget(broker) == 1
    assert redis_broker.zrange("jobs", 0, -1) == [kept.id.encode()]
    assert jobs.forget(broker) == 0
    broker.redis.close()
