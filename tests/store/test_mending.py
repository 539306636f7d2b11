"""A repair of lists and counters while others write, or where it may not write."""

import threading
import time

import pytest

from taskapi.domain import failpoints
from taskapi.domain.clock import timestamp
from taskapi.domain.errors import Unavailable
from taskapi.domain.records import User
from taskapi.store import mending, scrub, straying
from taskapi.store.client import Store
from taskapi.store.expected import Ledger
from tests.store.conftest import Maker


def test_what_is_written_between_the_reading_and_the_repair_counts(filled: Store, make: Maker):
    filled.redis.hincrby("counts:all", "0:2", 5)
    filled.redis.zadd("tasks:all:0:2", {"77": 77})

    def write() -> None:
        make.changed(make.task(tags=("b",)), priority=1)

    with failpoints.armed("mending.computed", write), failpoints.armed("mending.read", write):
        found = scrub.scrub(filled, repair=True)

    assert found.is_exact
    assert scrub.differences(filled) == []


def test_a_repair_beside_writers_never_undoes_a_write(filled: Store, make: Maker):
    for _ in range(30):
        make.task(tags=("a",))
    filled.redis.hset("ids", "task:ceiling", 900_000)
    stop = threading.Event()
    failed: list[BaseException] = []

    def write(number: int) -> None:
        own = Maker(filled)
        try:
            while not stop.is_set():
                task = own.task(tags=("a", f"w{number}"), priority=1 + number)
                task = own.changed(task, tags=("b",), deadline="2026-02-02")
                own.purged(own.changed(task, deleted_at=timestamp()))
                time.sleep(0.002)
        except BaseException as fault:  # noqa: BLE001 - told by the test itself
            failed.append(fault)

    writers = [threading.Thread(target=write, args=(number,)) for number in range(2)]
    for writer in writers:
        writer.start()
    try:
        for _ in range(5):
            filled.redis.hincrby("counts:all", "0:2", 3)
            filled.redis.zadd("tasks:all:0:1", {"999999": 5})
            found = scrub.scrub(filled, repair=True)
            assert found.unproved == []
            assert any(told.startswith("counts:all: 0:2 ") for told in found.repaired)
            assert any(told.startswith("tasks:all:0:1: 999999 ") for told in found.repaired)
    finally:
        stop.set()
        for writer in writers:
            writer.join()

    assert failed == []
    assert scrub.differences(filled) == []


def test_writers_that_leave_no_moment_leave_it_unproved(
    filled: Store, make: Maker, monkeypatch: pytest.MonkeyPatch
):
    filled.redis.hincrby("counts:all", "0:2", 5)
    caught_up = mending._Proof.catch_up

    def written_at_once(proof: mending._Proof) -> None:
        caught_up(proof)
        make.group(name=f"g{proof.version}")

    monkeypatch.setattr(mending._Proof, "catch_up", written_at_once)
    found = scrub.scrub(filled, repair=True)

    assert found.unproved == ["counts:all: written all the while."]
    assert not found.is_exact


def test_a_journal_that_does_not_reach_back_proves_nothing(filled: Store, make: Maker):
    filled.redis.hincrby("counts:all", "0:2", 5)

    def write_and_trim() -> None:
        for number in range(3):
            make.group(name=f"g{number}")
        filled.redis.xtrim("journal", maxlen=1, approximate=False)

    with failpoints.armed("mending.computed", write_and_trim):
        found = scrub.scrub(filled, repair=True)

    assert found.unproved == ["counts:all: written all the while."]
    assert filled.redis.hget("counts:all", "0:2") == b"6"


def test_a_redis_that_is_not_open_is_not_touched(filled: Store):
    filled.redis.hincrby("counts:all", "0:2", 5)
    filled.redis.zrem("dirty:since", "task:1")
    filled.redis.hset("meta", "state", "closed")
    assert len(scrub.differences(filled)) == 2

    with pytest.raises(Unavailable):
        scrub.scrub(filled, repair=True)
    filled.redis.zadd("dirty:since", {"task:1": 1})
    with pytest.raises(Unavailable):
        scrub.scrub(filled, repair=True)

    assert filled.redis.hget("counts:all", "0:2") == b"6"


def test_a_redis_that_is_closed_before_the_repair_is_not_touched(filled: Store):
    filled.redis.hincrby("counts:all", "0:2", 5)

    def close() -> None:
        filled.redis.hset("meta", "state", "closed")

    with failpoints.armed("mending.computed", close), pytest.raises(Unavailable):
        scrub.scrub(filled, repair=True)

    assert filled.redis.hget("counts:all", "0:2") == b"6"


def test_half_a_mark_is_found_among_thousands(filled: Store):
    names = {f"task:{number}": number for number in range(1000, 3000)}
    filled.redis.zadd("dirty", names)
    filled.redis.zadd("dirty:since", names)
    filled.redis.zrem("dirty", "task:2222")

    assert [name for part in straying.half_marks(filled) for name in part] == ["task:2222"]


def test_of_two_holders_the_first_stands_whoever_is_read_or_leaves_first():
    users = [
        User(id=number, username="Ada", full_name="Ada", created_at="", updated_at="") for number in (1, 2)
    ]
    ledger = Ledger(["unique:user:username"])
    for user in (*users, *reversed(users)):
        ledger.note(f"user:{user.id}", user)
        assert ledger.contents == {"unique:user:username": {"ada": "1"}}
    ledger.note("user:2", None)
    assert ledger.contents == {"unique:user:username": {"ada": "1"}}
    ledger.note("user:1", None)
    assert ledger.contents == {"unique:user:username": {}}


def test_many_wrong_keys_are_proved_in_several_passes(filled: Store, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(scrub, "MOST_PLACES", 1)
    for name in ("counts:all", "counts:u1", "tasks:all:0:2"):
        filled.redis.delete(name)
    shares: list[float] = []

    found = scrub.scrub(filled, repair=True, progress=shares.append, pause=0.001)

    assert found.is_exact
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    assert scrub.differences(filled) == []


def test_what_there_was_no_time_for_is_unproved(filled: Store):
    filled.redis.hincrby("counts:all", "0:2", 5)
    found = scrub.scrub(filled, repair=True, seconds=0)
    assert found.unproved == ["counts:all: there was no time to read it."]
    assert not found.is_exact


def test_of_two_that_hold_one_value_the_first_is_its_holder(filled: Store, make: Maker):
    make.user(username="Bob")
    second = filled.redis.get("user:2").replace(b'"Bob"', b'"ADA"')
    filled.redis.set("user:2", second)

    assert scrub.scrub(filled, repair=True).is_exact

    assert filled.redis.hgetall("unique:user:username") == {b"ada": b"1"}
    assert scrub.differences(filled) == []
