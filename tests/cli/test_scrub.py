"""`flask scrub`: what is wrong with an index or a counter is said, and nothing else is."""

from taskapi.store import scrub
from tests.store.conftest import Maker


def test_a_sound_store_is_proved(run, store):
    Maker(store).task(tags=("a",), deadline="2026-01-01")
    done = run("scrub")
    assert (done.exit_code, done.output) == (0, "Every index and counter is what the records say.\n")


def test_each_wrong_key_is_a_sentence(run, store):
    Maker(store).task()
    store.redis.hincrby("counts:all", "0:2", 1)
    store.redis.zadd("tasks:all:0:3", {str(number): number for number in range(1, 8)})
    done = run("scrub")
    assert done.exit_code == 1
    listed = "; ".join(f"{number} is {number}.0 and should be absent" for number in range(1, 6))
    assert done.output.splitlines() == [
        "counts:all: 0:2 is 2 and should be 1.",
        f"tasks:all:0:3: {listed}; and 2 more.",
    ]


def test_a_write_meanwhile_is_no_difference(run, store, monkeypatch):
    make, once, calls = Maker(store), scrub.differences, []

    def busy(opened):
        calls.append(1)
        found = once(opened)
        if len(calls) == 1:
            make.task()
            return ["something was half written"]
        return found

    monkeypatch.setattr(scrub, "differences", busy)
    assert run("scrub").exit_code == 0
    assert len(calls) == 2


def test_writes_that_never_end_are_said(run, store, monkeypatch):
    make = Maker(store)

    def busy(_):
        make.task()
        return ["something is half written"]

    monkeypatch.setattr(scrub, "differences", busy)
    done = run("scrub")
    assert done.exit_code == 1
    assert "Stop the writers" in done.output
