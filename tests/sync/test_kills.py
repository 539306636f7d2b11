"""Admissions and clean stops that die at any line."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from taskapi.db import locks, meta, rows
from taskapi.db.engine import Engine, connect, transaction
from taskapi.db.errors import PostgresAway
from taskapi.domain import failpoints
from taskapi.domain.callers import Claim, Operation
from taskapi.domain.clock import timestamp
from taskapi.domain.errors import Unavailable
from taskapi.domain.records import Group, User
from taskapi.store import dirty, state, syncs
from taskapi.store.client import Store
from taskapi.store.plans import Change
from taskapi.store.records import save
from taskapi.sync import admission, closing, judging, rebuilding
from taskapi.sync.admission import admit
from taskapi.sync.closing import close
from taskapi.sync.flush import drain
from taskapi.sync.judging import Finding
from tests.sync.conftest import (
    Crash,
    change,
    crash,
    create,
    create_with_id,
    new_task,
    purge,
    restart,
    snapshot,
    turn_back,
)
from tests.sync.test_admission import forget_everything, require_settled, restart_cleanly, tasks_in
from tests.sync.test_flush import run_sql, titles


def test_only_one_admission_goes_on_at_a_time(store: Store, engine: Engine, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("taskapi.db.engine.LOCK_SECONDS", 0.2)
    impatient = connect(engine.url.render_as_string(hide_password=False))
    with locks.held_alone(engine), pytest.raises(PostgresAway):
        admit(store, impatient)
    impatient.dispose()
    assert admit(store, engine).finding is Finding.FIRST


def test_who_stands_still_with_the_lock_loses_it(
    opened: Store, engine: Engine, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(locks, "ALONE_IDLE", "200ms")
    with locks.held_alone(engine) as stopped, locks.held_alone(engine), pytest.raises(DBAPIError):
        stopped.execute(text("SELECT 1"))


def test_who_waits_for_an_admission_finds_it_done(store: Store, engine: Engine):
    def admit_meanwhile() -> None:
        with engine.connect() as connection:
            facts = judging.look(store, connection)
            admission._admitted(store, connection, facts, judging.judge(facts))

    with failpoints.armed("admission.locked", admit_meanwhile):
        assert admit(store, engine).finding is Finding.READY


def test_a_restart_during_the_admission_starts_it_over(
    store: Store, engine: Engine, monkeypatch: pytest.MonkeyPatch
):
    real = state.open_for
    monkeypatch.setattr(
        state, "open_for", lambda store, run, *rest, **more: real(store, "another", *rest, **more)
    )
    with pytest.raises(Unavailable):
        admit(store, engine)
    monkeypatch.undo()

    admit(store, engine)
    new_group = create(store, Group(name="Team", created_at=timestamp(), updated_at=timestamp()))
    assert new_group.id == 1001


def test_an_overtaken_admission_changes_nothing(opened: Store):
    now = state.look(opened)
    before = opened.redis.hgetall("meta")

    assert not state.begin(opened, now.run, "other")
    assert not state.open_for(opened, now.run, "other", 5, 0, now.ids)
    opened.redis.hset("meta", "state", "closed")
    assert not state.open_for(opened, now.run, "other", 0, 0, now.ids)

    assert opened.redis.hgetall("meta") == before | {b"state": b"closed"}


NAMED = Claim(1, operation=Operation("named", "f"))
IN_NO_DAMAGE = frozenset({"rebuilding.wiped", "refusals.put_back"})
FILLED = frozenset(
    {"rebuilding.placed", "window.refilled", "admission.resumed", "recalling.put_back", "admission.recalled"}
)
BESIDE = {
    "stale": IN_NO_DAMAGE,
    "empty": IN_NO_DAMAGE | {"rebuilding.marked"},
    "went back": IN_NO_DAMAGE | FILLED,
} | dict.fromkeys(("first", "clean", "unclean"), IN_NO_DAMAGE | FILLED | {"rebuilding.marked"})
"""Which lines are not reached after each."""
LOSSES = {"stale": [("redis", True)], "empty": [("redis", True)], "went back": [("postgresql", False)]}


@pytest.mark.parametrize("line", admission.LINES)
@pytest.mark.parametrize("damage", ["first", "clean", "unclean", "empty", "stale", "went back"])
def test_killed_at_any_line_the_next_admission_ends_the_same(
    store: Store, engine: Engine, damage: str, line: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(rebuilding, "CHUNK", 2)
    expected = _damaged(store, engine, damage)
    failpoints_hit = []

    def die() -> None:
        failpoints_hit.append(True)
        crash()

    for _ in range(2):
        with failpoints.armed(line, die):
            try:
                admit(store, engine)
            except Crash:
                restart_cleanly(store)
    assert failpoints_hit or line in BESIDE[damage]

    admit(store, engine)

    if damage != "first":
        assert save(store, NAMED, []).again
    assert [(loss.store, loss.up_to is None) for loss in syncs.losses_of(store)] == LOSSES.get(damage, [])

    assert tasks_in(store) == expected
    require_settled(store, engine)
    assert titles(engine) == expected
    now = timestamp()
    fresh = create(store, Group(name="Fresh", created_at=now, updated_at=now))
    assert fresh.id > (1 if damage != "first" else 0)
    with transaction(engine) as connection:
        assert fresh.version > rows.highest_version(connection)
        assert meta.leases(connection)["group"] >= fresh.id
    require_settled(store, engine)


def _damaged(store: Store, engine: Engine, damage: str) -> dict[int, str]:
    """Both stores as that kind of stop leaves them; returns the tasks that there shall be."""
    if damage == "first":
        return {}
    admit(store, engine)
    now = timestamp()
    create_with_id(store, User(full_name="Ada", created_at=now, updated_at=now), 1)
    create(store, Group(name="Team", created_at=now, updated_at=now))
    tasks = [new_task(store, title=f"{number}", tags=("x",)) for number in range(4)]
    purge(store, tasks[3])
    old = snapshot(store)
    drain(store, engine, 5)
    task = change(store, tasks[0], title="changed")
    purge(store, tasks[2])
    group = Group(name="Named", created_at=now, updated_at=now)
    save(store, NAMED, [Change(None, group, "created")])
    if damage == "clean":
        close(store, engine)
        return {1: "changed", 2: "1"}
    if damage == "unclean":
        restart(store)
        return {1: "changed", 2: "1"}
    if damage == "went back":
        run_sql(engine, "CREATE TABLE kept AS TABLE tasks; CREATE TABLE kept_change AS TABLE change")
    drain(store, engine, 5)
    if damage == "went back":
        restore = "TRUNCATE {0}; INSERT INTO {0} TABLE {1}; DROP TABLE {1}"
        run_sql(engine, restore.format("tasks", "kept") + ";" + restore.format("change", "kept_change"))
        restart(store)
    elif damage == "empty":
        forget_everything(store)
    else:
        turn_back(store, old)
    assert task.title == "changed"
    return {1: "changed", 2: "1"}


@pytest.mark.parametrize("line", closing.LINES)
def test_killed_at_any_line_of_the_stop_nothing_is_lost(opened: Store, engine: Engine, line: str):
    task = new_task(opened)
    with failpoints.armed(line, crash), pytest.raises(Crash):
        close(opened, engine)
    restart(opened) if line == "closing.drained" else restart_cleanly(opened)

    verdict = admit(opened, engine)

    assert verdict.finding is (Finding.CLEAN if line == "closing.noted" else Finding.UNCLEAN)
    assert new_task(opened).id == (2 if line == "closing.noted" else 1_000_001)
    require_settled(opened, engine)
    assert task.id in titles(engine)


def test_a_closed_redis_is_not_closed_again(opened: Store, engine: Engine):
    assert close(opened, engine)
    assert close(opened, engine) is None


def test_a_stop_without_time_leaves_the_rest_for_the_next_start(opened: Store, engine: Engine):
    for _ in range(3):
        new_task(opened)
    flushed = close(opened, engine, seconds=0)
    assert flushed
    assert dirty.count(opened) == flushed.left

    admit(opened, engine)
    require_settled(opened, engine)
