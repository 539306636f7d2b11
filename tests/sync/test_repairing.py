"""Repair by version: each kind of drift is found and put right; then both stores are equal and exact."""

import threading
import time
from collections.abc import Callable
from dataclasses import fields
from datetime import timedelta
from typing import Any

import pytest

from taskapi.db.engine import Engine, transaction
from taskapi.db.journal import some
from taskapi.domain import failpoints
from taskapi.domain.callers import Claim
from taskapi.domain.clock import timestamp
from taskapi.domain.errors import Unavailable
from taskapi.domain.records import Credential, Group, Task, User
from taskapi.store import comparisons, contents, dirty, mending, scrub, state
from taskapi.store.client import Store
from taskapi.store.kinds import KINDS, TASK, USER
from taskapi.store.plans import SAME_ID, Change
from taskapi.store.records import save
from taskapi.sync import auditing, pairs, repairing
from taskapi.sync.auditing import audit
from taskapi.sync.compare import Comparison, Seen, compare
from taskapi.sync.flush import drain
from taskapi.sync.pairs import Verdict
from tests.sync.conftest import Crash, change, crash, create, new_task, purge
from tests.sync.test_flush import require_equal, run_sql, titles

ALL_LINES = (*auditing.LINES, *repairing.LINES, *mending.LINES, "straying.put_right")


@pytest.fixture
def house(opened: Store, engine: Engine) -> Store:
    """Group 1; users 1, and 2 in it; tasks 1 (old), 2 (trashed), 3 (of user 2), 4 (purged); all carried."""
    now = timestamp()
    create(opened, Group(name="Team", created_at=now, updated_at=now))
    ada = User(full_name="Ada", username="ada", group_ids=(1,), created_at=now, updated_at=now)
    login = Change(None, Credential(password_hash="x", updated_at=now), "created", SAME_ID)
    save(opened, Claim(1), [Change(None, ada, "created"), login])
    new_task(opened, title="old", tags=("a",))
    change(opened, new_task(opened), deleted_at=now)
    new_task(opened, title="team", user_id=2, group_id=1, deadline="2026-01-01", estimate_hours=1.5)
    purge(opened, new_task(opened))
    drain(opened, engine, 5)
    assert compare(opened, engine).is_equal
    return opened


def task(store: Store, number: int) -> Task:
    """That task as Redis has it."""
    found = contents.present(store, TASK, [number])[0]
    assert isinstance(found, Task)
    return found


def require_exact(store: Store, engine: Engine) -> None:
    require_equal(store, engine)
    assert scrub.differences(store) == []
    for both in compare(store, engine).digests.values():
        assert both["redis"] == both["postgresql"]


def edit(store: Store, key: str, old: bytes, new: bytes) -> None:
    """The text under that key with something else in it."""
    text: bytes = store.redis.get(key)
    assert old in text
    store.redis.set(key, text.replace(old, new))


def lost_a_change(store: Store, engine: Engine) -> None:
    """PostgreSQL has the state of task 1 before it was changed."""
    run_sql(engine, "CREATE TABLE kept AS SELECT * FROM tasks WHERE id = 1")
    change(store, task(store, 1), title="new")
    drain(store, engine, 5)
    run_sql(engine, "DELETE FROM tasks WHERE id = 1; INSERT INTO tasks TABLE kept; DROP TABLE kept")


def redis_lost_a_change(store: Store, engine: Engine) -> None:
    """Redis has the text of task 1 before it was changed, in the lists of the new one."""
    text = store.redis.get("task:1")
    change(store, task(store, 1), title="new", priority=1)
    drain(store, engine, 5)
    store.redis.set("task:1", text)


def rose_in_redis(store: Store, engine: Engine) -> None:
    """Redis has a text of task 1 again, which was purged everywhere."""
    text = store.redis.get("task:1")
    purge(store, task(store, 1))
    drain(store, engine, 5)
    store.redis.set("task:1", text)


