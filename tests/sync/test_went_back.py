"""A PostgreSQL that came back with an older state: Redis is the truth."""

import pytest
from sqlalchemy import text

from taskapi.db.engine import Engine, transaction
from taskapi.domain import failpoints
from taskapi.domain.clock import timestamp
from taskapi.domain.errors import Unavailable
from taskapi.domain.records import User
from taskapi.store import contents, dirty, state, syncs
from taskapi.store.client import Store
from taskapi.sync.admission import admit
from taskapi.sync.catching_up import sweep
from taskapi.sync.flush import drain, flush_batch
from taskapi.sync.judging import Finding
from tests.sync.conftest import change, create, many_tasks, new_task, purge, restart
from tests.sync.test_admission import forget_everything, require_settled, tasks_in
from tests.sync.test_flush import run_sql, titles


def test_a_postgresql_that_went_back_is_caught_up_from_redis(opened: Store, engine: Engine):
    first = new_task(opened, title="first")
    purged = new_task(opened, title="purged")
    drain(opened, engine, 5)
    run_sql(engine, "CREATE TABLE old_tasks AS TABLE tasks; CREATE TABLE old_change AS TABLE change")
    change(opened, first, title="second")
    later = new_task(opened, title="later")
    purge(opened, purged)
    drain(opened, engine, 5)
    run_sql(
        engine,
        "TRUNCATE tasks, change; INSERT INTO tasks TABLE old_tasks; INSERT INTO change TABLE old_change;"
        "DROP TABLE old_tasks, old_change",
    )
    restart(opened)

    verdict = admit(opened, engine)

    assert (verdict.finding, verdict.marked, verdict.buried) == (Finding.WENT_BACK, 2, 1)
    assert tasks_in(opened) == {first.id: "second", later.id: "later"}
    require_settled(opened, engine)
    assert titles(engine) == tasks_in(opened)
    with transaction(engine) as connection:
        assert connection.scalar(text("SELECT count(*) FROM change")) == 6
    assert [loss["store"] for loss in syncs.history(opened).losses] == ["postgresql"]


def test_a_journal_that_both_have_lost_is_recorded_as_a_range(opened: Store, engine: Engine):
    tasks = [new_task(opened) for _ in range(3)]
    drain(opened, engine, 5)
    opened.redis.xtrim("journal", minid=f"{tasks[2].version}-0", approximate=False)
    run_sql(engine, f"DELETE FROM change WHERE version > {tasks[0].version}; DELETE FROM tasks")
    restart(opened)

    assert admit(opened, engine).finding is Finding.WENT_BACK

    journal = next(loss for loss in syncs.history(opened).losses if loss["store"] == "journal")
    assert (journal["store"], journal["above"], journal["up_to"]) == (
        "journal",
        tasks[0].version,
        tasks[1].version,
    )
    require_settled(opened, engine)


def test_an_open_redis_is_closed_while_postgresql_is_caught_up(opened: Store, engine: Engine):
    task = new_task(opened)
    drain(opened, engine, 5)
    run_sql(engine, "DELETE FROM change; DELETE FROM tasks; DELETE FROM users")
    refused = []

    def write() -> None:
        with pytest.raises(Unavailable):
            new_task(opened)
        refused.append(True)

    with failpoints.armed("rebuilding.marked", write):
        assert admit(opened, engine, suspect=True).finding is Finding.WENT_BACK

    assert refused
    require_settled(opened, engine)
    assert titles(engine) == {task.id: "t"}


def test_an_empty_postgresql_beside_a_filled_redis_is_filled_from_it(opened: Store, engine: Engine):
    task = new_task(opened)
    drain(opened, engine, 5)
    run_sql(engine, "TRUNCATE users, tasks, change, meta, lease")
    restart(opened)

    verdict = admit(opened, engine)

    assert (verdict.finding, verdict.epoch, verdict.marked) == (Finding.WENT_BACK, 2, 2)
    require_settled(opened, engine)
    assert titles(engine) == {task.id: "t"}
    assert new_task(opened).id == 1_000_001


def test_a_postgresql_that_lost_only_its_last_commit_gets_it_again(opened: Store, engine: Engine):
    tasks = many_tasks(opened, 1500)
    drain(opened, engine, 5)
    run_sql(engine, "DELETE FROM tasks WHERE id > 1000")
    contents.mark_dirty(opened, {f"task:{task.id}": task.version for task in tasks[1000:]})
    copy_aside(engine, "tasks", "change", "meta")
    flush_batch(opened, engine)
    assert dirty.count(opened) == 0
    put_back(engine, "tasks", "change", "meta")

    sweep(opened, engine, 5)

    require_settled(opened, engine)
    assert len(titles(engine)) == 1500
    assert [loss["store"] for loss in syncs.history(opened).losses] == ["postgresql"]


@pytest.mark.parametrize("lost", [("lease",), ("lease", "meta")])
def test_ids_of_a_lease_that_postgresql_lost_are_not_given_again(
    opened: Store, engine: Engine, lost: tuple[str, ...]
):
    opened.redis.hset("ids", "user:ceiling", 10)
    run_sql(engine, "UPDATE lease SET ceiling = 10 WHERE kind = 'user'")
    copy_aside(engine, *lost)
    drain(opened, engine, 5)
    put_back(engine, *lost)
    sweep(opened, engine, 5)
    last = [new_user(opened).id for _ in range(15)][-1]
    if "meta" not in lost:
        drain(opened, engine, 5)
    forget_everything(opened)

    admit(opened, engine)

    assert new_user(opened).id > last >= 16


def test_a_lease_of_an_overtaken_epoch_raises_nothing(opened: Store):
    before = state.leases(opened)
    assert not state.raise_ceilings(opened, 0, 9, {"user": 5000})
    assert state.raise_ceilings(opened, 1, 0, {"user": 5})
    assert state.leases(opened) == before


def new_user(store: Store) -> User:
    return create(store, User(full_name="Bob", created_at=timestamp(), updated_at=timestamp()))


def copy_aside(engine: Engine, *tables: str) -> None:
    run_sql(engine, ";".join(f"CREATE TABLE old_{name} AS TABLE {name}" for name in tables))


def put_back(engine: Engine, *tables: str) -> None:
    """These tables as they were: PostgreSQL has lost every commit since."""
    statement = "TRUNCATE {0}; INSERT INTO {0} TABLE old_{0}; DROP TABLE old_{0}"
    run_sql(engine, ";".join(statement.format(name) for name in tables))
