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
from taskapi.sync.going_back import go_back, undo
from tests.sync.conftest import Crash, crash, create, create_with_id, new_task, restart
from tests.sync.test_admission import require_settled, tasks_in
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
    with pytest.raises(Conflict, match="another installation"):
        go_back(opened, engine, shelf, name)
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