def lost_a_family(store: Store, engine: Engine) -> None:
    """Redis has neither the group nor its user, nor their task."""
    store.redis.delete("user:2", "task:3", "group:1", "credential:2")


Drift = Callable[[Store, Engine], object]

DRIFTS: dict[str, tuple[Drift, str]] = {
    "a row is gone": (lambda s, e: run_sql(e, "DELETE FROM tasks WHERE id = 1"), "task:1: PostgreSQL lacked"),
    "a trashed row is gone": (
        lambda s, e: run_sql(e, "DELETE FROM tasks WHERE id = 2"),
        "task:2: PostgreSQL lacked",
    ),
    "a row is older": (lost_a_change, "task:1: PostgreSQL lacked"),
    "a row was purged by hand": (
        lambda s, e: run_sql(e, "UPDATE tasks SET purged = true WHERE id = 1"),
        "task:1: both had one version",
    ),
    "a row was changed by hand": (
        lambda s, e: run_sql(e, "UPDATE tasks SET title = 'forged' WHERE id = 1"),
        "task:1: both had one version",
    ),
    "a text was changed by hand": (
        lambda s, e: edit(s, "task:1", b'"priority":2', b'"priority":1'),
        "task:1: both had one version",
    ),
    "a text in the trash was changed": (
        lambda s, e: edit(s, "trash:task:2", b'"title":"t"', b'"title":"u"'),
        "task:2: both had one version",
    ),
    "a key is gone": (lambda s, e: s.redis.delete("task:3"), "task:3: Redis lacked"),
    "a trashed key is gone": (lambda s, e: s.redis.delete("trash:task:2"), "task:2: Redis lacked"),
    "a user's key is gone": (lambda s, e: s.redis.delete("user:2"), "user:2: Redis lacked"),
    "a password is gone": (lambda s, e: s.redis.delete("credential:2"), "credential:2: Redis lacked"),
    "a whole family is gone": (lost_a_family, "task:3: Redis lacked"),
    "a text is older": (redis_lost_a_change, "task:1: Redis lacked"),
    "a purged text is there again": (rose_in_redis, "task:1: Redis had it though"),
    "a purged row is there again": (
        lambda s, e: run_sql(
            e,
            "UPDATE tasks SET purged = NULL, title = 'z', user_id = 1, status = false, created_at = now(),"
            " updated_at = now(), priority = 2, information = '', tags = '{}' WHERE id = 4",
        ),
        "task:4: PostgreSQL had it though",
    ),
    "a row was put in by hand": (
        lambda s, e: run_sql(
            e,
            "INSERT INTO tasks (id, version, title, user_id, status, created_at, updated_at, priority,"
            " information, tags) VALUES (9, 5, 'x', 1, false, now(), now(), 2, '', '{}')",
        ),
        "task:9: Redis lacked",
    ),
    "a line of the journal is gone": (
        lambda s, e: run_sql(e, "DELETE FROM change WHERE record_id = 2"),
        "journal 4294967",
    ),
    "a counter is wrong": (lambda s, e: s.redis.hincrby("counts:all", "0:2", 1), "counts:all: 0:2 is 3"),
}


@pytest.mark.parametrize("drift", DRIFTS)
def test_each_drift_is_put_right(house: Store, engine: Engine, drift: str):
    cause, sentence = DRIFTS[drift]
    cause(house, engine)
    if "counter" not in drift:
        assert not compare(house, engine).is_equal

    report = audit(house, engine)

    assert any(told.startswith(sentence) for told in report["repaired"]), report
    assert (report["equal"], report["sound"], report["exact"], report["left"]) == (True, True, True, [])
    require_exact(house, engine)
    assert audit(house, engine)["repaired"] == []


