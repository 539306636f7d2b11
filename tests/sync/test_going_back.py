"""Going back to a backup, and back again: what was promised at each step, and nothing reverts by itself."""

from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from taskapi.db.engine import Engine
from taskapi.domain import failpoints
from taskapi.domain.callers import Claim
from taskapi.domain.clock import timestamp
from taskapi.domain.records import Credential, Group, Record, User
from taskapi.outside.shelf import Shelf, open_shelf
from taskapi.store import contents, dirty, leaving, sessions, staging, state, syncs
from taskapi.store.client import Store
from taskapi.store.kinds import CREDENTIAL, TASK
from taskapi.sync import backup, going_back
from taskapi.sync.admission import admit
from taskapi.sync.flush import drain
from taskapi.sync.going_back import go_back, plan_backup, undo
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
from tests.sync.test_admission import forget_everything, require_settled, tasks_in
from tests.sync.test_flush import NO_TRIGGER, TRIGGER, run_sql, titles
from tests.sync.test_older_redis import sign_in


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return open_shelf(str(tmp_path))


def kept(store: Store, engine: Engine, shelf: Shelf) -> str:
    """The present as a good backup; its id."""
    made = backup.back_up(store, engine, shelf)
    assert made.is_good
    return made.id


def everything(store: Store) -> dict[str, Record]:
    """Every record by name, without its version."""
    found = contents.stored_records(store)
    return {f"{type(record).__name__}:{record.id}": record.changed(version=0) for record in found}


def present(store: Store, task_id: int) -> Any:
    return contents.present(store, TASK, [task_id])[0]


def test_going_back_writing_undoing_and_restarting_each_ends_as_promised(
    opened: Store, engine: Engine, shelf: Shelf
):
    team = create(opened, Group(name="Team", created_at=timestamp(), updated_at=timestamp()))
    changed = new_task(opened, title="then", tags=("a",), deadline="2026-11-20", estimate_hours=2.5)
    purged = new_task(opened, title="purged later")
    trashed = change(opened, new_task(opened, title="in the trash"), deleted_at=timestamp())
    untouched = new_task(opened, title="untouched")
    name = kept(opened, engine, shelf)
    then = everything(opened)
    change(opened, changed, title="now", tags=("b",))
    purge(opened, purged)
    change(opened, trashed, deleted_at=None)
    change(opened, team, name="Crew")
    added = new_task(opened, title="added")
    now = everything(opened)

    assert plan_backup(opened, engine, shelf, name)["records"] == {
        "changed": {"groups": 1, "tasks": 2},
        "created": {"tasks": 1},
        "removed": {"tasks": 1},
    }
    assert everything(opened) == now
    report = go_back(opened, engine, shelf, name)

    assert report["records"]["created"] == {"tasks": 1}
    assert everything(opened) == then
    require_settled(opened, engine)
    assert present(opened, untouched.id).version == untouched.version
    assert present(opened, changed.id).version > 2 * state.EPOCH_SPAN
    written = new_task(opened, title="written after")
    assert written.id == added.id + 1
    drain(opened, engine, 5)

    undone = undo(opened, engine, shelf)

    assert (undone["action"], undone["target"]) == ("undo", report["archive"])
    assert everything(opened) == now
    require_settled(opened, engine)
    restart(opened)
    admit(opened, engine)
    assert everything(opened) == now
    forget_everything(opened)
    admit(opened, engine)
    assert everything(opened) == now
    require_settled(opened, engine)
    later = new_task(opened, title="later")
    assert later.id > written.id
    undo(opened, engine, shelf)
    assert set(tasks_in(opened).values()) == {
        "then",
        "purged later",
        "in the trash",
        "untouched",
        "written after",
    }
    require_settled(opened, engine)
    assert [loss for loss in syncs.history(opened).losses if loss["store"] != "redis"] == []


def test_an_older_redis_does_not_revert_what_went_back(opened: Store, engine: Engine, shelf: Shelf):
    task = new_task(opened, title="then")
    name = kept(opened, engine, shelf)
    change(opened, task, title="now")
    extra = new_task(opened, title="extra")
    drain(opened, engine, 5)
    old_disk = snapshot(opened)
    go_back(opened, engine, shelf, name)
    turn_back(opened, old_disk)

    admit(opened, engine)

    assert tasks_in(opened) == {task.id: "then"}
    assert present(opened, extra.id) is None
    require_settled(opened, engine)


