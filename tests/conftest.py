"""Real servers for every test: started once a session, on free ports, in a home of its own."""

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg2
import pytest
from psycopg2 import sql
from redis import Redis

from taskapi.config import VARIABLES
from taskapi.embedded import servers as embedded
from taskapi.embedded.home import lock_home, open_home
from taskapi.embedded.refusals import StartRefused
from taskapi.embedded.servers import Servers

ROOT = Path(__file__).resolve().parents[1]
_HOMES = "taskapi-test-"

# What a developer has set for the product must not reach its tests.
for _name in VARIABLES:
    os.environ.pop(_name, None)


@pytest.fixture(scope="session")
def servers() -> Iterator[Servers]:
    """Running Redis (data and broker) and PostgreSQL. A test may kill one; the next gets it back."""
    _sweep_abandoned_homes()
    home = open_home(Path(tempfile.mkdtemp(prefix=_HOMES, dir=fastest_folder())))
    with lock_home(home):
        running = embedded.start(home.path, embedded.free_ports(), durable=False)
        try:
            yield running
        finally:
            running.stop()
            shutil.rmtree(home.path)


@pytest.fixture
def redis_data(servers: Servers) -> Iterator[Redis]:
    """A client of the data Redis, empty and without scripts."""
    yield from _empty_redis(servers, "redis")


@pytest.fixture
def redis_broker(servers: Servers) -> Iterator[Redis]:
    """A client of the broker Redis, empty."""
    yield from _empty_redis(servers, "broker")


@pytest.fixture(scope="session")
def schema(servers: Servers) -> None:
    """The tables, made the way an operator makes them."""
    if (ROOT / "migrations" / "env.py").exists():
        command = [sys.executable, "-m", "flask", "--app", "taskapi:create_app", "db", "upgrade"]
        done = subprocess.run(
            command, cwd=ROOT, env=os.environ | product_environment(servers), capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr


@pytest.fixture
def database_url(servers: Servers, schema: None) -> str:
    """The address of PostgreSQL with every table there and empty."""
    _start_if_down(servers, "postgres")
    with psycopg2.connect(plain_url(servers), options="-c lock_timeout=10s") as connection:
        empty_tables(connection.cursor())
    connection.close()
    return servers.urls["postgres"]


def product_environment(servers: Servers) -> dict[str, str]:
    """The variables that a program of the product needs to run on these servers."""
    return {
        "TASKAPI_ENV": "development",
        "TASKAPI_HOME": str(servers.home.path),
        "DATABASE_URL": servers.urls["postgres"],
        "REDIS_URL": servers.urls["redis"],
        "BROKER_URL": servers.urls["broker"],
    }


def plain_url(servers: Servers) -> str:
    """PostgreSQL's address in libpq's words."""
    return servers.urls["postgres"].replace("+psycopg2", "")


def _empty_redis(servers: Servers, name: str) -> Iterator[Redis]:
    _start_if_down(servers, name)
    with Redis.from_url(servers.urls[name]) as client:
        client.flushall()
        client.script_flush()
        yield client


def _start_if_down(servers: Servers, name: str) -> None:
    child = servers.children.get(name)
    if child is None or child.exit_code() is not None:
        servers.start(name)


def empty_tables(cursor: psycopg2.extensions.cursor) -> None:
    """Only what holds rows is truncated: looking costs a fraction of that."""
    cursor.execute(
        "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'alembic_version'"
    )
    names = [sql.Identifier(name) for (name,) in cursor.fetchall()]
    if not names:
        return
    looks = [sql.SQL("EXISTS (SELECT FROM {})").format(name) for name in names]
    cursor.execute(sql.SQL("SELECT ARRAY[{}]").format(sql.SQL(", ").join(looks)))
    filled = [name for name, has_rows in zip(names, cursor.fetchone()[0], strict=True) if has_rows]
    if filled:
        cursor.execute(sql.SQL("TRUNCATE {} RESTART IDENTITY CASCADE").format(sql.SQL(", ").join(filled)))


def fastest_folder() -> Path:
    """Memory, if there is enough of it: each write to the data Redis is fsynced in the tests too."""
    memory = Path("/dev/shm")
    roomy = memory.is_dir() and os.access(memory, os.W_OK) and shutil.disk_usage(memory).free > 2**31
    return memory if roomy else Path(tempfile.gettempdir())


def _sweep_abandoned_homes() -> None:
    """A session that was killed could not clean up after itself; its lock is free, though."""
    for lock in fastest_folder().glob(f"{_HOMES}*/run/lock"):
        home = lock.parents[1]
        if home.stat().st_uid == os.geteuid():
            with contextlib.suppress(StartRefused):  # another session works there right now
                embedded.delete(home)
