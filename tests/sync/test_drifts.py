"""Each kind of drift is found and put right; then both stores are equal and exact."""

import pytest

from taskapi.db.engine import Engine, transaction
from taskapi.db.journal import some
from taskapi.domain import failpoints
from taskapi.store import comparisons, mending, state
from taskapi.store.client import Store
from taskapi.sync import auditing, repairing
from taskapi.sync.auditing import audit
from taskapi.sync.compare import compare
from taskapi.sync.flush import drain
from tests.sync.conftest import Crash, change, crash
from tests.sync.drifts import DRIFTS, lost_a_family, require_exact, task
from tests.sync.test_flush import run_sql, titles

ALL_LINES = (*auditing.LINES, *repairing.LINES, *mending.LINES, "straying.put_right")


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
