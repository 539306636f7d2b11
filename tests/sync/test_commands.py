"""`flask sync | close | compare`, as an operator runs them."""

from taskapi.cli import syncing
from taskapi.db import meta
from taskapi.db.engine import Engine, transaction
from taskapi.domain.clock import timestamp
from taskapi.domain.records import User
from taskapi.embedded.servers import Servers
from taskapi.store import state
from taskapi.store.client import Store
from taskapi.sync import auditing
from taskapi.sync.flush import Flushed
from tests.sync.conftest import Run, create, new_task
from tests.sync.test_flush import run_sql


def test_sync_admits_and_carries_and_says_so(run: Run, store: Store):
    first = run("sync")
    assert (first.exit_code, first.output) == (
        0,
        "Both stores are new: a new installation begins. Epoch 1.\n"
        "Carried to PostgreSQL: 1 user, 1 credential. Nothing is left.\n",
    )
    new_task(store)
    new_task(store)

    again = run("sync").output
    assert again.endswith("already admitted. Epoch 1.\nCarried to PostgreSQL: 2 tasks. Nothing is left.\n")


def test_sync_refuses_a_foreign_redis_in_one_sentence(run: Run, store: Store):
    store.redis.set("somebody", "else")

    done = run("sync")

    assert done.exit_code == 1
    assert (
        done.output
        == "Redis holds keys of another program: give taskapi an empty Redis (or database) of its own.\n"
    )


def test_sync_without_postgresql_is_one_sentence(run: Run, servers: Servers):
    servers.stop("postgres")
    try:
        done = run("sync")
    finally:
        servers.start("postgres")

    assert done.exit_code == 1
    assert done.output.startswith("PostgreSQL is away: ")
    assert len(done.output.splitlines()) == 1


def test_sync_brings_a_postgresql_that_went_back_up_to_date(run: Run, opened: Store, engine: Engine):
    new_task(opened)
    run("sync")
    run_sql(engine, "TRUNCATE users, credentials, tasks, change")

    done = run("sync")

    assert "PostgreSQL was older than Redis" in done.output
    assert run("compare").exit_code == 0


def test_close_notes_a_clean_stop(run: Run, opened: Store, engine: Engine):
    done = run("close")

    assert (done.exit_code, done.output) == (0, "Closed. Carried to PostgreSQL: 1 user. Nothing is left.\n")
    with transaction(engine) as connection:
        found = meta.installation(connection)
    assert found
    assert found.closed == state.look(opened).fingerprint() | {"whole": True}
    assert run("close").output == "Redis was not open: nothing to close.\n"
    assert "The last stop was clean" in run("sync").output


def test_compare_names_what_differs(run: Run, opened: Store, engine: Engine):
    for _ in range(3):
        new_task(opened)
    run("sync")
    told = run("compare").output.splitlines()
    assert told[0] == "Equal: 1 user, 1 credential, 0 groups, 3 tasks, 0 files, 6 journal entries."
    assert [line.split(": ")[0] for line in told[1:]] == [
        f"Digest of {kind}" for kind in ("users", "credentials", "groups", "tasks", "files")
    ]
    new_task(opened)
    opened.redis.delete("task:1")
    run_sql(engine, "UPDATE tasks SET title = 'x' WHERE id = 2; DELETE FROM tasks WHERE id = 3")
    run_sql(engine, "DELETE FROM change WHERE record_id = 2")

    done = run("compare")

    assert done.exit_code == 1
    assert "1 only in Redis: task:3\n" in done.output
    assert "1 only in PostgreSQL: task:1\n" in done.output
    assert "1 different: task:2\n" in done.output
    assert "1 on their way or in quarantine: task:4\n" in done.output
    assert "1 journal entries missing or different: " in done.output


def test_compare_repairs_and_says_what(run: Run, opened: Store, engine: Engine):
    new_task(opened)
    run("sync")
    opened.redis.delete("task:1")
    assert " in Redis, " in run("compare").output

    done = run("compare", "--repair")

    assert done.exit_code == 0
    assert "Put right: task:1: Redis lacked it" in done.output
    assert done.output.endswith(
        "Both stores are equal: yes; all parents and unique values are sound: yes;"
        f" every index and counter is exact: yes. {len(done.output.splitlines()) - 1} put right, 0 left.\n"
    )
    assert run("compare").exit_code == 0


def test_compare_says_what_it_cannot_repair(run: Run, opened: Store, engine: Engine):
    new_task(opened)
    run("sync")
    opened.redis.set("task:1", "{")

    done = run("compare", "--repair")

    assert done.exit_code == 1
    assert "Left: task:1: its text in Redis is no record" in done.output
    assert "Both stores are equal: NO" in done.output


def test_two_do_not_repair_at_once(run: Run, opened: Store, engine: Engine):
    with auditing.turn(opened, engine):
        done = run("compare", "--repair")
    assert (done.exit_code, done.output) == (
        1,
        "The stores are being compared already: try again when that is done.\n",
    )


def test_compare_finds_orphans_and_values_that_two_hold(run: Run, opened: Store, engine: Engine):
    new_task(opened)
    trashed = new_task(opened, deleted_at=timestamp())
    now = timestamp()
    for name in ("Ada", "Bob"):
        create(opened, User(full_name=name, username=name, created_at=now, updated_at=now))
    bob = opened.redis.get("user:3")
    opened.redis.set("user:3", bob.replace(b'"username":"Bob"', b'"username":"ADA"'))
    opened.redis.delete("user:1")

    done = run("compare")

    assert done.exit_code == 1
    assert "1 without a parent: task:1 without user:1\n" in done.output
    assert "1 unique values held twice: user:2 and user:3 have one username\n" in done.output
    assert f"task:{trashed.id} without" not in done.output


def test_what_was_refused_or_left_is_told():
    told = syncing.told(Flushed({"task": 1}, 1, left=2, refused=1))
    assert told == "Carried to PostgreSQL: 1 task. 2 still to carry. 1 refused by PostgreSQL and set apart."
