"""The flush, line by line."""

from functools import partial

import pytest
from sqlalchemy import event, text

from taskapi.db import meta, rows
from taskapi.db.engine import Engine, connect, transaction
from taskapi.db.errors import PostgresAway
from taskapi.domain import failpoints
from taskapi.domain.callers import Claim
from taskapi.domain.clock import timestamp
from taskapi.domain.errors import Unavailable
from taskapi.domain.records import Credential, Group, User
from taskapi.store import contents, dirty, state, syncs
from taskapi.store.client import Store
from taskapi.store.kinds import TASK
from taskapi.store.plans import SAME_ID, Change
from taskapi.store.records import save
from taskapi.sync import flush
from taskapi.sync.compare import compare
from taskapi.sync.flush import drain, flush_batch
from tests.sync.conftest import Crash, change, crash, create, new_task, purge, restart

TRIGGER = """
CREATE FUNCTION refuse_evil() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN IF NEW.title = 'evil' THEN RAISE EXCEPTION 'no evil'; END IF; RETURN NEW; END $$;
CREATE TRIGGER refuse_evil BEFORE INSERT OR UPDATE ON tasks FOR EACH ROW EXECUTE FUNCTION refuse_evil();
"""
NO_TRIGGER = "DROP TRIGGER refuse_evil ON tasks; DROP FUNCTION refuse_evil;"


def run_sql(engine: Engine, statement: str) -> None:
    with transaction(engine) as connection:
        connection.execute(text(statement))


def require_equal(store: Store, engine: Engine) -> None:
    found = compare(store, engine)
    assert found.is_equal, found
    assert (found.waiting, dirty.count(store)) == ([], 0)


def titles(engine: Engine) -> dict[int, str]:
    with transaction(engine) as connection:
        return {row["id"]: row["title"] for row in rows.stream(connection, "task")}


def test_every_kind_arrives_with_its_journal(opened: Store, engine: Engine):
    now = timestamp()
    create(opened, Group(name="Team", created_at=now, updated_at=now))
    user = Change(None, User(full_name="Bob", created_at=now, updated_at=now), "created")
    credential = Change(None, Credential(password_hash="x", updated_at=now), "created", SAME_ID)
    save(opened, Claim(1), [user, credential])
    new_task(opened, tags=("a",), deadline="2026-11-20", estimate_hours=1.5)

    done = drain(opened, engine, 5)

    assert done.rows == {"user": 2, "credential": 1, "group": 1, "task": 1}
    assert (done.entries, done.left, done.refused, done.is_clean) == (5, 0, 0, True)
    require_equal(opened, engine)
    assert compare(opened, engine).entries == 5
    history = syncs.history(opened)
    assert (history.sync_count, history.rows_synced) == (1, 5)


def test_a_change_made_during_the_flush_stays_dirty(opened: Store, engine: Engine):
    task = new_task(opened)
    for line in flush.LINES[:-1]:
        task = change(opened, task, title=f"before {line}")
        with failpoints.armed(line, partial(change, opened, task, title=f"during {line}")):
            flush_batch(opened, engine)
        assert not dirty.is_committed(opened, ["task:1"]), line
        assert titles(engine)[1] in (f"before {line}", f"during {line}")
        task = contents.present(opened, TASK, [1])[0]
    drain(opened, engine, 5)

    assert titles(engine) == {1: f"during {flush.LINES[-2]}"}
    require_equal(opened, engine)


@pytest.mark.parametrize("line", flush.LINES)
def test_a_flush_that_dies_at_any_line_loses_nothing(opened: Store, engine: Engine, line: str):
    task = new_task(opened)
    with failpoints.armed(line, crash), pytest.raises(Crash):
        flush_batch(opened, engine)
    assert dirty.is_committed(opened, ["task:1"]) == (line == "flush.settled")

    change(opened, task, title="later")
    drain(opened, engine, 5)

    assert titles(engine) == {1: "later"}
    require_equal(opened, engine)


def test_a_crash_between_commit_and_settle_costs_one_repeat(opened: Store, engine: Engine):
    new_task(opened)
    with failpoints.armed("flush.committed", crash), pytest.raises(Crash):
        flush_batch(opened, engine)

    repeated = flush_batch(opened, engine)

    assert (repeated.total, repeated.entries, repeated.left) == (0, 0, 0)
    assert flush_batch(opened, engine).is_clean


