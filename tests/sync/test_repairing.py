"""A repair puts right what has not moved, never undoes a write, and tells what it cannot do."""

import threading
import time

import pytest

from taskapi.db.engine import Engine
from taskapi.domain import failpoints
from taskapi.domain.errors import Unavailable
from taskapi.domain.records import Task
from taskapi.store import contents, dirty, state
from taskapi.store.client import Store
from taskapi.store.kinds import KINDS
from taskapi.sync import auditing, repairing
from taskapi.sync.auditing import audit
from taskapi.sync.compare import Comparison, compare
from taskapi.sync.flush import drain
from tests.sync.conftest import change, new_task, purge
from tests.sync.drifts import DRIFTS, edit, lost_a_change, lost_a_family, require_exact, task
from tests.sync.test_flush import run_sql


def test_a_repair_beside_writers_never_undoes_a_write(
    house: Store, engine: Engine, monkeypatch: pytest.MonkeyPatch
):
    """Tasks are damaged in both stores while they are written: what was written last is what stays."""
    monkeypatch.setattr(auditing, "CARRY_SECONDS", 0.3)
    made = [new_task(house, title="0") for _ in range(6)]
    drain(house, engine, 5)
    stop, last, failed = threading.Event(), {each.id: "0" for each in made}, []

    def write(own: list[Task]) -> None:
        try:
            while not stop.is_set():
                for place, each in enumerate(own):
                    title = f"{int(each.title) + 1}"
                    own[place] = change(house, each, title=title, priority=1 + int(title) % 3)
                    last[each.id] = title
                time.sleep(0.002)
        except BaseException as fault:  # noqa: BLE001 - told by the test itself
            failed.append(fault)

    def carry() -> None:
        while not stop.is_set():
            drain(house, engine, 5)

    threads = [
        threading.Thread(target=write, args=(made[:3],)),
        threading.Thread(target=write, args=(made[3:],)),
    ]
    threads.append(threading.Thread(target=carry))
    for thread in threads:
        thread.start()
    try:
        for _ in range(2):
            run_sql(engine, "UPDATE tasks SET title = 'forged', version = version - 1 WHERE id >= 5")
            run_sql(engine, "DELETE FROM tasks WHERE id IN (5, 8)")
            house.redis.hincrby("counts:all", "0:2", 1)
            house.redis.delete("user:2")
            report = audit(house, engine)
            assert any(told.startswith("user:2: Redis lacked") for told in report["repaired"])
            assert report["left"] == []
    finally:
        stop.set()
        for thread in threads:
            thread.join()

    assert failed == []
    assert {number: task(house, number).title for number in last} == last
    audit(house, engine)
    require_exact(house, engine)


@pytest.mark.parametrize("line", ["repairing.looked", "repairing.decided"])
@pytest.mark.parametrize(
    "drift", ["a row is gone", "a row was changed by hand", "a key is gone", "a text is older"]
)
def test_a_record_that_moves_before_its_repair_is_left_to_its_writer(
    house: Store, engine: Engine, drift: str, line: str
):
    """Whatever was decided: what was written since stays."""
    number = 3 if drift == "a key is gone" else 1
    kept = house.redis.get(f"task:{number}")
    DRIFTS[drift][0](house, engine)
    found = compare(house, engine)
    written: list[str] = []

    def write() -> None:
        if not written:
            house.redis.set(f"task:{number}", house.redis.get(f"task:{number}") or kept)
            written.append(change(house, task(house, number), title="written").title)

    with failpoints.armed(line, write):
        done = repairing.repair(house, engine, found)

    assert written
    assert (done.repaired, done.left) == ([], [])
    assert task(house, number).title == "written"
    audit(house, engine)
    require_exact(house, engine)


def test_a_row_that_was_purged_while_its_burial_was_decided_stays(house: Store, engine: Engine):
    DRIFTS["a purged row is there again"][0](house, engine)
    found = compare(house, engine)

    def purge_again() -> None:
        run_sql(engine, "UPDATE tasks SET purged = true, version = version + 9 WHERE id = 4")

    with failpoints.armed("repairing.decided", purge_again):
        assert repairing.repair(house, engine, found).repaired == []


def test_a_purge_that_is_still_on_its_way_counts(house: Store, engine: Engine):
    """Its journal is not carried yet, and its mark was lost."""
    purge(house, task(house, 1))
    house.redis.delete("dirty", "dirty:since", "purged:task:1")
    found = compare(house, engine)

    done = repairing.repair(house, engine, found)

    assert done.repaired == [f"task:1: {repairing.Act.BURY}."]
    drain(house, engine, 5)
    require_exact(house, engine)


def test_a_change_that_neither_store_has_is_told(house: Store, engine: Engine):
    lost_a_change(house, engine)
    house.redis.delete("task:1")

    report = audit(house, engine)

    assert "is in neither store: bring it back from a backup" in report["left"][0]
    assert not report["equal"]


def test_under_a_parent_that_is_leaving_nothing_is_put_back(house: Store, engine: Engine):
    house.redis.delete("task:3")
    house.redis.hset("leaving", "user:2", '{"way":"gone","at":"t","actor":1,"request_id":"-"}')
    assert "user:2 is just being deleted" in audit(house, engine)["left"][0]

    house.redis.delete("leaving")
    audit(house, engine)
    require_exact(house, engine)


def test_an_orphan_and_a_clash_are_told_and_stay(house: Store, engine: Engine):
    edit(house, "user:1", b'"username":null', b'"username":"ADA"')
    edit(house, "task:3", b'"title":"team"', b'"title":"ours"')
    purge(house, contents.present(house, KINDS["group"], [1])[0])
    drain(house, engine, 5)

    report = audit(house, engine)

    assert not report["sound"]
    told = " ".join(report["left"])
    assert "task:3 without group:1: delete the one or bring back the other." in told
    assert "user:1 and user:2 have one username: change one of them." in told
    assert "what Redis has of it cannot be saved" in told


def test_a_redis_that_is_not_open_is_not_repaired(house: Store, engine: Engine):
    for drift in ("a row is older", "a key is gone"):
        DRIFTS[drift][0](house, engine)
        found = compare(house, engine)
        house.redis.hset("meta", "state", "closed")
        with pytest.raises(Unavailable):
            repairing.repair(house, engine, found)
        house.redis.hset("meta", "state", "ready")
        audit(house, engine)


def test_journal_lines_that_left_the_window_or_were_put_in_meanwhile_are_no_matter(
    house: Store, engine: Engine
):
    first = dirty.journal(house, 0, 1)[0].version
    done = repairing.repair(house, engine, Comparison(journal=[1, first]))
    assert (done.repaired, done.left) == ([], [])


def test_what_was_put_right_since_is_not_touched_again(house: Store, engine: Engine):
    lost_a_family(house, engine)
    found = compare(house, engine)
    audit(house, engine)
    before = state.look(house).version

    done = repairing.repair(house, engine, found)

    assert (done.repaired, done.left, state.look(house).version) == ([], [], before)