def test_all_drifts_at_once_are_put_right_though_it_is_killed_at_any_line(house: Store, engine: Engine):
    hits: set[str] = set()
    for line in ALL_LINES:
        for _ in range(2):
            together(house, engine)

            def die(line: str = line) -> None:
                hits.add(line)
                crash()

            with failpoints.armed(line, die), pytest.raises(Crash):
                audit(house, engine)
        report = audit(house, engine)
        assert (report["equal"], report["exact"], report["left"]) == (True, True, [])
        require_exact(house, engine)
    assert hits == set(ALL_LINES)


def together(store: Store, engine: Engine) -> None:
    """Damage of every sort, on records that are there."""
    run_sql(engine, "UPDATE tasks SET title = title || 'x' WHERE id = 1; DELETE FROM tasks WHERE id = 2")
    lost_a_family(store, engine)
    run_sql(engine, "DELETE FROM change WHERE version = (SELECT min(version) FROM change)")
    store.redis.hincrby("counts:all", "0:2", 1)
    store.redis.set("purged:task:4", b'{"id":4,"purged":true,"version":3}')


def test_what_redis_serves_is_the_truth_and_the_journal_tells_it(house: Store, engine: Engine):
    run_sql(engine, "UPDATE tasks SET title = 'forged' WHERE id = 1")

    audit(house, engine)

    found = task(house, 1)
    assert (found.title, titles(engine)[1]) == ("old", "old")
    with transaction(engine) as connection:
        entry = some(connection, [found.version])[found.version]
    assert (entry["action"], entry["actor"], entry["fields"]) == ("repaired", 0, {"title": ["forged", "old"]})


def test_what_is_put_back_is_found_and_counted_and_may_be_changed(house: Store, engine: Engine):
    before = task(house, 3)
    lost_a_family(house, engine)
    audit(house, engine)
    assert task(house, 3) == before

    changed = change(house, before, title="on")

    assert changed.version > before.version
    drain(house, engine, 5)
    require_exact(house, engine)


def test_what_cannot_be_put_right_is_told_with_what_to_do(house: Store, engine: Engine):
    run_sql(
        engine,
        f"""
        CREATE TEMP TABLE one AS SELECT * FROM tasks WHERE id = 1;
        UPDATE one SET version = 5, id = 90000000; INSERT INTO tasks TABLE one;
        UPDATE one SET id = 91, user_id = 77; INSERT INTO tasks TABLE one;
        UPDATE one SET id = 92, title = NULL; INSERT INTO tasks TABLE one;
        UPDATE one SET id = 93, user_id = 1, title = 'x', version = {state.look(house).version + 50};
        INSERT INTO tasks TABLE one; DROP TABLE one;
        INSERT INTO users (id, version, full_name, username, role, group_ids, work_times, created_at,
            updated_at)
        VALUES (94, 5, 'Ada', 'ADA', 'user', '{{}}', '{{}}', now(), now());
        UPDATE change SET actor = 42 WHERE version = (SELECT max(version) FROM change);
        """,
    )
    house.redis.set("task:3", "{")
    assert compare(house, engine).unreadable == ["task:3"]

    report = audit(house, engine)

    assert [told.partition(":")[0] + told.split(":")[1] for told in report["left"]][:6] == [
        "task3",
        "task90000000",
        "task91",
        "task92",
        "task93",
        "user94",
    ]
    told = " ".join(report["left"])
    for words in (
        "delete that key",
        "never leased",
        "user:77 is not alive",
        "has no title",
        "never given here",
        "unique:user:username belongs",
        "was changed by hand",
        "task:3: its text in Redis is no record",
    ):
        assert words in told
    assert comparisons.last(house) == {
        "at": report["at"],
        "equal": False,
        "sound": True,
        "exact": False,
        "repaired": report["repaired_count"],
        "left": report["left_count"],
    }