def test_an_older_flusher_cannot_overwrite(opened: Store, engine: Engine):
    task = new_task(opened, title="old")
    with failpoints.armed("flush.peeked", lambda: None):
        old = dirty.peek(opened)
    change(opened, task, title="new")
    drain(opened, engine, 5)

    flush._write(engine, old)
    assert dirty.settle(opened, old, old.marks, old.entries[-1].version) == 0

    assert titles(engine) == {1: "new"}
    require_equal(opened, engine)


def test_a_purged_record_stays_purged(opened: Store, engine: Engine):
    task = new_task(opened)
    old = dirty.peek(opened)
    drain(opened, engine, 5)
    purge(opened, task)
    drain(opened, engine, 5)
    flush._write(engine, old)

    assert titles(engine) == {}
    assert not opened.redis.keys("*task:1")
    require_equal(opened, engine)


def test_postgresql_away_loses_nothing(opened: Store, engine: Engine):
    new_task(opened)
    away = connect("postgresql+psycopg2://nobody@127.0.0.1:1/nothing")

    with pytest.raises(PostgresAway):
        flush_batch(opened, away)

    assert dirty.count(opened) == 2


def test_an_unverified_redis_is_not_flushed(opened: Store, engine: Engine):
    restart(opened)
    with pytest.raises(Unavailable):
        flush_batch(opened, engine)


def test_leases_are_topped_up_before_half_is_used(opened: Store, engine: Engine):
    opened.redis.hset("ids", "group", 400)
    flush_batch(opened, engine)
    assert state.leases(opened)["group"] == (400, 1000)

    opened.redis.hset("ids", "group", 501)
    with failpoints.armed("leases.committed", crash), pytest.raises(Crash):
        flush_batch(opened, engine)
    assert state.leases(opened)["group"] == (501, 1000)
    flush_batch(opened, engine)
    assert state.leases(opened)["group"] == (501, 1501)
    with transaction(engine) as connection:
        leased = {"user": 1001, "group": 1501, "task": 1_000_000, "file": 100_000}
        assert meta.leases(connection) == leased


def test_one_changed_task_costs_the_same_however_many_there_are(opened: Store, engine: Engine):
    def cost_of_one() -> tuple[int, int, int]:
        task = new_task(opened)
        statements: list[str] = []
        event.listen(engine, "before_cursor_execute", lambda *args: statements.append(args[2]))
        before = opened.redis.info("stats")["total_commands_processed"]
        done = flush_batch(opened, engine)
        commands = opened.redis.info("stats")["total_commands_processed"] - before
        change(opened, task, title="x")
        drain(opened, engine, 5)
        return commands, len(statements), done.total

    for _ in range(100):
        new_task(opened)
    drain(opened, engine, 5)
    few = cost_of_one()
    fill_up(opened, engine, 100_000)
    assert opened.redis.dbsize() > 100_000
    assert cost_of_one() == few
    assert few[2] == 1


def fill_up(store: Store, engine: Engine, count: int) -> None:
    """Tasks from id 1,000 on in both stores, without their indexes, the fast way."""
    epoch = state.EPOCH_SPAN
    run_sql(
        engine,
        "INSERT INTO tasks (id, version, title, user_id)"
        f" SELECT n + 1000, {epoch}, 't', 1 FROM generate_series(1, {count}) AS n",
    )
    for first in range(1, count, 10_000):
        store.redis.eval(
            "for n = ARGV[1] + 0, ARGV[1] + 9999 do redis.call('SET', 'task:' .. (n + 1000),"
            """ '{"id":' .. (n + 1000) .. ',"title":"t","user_id":1,"version":' .. ARGV[2] .. '}') end""",
            0,
            first,
            epoch,
        )


def test_a_record_written_all_the_time_does_not_starve_the_others(opened: Store, engine: Engine):
    hot = new_task(opened)
    others = [new_task(opened) for _ in range(4)]
    seen: set[str] = set()
    for _ in range(5):
        batch = dirty.peek(opened, records=2)
        hot = change(opened, hot, title=f"{hot.version}")
        carried = flush._write(engine, batch)
        dirty.settle(opened, batch, carried.kept(batch.marks), batch.entries[-1].version)
        seen |= {mark.name for mark in batch.marks}

    assert {f"task:{task.id}" for task in others} <= seen


def test_versions_keep_all_their_digits(opened: Store, engine: Engine):
    opened.redis.hset("meta", "version", 4_299_999_999)
    task = new_task(opened)
    assert task.version == 4_300_000_000

    drain(opened, engine, 5)

    require_equal(opened, engine)
