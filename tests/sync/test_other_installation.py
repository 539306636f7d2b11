"""A backup of one installation in another: it begins there, or is refused."""

import pytest
from redis import Redis
from sqlalchemy import text

from taskapi.db.engine import Engine, transaction
from taskapi.domain import failpoints
from taskapi.domain.clock import timestamp
from taskapi.domain.errors import Conflict
from taskapi.domain.records import Credential, Group, User
from taskapi.outside.shelf import Shelf
from taskapi.store import contents, state, syncs
from taskapi.store.client import Store
from taskapi.store.kinds import CREDENTIAL
from taskapi.sync.admission import admit
from taskapi.sync.going_back import go_back, plan_backup, undo
from tests.sync.conftest import Crash, crash, create, create_with_id, new_task, restart
from tests.sync.test_admission import forget_everything, require_settled, tasks_in
from tests.sync.test_flush import run_sql
from tests.sync.test_going_back import everything, kept, present


def test_a_backup_of_another_installation_begins_a_new_one(
    opened: Store, engine: Engine, shelf: Shelf, beside: Redis
):
    create(opened, Group(name="Team", created_at=timestamp(), updated_at=timestamp()))
    task = new_task(opened, title="from there")
    there = everything(opened)
    restart(opened)
    admit(opened, engine)
    name = kept(opened, engine, shelf)
    journal_there = journal_in(engine)
    last_id = state.leases(opened)["task"][1]
    begin_anew(opened, engine)
    own = contents.present(opened, CREDENTIAL, [1])[0]

    report = go_back(opened, engine, shelf, name)

    assert everything(opened) == there | {"Credential:1": own.changed(version=0)}
    assert journal_in(engine)[:-1] == journal_there
    assert present(opened, task.id).version > 3 * state.EPOCH_SPAN
    assert new_task(opened).id == last_id + 1
    require_settled(opened, engine)
    new_task(opened)
    undo(opened, engine, shelf)
    assert tasks_in(opened) == {}
    assert report["records"]["created"] == {"groups": 1, "tasks": 1}
    require_settled(opened, engine)


@pytest.mark.parametrize("line", ["turning.committed", "publishing.taken"])
def test_a_new_installation_that_dies_on_the_way_becomes_it_all_the_same(
    opened: Store, engine: Engine, shelf: Shelf, line: str
):
    task = new_task(opened, title="from there")
    name = kept(opened, engine, shelf)
    begin_anew(opened, engine)
    with failpoints.armed(line, crash), pytest.raises(Crash):
        go_back(opened, engine, shelf, name)

    admit(opened, engine)

    assert tasks_in(opened) == {task.id: "from there"}
    assert not syncs.history(opened).losses
    require_settled(opened, engine)


def test_it_takes_any_backup_that_is_older_than_the_one_taken_over(
    opened: Store, engine: Engine, shelf: Shelf
):
    first = new_task(opened, title="first")
    older = kept(opened, engine, shelf)
    damaged = new_task(opened, title="damaged")
    newest = kept(opened, engine, shelf)
    begin_anew(opened, engine)
    go_back(opened, engine, shelf, newest)
    assert tasks_in(opened) == {first.id: "first", damaged.id: "damaged"}
    later = new_task(opened, title="later")

    assert plan_backup(opened, engine, shelf, older)["records"]["removed"] == {"tasks": 2}
    go_back(opened, engine, shelf, older)

    assert tasks_in(opened) == {first.id: "first"}
    assert new_task(opened).id == later.id + 1
    require_settled(opened, engine)
    undo(opened, engine, shelf)
    assert set(tasks_in(opened)) == {first.id, damaged.id, later.id}
    forget_everything(opened)
    admit(opened, engine)
    go_back(opened, engine, shelf, newest)
    assert set(tasks_in(opened)) == {first.id, damaged.id}
    require_settled(opened, engine)


def test_it_takes_any_backup_again_after_it_was_undone_to_nothing(
    opened: Store, engine: Engine, shelf: Shelf
):
    first = new_task(opened, title="first")
    older = kept(opened, engine, shelf)
    second = new_task(opened, title="second")
    newer = kept(opened, engine, shelf)
    journal_there = journal_in(engine)
    begin_anew(opened, engine)
    go_back(opened, engine, shelf, older)
    undo(opened, engine, shelf)
    assert tasks_in(opened) == {}

    go_back(opened, engine, shelf, newer)

    assert tasks_in(opened) == {first.id: "first", second.id: "second"}
    assert set(journal_there) < set(journal_in(engine))
    undo(opened, engine, shelf)
    go_back(opened, engine, shelf, older)
    assert tasks_in(opened) == {first.id: "first"}
    require_settled(opened, engine)
    assert new_task(opened).id > second.id


def test_a_newer_backup_of_there_is_refused_once_both_may_have_given_the_same_ids(
    opened: Store, engine: Engine, shelf: Shelf
):
    older = kept(opened, engine, shelf)
    new_task(opened, title="there")
    newer = kept(opened, engine, shelf)
    begin_anew(opened, engine)
    go_back(opened, engine, shelf, older)
    own = new_task(opened, title="here")

    with pytest.raises(
        Conflict, match=r"the same ids\. Restore it into a new one: with another TASKAPI_HOME"
    ):
        go_back(opened, engine, shelf, newer)

    assert tasks_in(opened) == {own.id: "here"}
    require_settled(opened, engine)


def test_a_backup_of_a_third_installation_is_refused_with_what_to_do(
    opened: Store, engine: Engine, shelf: Shelf
):
    third = kept(opened, engine, shelf)
    begin_anew(opened, engine)
    new_task(opened)
    with pytest.raises(Conflict, match=r"records already\. Restore it into a new one"):
        go_back(opened, engine, shelf, third)


def begin_anew(store: Store, engine: Engine) -> None:
    """Another machine, with nothing but the owner."""
    store.redis.flushall()
    store.redis.script_flush()
    run_sql(engine, "TRUNCATE users, credentials, groups, tasks, files, change, meta, lease, refused, loss")
    admit(store, engine)
    now = timestamp()
    create_with_id(store, User(full_name="Ada", created_at=now, updated_at=now), 1)
    create_with_id(store, Credential(password_hash="own", updated_at=now), 1)


def journal_in(engine: Engine) -> list[int]:
    with transaction(engine) as connection:
        return list(connection.scalars(text("SELECT version FROM change ORDER BY version")))