def test_sessions_end_and_the_owners_password_stays(opened: Store, engine: Engine, shelf: Shelf):
    bob = create(opened, User(full_name="Bob", created_at=timestamp(), updated_at=timestamp()))
    own = create_with_id(opened, Credential(password_hash="old", updated_at=timestamp()), 1)
    his = create_with_id(opened, Credential(password_hash="old", updated_at=timestamp()), bob.id)
    name = kept(opened, engine, shelf)
    own = change(opened, own, password_hash="new")
    change(opened, his, password_hash="new")
    sessions.begin(opened, Claim(1), 1, own.version, 60, {})

    go_back(opened, engine, shelf, name)

    found = contents.present(opened, CREDENTIAL, [1, bob.id])
    assert [credential.password_hash for credential in found] == ["new", "old"]
    assert opened.redis.keys("session*") == []
    require_settled(opened, engine)


def test_a_sweep_that_the_backup_has_cut_is_found_again(opened: Store, engine: Engine, shelf: Shelf):
    bob = create(opened, User(full_name="Bob", created_at=timestamp(), updated_at=timestamp()))
    new_task(opened, user_id=bob.id)
    bob = change(opened, bob, deleted_at=timestamp())
    name = kept(opened, engine, shelf)
    change(opened, bob, deleted_at=None)

    go_back(opened, engine, shelf, name)

    assert set(leaving.accounts(opened)) == {f"user:{bob.id}"}


def test_what_postgresql_refuses_goes_back_too_and_both_ways(opened: Store, engine: Engine, shelf: Shelf):
    run_sql(engine, TRIGGER)
    evil = new_task(opened, title="evil")
    good = new_task(opened, title="good")
    name = kept(opened, engine, shelf)
    change(opened, evil, title="better")
    change(opened, good, title="evil")
    later = new_task(opened, title="evil")
    drain(opened, engine, 5)

    go_back(opened, engine, shelf, name)

    assert tasks_in(opened) == {evil.id: "evil", good.id: "good"}
    drain(opened, engine, 5)
    assert set(dirty.backlog(opened).quarantined) == {f"task:{evil.id}"}
    forget_everything(opened)
    admit(opened, engine)
    assert tasks_in(opened) == {evil.id: "evil", good.id: "good"}
    undo(opened, engine, shelf)
    assert tasks_in(opened) == {evil.id: "better", good.id: "evil", later.id: "evil"}
    run_sql(engine, NO_TRIGGER)
    dirty.rearm(opened)
    require_settled(opened, engine)
    assert titles(engine) == tasks_in(opened)


@pytest.mark.parametrize("offline", [False, True])
@pytest.mark.parametrize("line", going_back.LINES)
def test_killed_at_any_line_twice_over_it_is_the_old_or_the_new_state(
    opened: Store, engine: Engine, shelf: Shelf, line: str, offline: bool
):
    if offline and line.startswith(("publishing.", "refusals.", "rebuilding.placed")):
        pytest.skip("these are lines of an admission")
    run_sql(engine, TRIGGER)
    sign_in(opened)
    changed, gone, _ = (new_task(opened, title=title) for title in ("then", "gone", "evil"))
    name = kept(opened, engine, shelf)
    purge(opened, gone)
    change(opened, changed, title="now")
    now = {changed.id: "now", changed.id + 2: "evil"}
    then = {changed.id: "then", gone.id: "gone", changed.id + 2: "evil"}
    states = [now]
    is_over = going_back.LINES.index(line) >= going_back.LINES.index("turning.committed")
    for _ in range(2):
        with dying_at(line, opened, changed.id), pytest.raises(Crash):
            go_back(opened, engine, shelf, name, offline=offline)
        admit(opened, engine)
        if not is_over:
            now = now | {changed.id: present(opened, changed.id).title}
        assert tasks_in(opened) == (then if is_over else now)
        states.append(tasks_in(opened))
    assert len(sessions.of_user(opened, 1)) == (0 if is_over else 1)
    assert not syncs.history(opened).losses

    go_back(opened, engine, shelf, name, offline=offline)
    assert tasks_in(opened) == then
    undo(opened, engine, shelf, offline=offline)
    assert tasks_in(opened) == states[-1]
    run_sql(engine, NO_TRIGGER)
    dirty.rearm(opened)
    require_settled(opened, engine)
    with staging.beside(opened) as beside:
        assert beside.redis.dbsize() == 0


def dying_at(line: str, store: Store, task_id: int) -> ExitStack:
    """Within the block the restore dies there; before it something is written at the last moment."""
    lines = ExitStack()

    def write() -> None:
        change(store, present(store, task_id), title="at the last moment")
        if line == "freezing.locked":
            crash()
        lines.enter_context(failpoints.armed(line, crash))

    lines.enter_context(failpoints.armed("freezing.locked", write))
    return lines
