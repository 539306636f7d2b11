"""`flask scrub`: what is wrong with an index or a counter is said, and nothing else is."""

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


def test_a_repair_says_what_it_has_put_right(run, store):
    Maker(store).task()
    store.redis.hincrby("counts:all", "0:2", 1)
    done = run("scrub", "--repair")
    assert done.exit_code == 0
    assert done.output.splitlines() == [
        "Put right: counts:all: 0:2 is 2 and should be 1.",
        "Every index and counter is what the records say.",
    ]
    assert run("scrub").exit_code == 0


def test_a_text_that_is_no_record_is_said_and_stays(run, store):
    store.redis.set("task:1", "{")
    done = run("scrub", "--repair")
    assert done.exit_code == 1
    assert done.output == "task:1: its text in Redis is no record of its kind.\n"