CHANGES: dict[str, dict[str, Any]] = {
    "user": {
        "full_name": "x",
        "email": "x@example.org",
        "username": "xx1",
        "number": "5",
        "role": "owner",
        "requested_role": "owner",
        "group_ids": (),
        "work_times": {"Monday": 3.0},
    },
    "credential": {"password_hash": "y"},
    "group": {"name": "x", "admin_id": 2},
    "task": {
        "title": "x",
        "status": True,
        "priority": 3,
        "deadline": "2026-02-02",
        "information": "x",
        "tags": ("x",),
        "user_id": 1,
        "group_id": None,
        "estimate_hours": 2.5,
        "completed_at": "2026-01-01T00:00:00.000Z",
    },
}
EVERY_KIND = {
    "version": 1,
    "deleted_at": "2026-01-01T00:00:00.000Z",
    "deleted_with": "user:9",
    "created_at": "2026-01-01T00:00:00.000Z",
    "updated_at": "2026-01-01T00:00:00.000Z",
    "member_ids": (1,),
}


def test_the_digests_differ_for_any_changed_field(house: Store, engine: Engine):
    ids = {"user": 2, "credential": 2, "group": 1, "task": 3}
    for kind in KINDS.values():
        names = {each.name for each in fields(kind.record)} - {"id"}
        values = {name: value for name, value in EVERY_KIND.items() if name in names} | CHANGES[kind.name]
        assert values.keys() == names
        (pair,) = pairs.look(house, engine, kind, [ids[kind.name]])
        assert pair.row is not None
        assert pairs.same(kind, pair.redis.record, pair.row)
        for name, value in values.items():
            assert not pairs.same(kind, pair.redis.record, pair.row.changed(**{name: value})), name

    before = compare(house, engine).digests
    run_sql(engine, "UPDATE tasks SET estimate_hours = 1.25 WHERE id = 3")
    after = compare(house, engine).digests
    assert before["task"]["redis"] == after["task"]["redis"] != after["task"]["postgresql"]
    assert before["user"] == after["user"]


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


def test_what_moves_all_the_while_is_waiting(house: Store, engine: Engine, monkeypatch: pytest.MonkeyPatch):
    read = pairs._rows

    def read_beside_a_writer(*args: Any) -> Any:
        house.redis.set("task:1", house.redis.get("task:1") + b" ")
        return read(*args)

    run_sql(engine, "DELETE FROM tasks WHERE id = 1")
    monkeypatch.setattr(pairs, "_rows", read_beside_a_writer)
    (pair,) = pairs.look(house, engine, TASK, [1])
    assert pair.verdict is Verdict.WAITING


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


def test_what_seemed_unsound_only_because_it_was_written_meanwhile_is_not_told(house: Store, engine: Engine):
    sound = compare(house, engine).soundness
    sound._lonely = [(TASK, "task:3", "user:2"), (TASK, "task:1", "user:77")]
    sound._clashing = [(USER, "username", "user:1", "user:2"), (USER, "email", "user:1", "user:2")]
    sound.confirm(house)
    assert (sound.orphans, sound.clashes) == ([], [])


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


def test_what_is_carried_while_it_is_compared_is_equal(
    house: Store, engine: Engine, monkeypatch: pytest.MonkeyPatch
):
    new_task(house)
    look = pairs.look

    def carried_first(*args: Any) -> Any:
        drain(house, engine, 5)
        return look(*args)

    monkeypatch.setattr(pairs, "look", carried_first)
    found = compare(house, engine)

    assert (found.is_equal, found.waiting, found.same["task"]) == (True, [], 4)
    assert found.digests["task"]["redis"] == found.digests["task"]["postgresql"]


def test_an_id_is_seen_once():
    seen = Seen()
    assert [seen.add(number) for number in (1, 1, 5_000_000, 1024, 1025, 5_000_000)] == [
        True, False, True, True, True, False,
    ]  # fmt: skip


def test_one_at_a_time(house: Store, engine: Engine):
    with auditing.turn(house, engine) as first, auditing.turn(house, engine) as second:
        assert (first, second) == (True, False)
    with auditing.turn(house, engine, timedelta(hours=12)) as first:
        assert first
    audit(house, engine)
    with auditing.turn(house, engine, timedelta(hours=12)) as again:
        assert not again
