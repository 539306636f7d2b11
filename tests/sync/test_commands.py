"""`flask sync | close | compare | doctor`, as an operator runs them."""

import re
from collections.abc import Callable, Iterator

import pytest
from click.testing import Result
from redis import Redis
from sqlalchemy import text
from structlog.testing import capture_logs

from taskapi import cli
from taskapi.cli import syncing
from taskapi.config import load_settings
from taskapi.db import meta
from taskapi.db.engine import Engine, connect, transaction
from taskapi.diagnosis import checkup
from taskapi.domain.clock import timestamp
from taskapi.domain.records import User
from taskapi.embedded.servers import Servers
from taskapi.extensions import db
from taskapi.outside.shelf import Shelf
from taskapi.store import dirty, heartbeats, jobs, state
from taskapi.store.client import Store
from taskapi.store.client import connect as connect_redis
from taskapi.sync import auditing, restoring
from taskapi.sync.flush import Flushed
from taskapi.sync.restoring import rebuild
from tests.conftest import product_environment
from tests.db.minimal import minimal_app
from tests.sync.conftest import create, new_task, restart
from tests.sync.test_flush import run_sql

Run = Callable[..., Result]


@pytest.fixture
def run(store: Store, database_url: str, servers: Servers, redis_broker: Redis) -> Iterator[Run]:
    """Runs one command."""
    settings = load_settings(product_environment(servers), None)
    app = minimal_app(database_url, SETTINGS=settings)
    app.extensions["taskapi.store"] = store
    app.extensions["taskapi.jobs"] = broker = jobs.connect(servers.urls["broker"])
    cli.register(app)
    with capture_logs():
        yield lambda *words: app.test_cli_runner().invoke(args=words)
    broker.redis.close()
    with app.app_context():
        db.engine.dispose()


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


def well(result: Result) -> dict[str, bool]:
    return {line[5:18].strip(): line.startswith("ok") for line in result.output.splitlines()}


def test_the_doctor_finds_nothing_where_nothing_is_wrong(run: Run, opened: Store, servers: Servers):
    broker = jobs.connect(servers.urls["broker"])
    heartbeats.note(broker, "celery@a", heartbeats.BEAT)

    done = run("doctor")

    assert done.exit_code == 0, done.output
    assert all(well(done).values())
    broker.redis.close()


def test_the_doctor_says_what_to_do(run: Run, opened: Store, engine: Engine, servers: Servers):
    dirty.quarantine(opened, dirty.peek(opened).marks, "a test")
    restart(opened)
    opened.redis.config_set("appendfsync", "everysec")
    with transaction(engine) as connection:
        was = connection.scalar(text("SELECT version_num FROM alembic_version"))
    run_sql(engine, "UPDATE alembic_version SET version_num = '0000'")
    try:
        done = run("doctor")
    finally:
        opened.redis.config_set("appendfsync", "always")
        run_sql(engine, f"UPDATE alembic_version SET version_num = '{was}'")

    assert done.exit_code == 1
    ill = {name for name, is_well in well(done).items() if not is_well}
    assert ill == {"redis", "postgresql", "admission", "workers", "sync"}
    assert "set appendfsync always (it is everysec)" in done.output
    assert "db upgrade" in done.output
    assert "start `celery -A celery_app worker`" in done.output


def test_the_doctor_lives_without_anything(opened: Store, engine: Engine, servers: Servers, monkeypatch):
    broker = jobs.connect(servers.urls["broker"])
    heartbeats.note(broker, "celery@a")
    new_task(opened)
    opened.redis.zadd("dirty:since", {"task:1": 0})
    settings = load_settings(product_environment(servers), None)
    monkeypatch.setattr("multiprocessing.Semaphore", _no_semaphore)

    lines = {line.subject: line.finding for line in checkup(settings, opened, broker, engine)}
    assert "start `celery -A celery_app beat`" in lines["workers"]
    assert "is a worker running?" in lines["sync"]
    assert "/dev/shm" in lines["shared memory"]

    nowhere = jobs.connect("redis://127.0.0.1:1/0")
    ill = {line.subject for line in checkup(settings, opened, nowhere, engine) if not line.is_well}
    assert ill >= {"broker", "workers"}
    broker.redis.close()


def test_the_doctor_says_once_what_is_away_and_how_it_starts(opened: Store, engine: Engine, servers: Servers):
    settings = load_settings(product_environment(servers), None)
    gone, nobody = connect_redis("redis://127.0.0.1:1/0"), jobs.connect("redis://127.0.0.1:1/0")
    nowhere = connect("postgresql+psycopg2://nobody@127.0.0.1:1/nothing")

    lines = {line.subject: line for line in checkup(settings, gone, nobody, nowhere)}

    assert [name for name, line in lines.items() if "`make run`" in line.finding] == [
        "redis",
        "broker",
        "postgresql",
    ]
    assert lines["redis"].finding == "The data store is away. Start it with `make run`."
    for name, server in {"ground": "redis", "sync": "redis", "workers": "broker"}.items():
        assert (lines[name].is_well, lines[name].finding) == (False, f"not checked: away is {server}")
    assert lines["restores"].finding == "not checked: away is postgresql"


def test_the_doctor_knows_the_last_restore_and_the_way_to_what_is_refused(
    run: Run, opened: Store, engine: Engine, shelf: Shelf
):
    assert "none was made yet" in run("doctor").output
    rebuild(opened, engine, shelf)
    new_task(opened)
    dirty.quarantine(opened, dirty.peek(opened).marks, "a test")

    found = run("doctor").output

    assert re.search(r"restores +the last was at 20\S+Z: rebuilt from postgresql$", found, re.MULTILINE)
    assert "PostgreSQL refuses 1 of the records (task:1): `flask quarantine` tells why." in found


def test_what_cannot_be_read_is_named_by_the_comparison_the_doctor_and_a_dry_run(
    run: Run, opened: Store, engine: Engine
):
    task = new_task(opened)
    assert run("sync").exit_code == 0
    assert "not compared yet" in run("doctor").output
    assert run("compare", "--repair").exit_code == 0
    assert re.search(r"ok +records +compared at 20\S+Z, 0 put right", run("doctor").output)
    opened.redis.set(f"task:{task.id}", "broken")

    assert f"task:{task.id}" in run("compare").output
    assert restoring.plan(opened, engine)["differing"] == 1
    assert run("compare", "--repair").exit_code == 1
    assert re.search(r"BAD +records +\d+ could not be put right", run("doctor").output)


def _no_semaphore() -> None:
    raise OSError
