"""What is remembered is loaded once, however many ask, whoever dies, whatever is away."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from redis import Redis

from taskapi.domain import deadlines
from taskapi.embedded.servers import Servers
from taskapi.store import cache, keys
from taskapi.store.cache import Cache, remembered

KEY = "cache:weather"
NOWHERE = "redis://127.0.0.1:1/0"


@pytest.fixture
def kept(servers: Servers, redis_broker: Redis) -> Cache:
    return cache.connect(servers.urls["broker"])


class Loader:
    """Counts how often it loads; takes its time, and fails as often as told."""

    def __init__(self, seconds: float = 0.0, failures: int = 0) -> None:
        self.loads, self.seconds, self.failures = 0, seconds, failures
        self._lock = threading.Lock()

    def __call__(self) -> bytes:
        with self._lock:
            self.loads += 1
            load = self.loads
        time.sleep(self.seconds)
        if load <= self.failures:
            raise LookupError(f"load {load} fails")
        return b"load %d" % load


def test_an_answer_is_loaded_once_and_then_remembered(kept: Cache) -> None:
    load = Loader()
    assert [remembered(kept, KEY, 60, load) for _ in range(3)] == [b"load 1"] * 3


def test_an_empty_answer_is_remembered_too(kept: Cache) -> None:
    assert [remembered(kept, KEY, 60, answer) for answer in (lambda: b"", lambda: b"other")] == [b"", b""]


def test_twenty_who_ask_at_once_have_it_loaded_once(kept: Cache) -> None:
    load = Loader(seconds=0.2)
    assert set(at_once(20, lambda: remembered(kept, KEY, 60, load))) == {b"load 1"}
    assert load.loads == 1


def test_different_keys_do_not_wait_for_each_other(kept: Cache) -> None:
    both = threading.Barrier(2, timeout=10)

    def load() -> bytes:
        both.wait()
        return b"met"

    with ThreadPoolExecutor(2) as pool:
        found = pool.map(lambda key: remembered(kept, key, 60, load), ("cache:a", "cache:b"))
    assert list(found) == [b"met", b"met"]


def test_a_failure_is_told_and_not_remembered_and_the_others_go_on(kept: Cache) -> None:
    load = Loader(seconds=0.05, failures=1)

    def ask() -> bytes:
        try:
            return remembered(kept, KEY, 60, load)
        except LookupError as fault:
            return str(fault).encode()

    assert sorted(at_once(10, ask)) == [b"load 1 fails", *[b"load 2"] * 9]
    assert load.loads == 2


def test_an_answer_is_loaded_anew_when_its_time_is_over(kept: Cache) -> None:
    load = Loader()
    assert remembered(kept, KEY, 0.05, load) == b"load 1"
    wait_until(lambda: not kept.redis.exists(KEY))
    assert remembered(kept, KEY, 0.05, load) == b"load 2"


def test_nothing_is_left_in_the_broker_but_what_is_remembered(kept: Cache) -> None:
    remembered(kept, KEY, 60, Loader())
    with pytest.raises(LookupError):
        remembered(kept, "cache:other", 60, Loader(failures=1))
    assert kept.redis.keys("*") == [KEY.encode()]
    assert 0 < kept.redis.pttl(KEY) <= 60_000


def test_whoever_dies_while_loading_holds_up_the_others_for_a_while_only(kept: Cache) -> None:
    kept.redis.set(keys.loading(KEY), "of one who is dead", px=200)
    load = Loader()
    assert remembered(kept, KEY, 60, load) == b"load 1"
    assert not kept.redis.exists(keys.loading(KEY))


def test_a_turn_that_nobody_ends_ends_by_itself(kept: Cache) -> None:
    left: list[int] = []

    def load() -> bytes:
        left.append(kept.redis.pttl(keys.loading(KEY)))
        return b""

    remembered(kept, KEY, 60, load)
    assert 0 < left[0] <= cache.LOAD_SECONDS * 1000


@pytest.mark.parametrize("outer", [False, True])
def test_whoever_has_no_more_patience_loads_for_itself(kept: Cache, outer: bool) -> None:
    kept.redis.set(keys.loading(KEY), "of one who is slow", px=60_000)
    load = Loader()
    if outer:
        with deadlines.within(0.1):
            assert remembered(kept, KEY, 60, load) == b"load 1"
    else:
        assert remembered(kept, KEY, 60, load, patience=0.1) == b"load 1"
    assert kept.redis.get(keys.loading(KEY)) == b"of one who is slow"


def test_an_answer_that_comes_while_one_takes_its_turn_is_taken(
    kept: Cache, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between its look and its turn another has loaded."""
    asked = cache._asked_for_turn

    def late(*given: object) -> object:
        kept.redis.set(KEY, b"of another")
        return asked(*given)

    monkeypatch.setattr(cache, "_asked_for_turn", late)
    load = Loader()
    assert remembered(kept, KEY, 60, load) == b"of another"
    assert load.loads == 0
    assert not kept.redis.exists(keys.loading(KEY))


def test_while_the_broker_is_away_everybody_loads() -> None:
    load = Loader()
    away = cache.connect(NOWHERE)
    assert [remembered(away, KEY, 60, load) for _ in range(2)] == [b"load 1", b"load 2"]


def test_a_broker_that_goes_away_during_the_load_takes_nothing_from_the_answer(kept: Cache) -> None:
    def load() -> bytes:
        object.__setattr__(kept, "redis", cache.connect(NOWHERE).redis)
        return b"loaded"

    assert remembered(kept, KEY, 60, load) == b"loaded"


def at_once(count: int, ask: Callable[[], bytes]) -> list[bytes]:
    start = threading.Barrier(count, timeout=10)

    def one(_: int) -> bytes:
        start.wait()
        return ask()

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(one, range(count)))


def wait_until(holds: Callable[[], bool]) -> None:
    until = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < until
        time.sleep(0.01)
