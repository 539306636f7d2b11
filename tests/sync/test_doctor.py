"""`flask doctor`, as an operator runs it."""

import re

from click.testing import Result
from sqlalchemy import text

from taskapi.config import load_settings
from taskapi.db.engine import Engine, connect, transaction
from taskapi.diagnosis import checkup
from taskapi.embedded.servers import Servers
from taskapi.outside.shelf import Shelf
from taskapi.store import dirty, heartbeats, jobs
from taskapi.store.client import Store
from taskapi.store.client import connect as connect_redis
from taskapi.sync import restoring
from taskapi.sync.restoring import rebuild
from tests.conftest import product_environment
from tests.sync.conftest import Run, new_task, restart
from tests.sync.test_flush import run_sql


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
