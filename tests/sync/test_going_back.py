"""Going back to a backup, and back again: what was promised at each step, and nothing reverts by itself."""

from pathlib import Path
from typing import Any

import pytest

from taskapi.db.engine import Engine
from taskapi.domain.callers import Claim
from taskapi.domain.clock import timestamp
from taskapi.domain.errors import Conflict, NotFound
from taskapi.domain.records import Credential, Group, Record, User
from taskapi.outside.shelf import Shelf
from taskapi.store import contents, dirty, leaving, sessions, state, syncs
from taskapi.store.client import Store
from taskapi.store.kinds import CREDENTIAL, TASK
from taskapi.sync import backup
from taskapi.sync.admission import admit
from taskapi.sync.errors import Broken
from taskapi.sync.flush import drain
from taskapi.sync.going_back import go_back, plan_backup, undo
from taskapi.sync.restoring import rebuild
from tests.sync.conftest import (
    change,
    changed_tasks,
    create,
    create_with_id,
    many_tasks,
    new_task,
    purge,
    restart,
    snapshot,
    take_all,
    turn_back,
)
from tests.sync.test_admission import forget_everything, require_settled, tasks_in
from tests.sync.test_flush import titles
from tests.sync.test_restoring import reading


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
    assert [entry.action for entry in dirty.journal(opened)][-1] == "restored"
    assert not syncs.history(opened).losses
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


def test_what_postgresql_refuses_goes_back_too_and_both_ways(opened: Store, picky: Engine, shelf: Shelf):
    engine = picky
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
    take_all(engine)
    dirty.rearm(opened)
    require_settled(opened, engine)
    assert titles(engine) == tasks_in(opened)


def test_who_reads_meanwhile_sees_the_old_or_the_new_state_whole(opened: Store, engine: Engine, shelf: Shelf):
    few = many_tasks(opened, 100)
    name = kept(opened, engine, shelf)
    many_tasks(opened, 60)
    changed_tasks(opened, few[:40], status=True)
    drain(opened, engine, 20)

    with reading(opened) as seen:
        go_back(opened, engine, shelf, name)
        undo(opened, engine, shelf)

    assert set(seen) == {(100, 100, 100, 100), (160, 160, 120, 120)}
    require_settled(opened, engine)


def test_without_a_restore_there_is_nothing_to_take_back(opened: Store, engine: Engine, shelf: Shelf):
    rebuild(opened, engine, shelf)
    with pytest.raises(Conflict, match="no restore to take back"):
        undo(opened, engine, shelf)


def test_a_backup_that_is_not_there_or_broken_changes_nothing(
    opened: Store, engine: Engine, shelf: Shelf, tmp_path: Path
):
    new_task(opened)
    name = kept(opened, engine, shelf)
    with pytest.raises(NotFound):
        go_back(opened, engine, shelf, "20200101T000000Z-00000000")
    file = tmp_path / "backups" / f"{name}.taskapi"
    file.chmod(0o600)
    damaged = bytearray(file.read_bytes())
    damaged[len(damaged) // 2] ^= 1
    file.write_bytes(damaged)

    with pytest.raises(Broken):
        go_back(opened, engine, shelf, name)

    assert state.look(opened).epoch == 1
    with pytest.raises(Broken):
        backup.verify(engine, shelf, name)
    with pytest.raises(Broken, match="is broken"):
        plan_backup(opened, engine, shelf, name)
    new_task(opened)
    require_settled(opened, engine)


def test_it_goes_back_in_place_too_and_comes_back(opened: Store, engine: Engine, shelf: Shelf):
    task = new_task(opened, title="then")
    name = kept(opened, engine, shelf)
    change(opened, task, title="now")

    assert go_back(opened, engine, shelf, name, offline=True)["offline"]
    assert tasks_in(opened) == {task.id: "then"}
    assert undo(opened, engine, shelf, offline=True)["offline"]
    assert tasks_in(opened) == {task.id: "now"}
    require_settled(opened, engine)
