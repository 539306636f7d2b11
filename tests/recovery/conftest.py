"""An installation that disasters may befall: real servers, and commands as an operator types them."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psycopg2
import pytest
from sqlalchemy import text

from taskapi.db.engine import Engine, transaction
from taskapi.db.engine import connect as connect_postgres
from taskapi.domain.records import Task
from taskapi.embedded import servers as embedded
from taskapi.embedded.home import lock_home, open_home
from taskapi.embedded.servers import Servers
from taskapi.outside.shelf import open_shelf
from taskapi.services.owner import ensure_owner
from taskapi.store import contents
from taskapi.store.client import Store, connect
from taskapi.sync.admission import admit
from taskapi.sync.backup import back_up
from taskapi.sync.flush import drain
from tests.conftest import ROOT, empty_tables, fastest_folder, plain_url, product_environment
from tests.store.conftest import Maker

KEPT, LATER = "kept", "later"
_EMPTY = "DROP SCHEMA public CASCADE; CREATE SCHEMA public"


@dataclass
class Installation:
    """Servers with an owner and a task `kept` in both stores; `names` are what the commands call things."""

    servers: Servers
    store: Store
    engine: Engine
    names: dict[str, str] = field(default_factory=dict)

    def run(self, script: str) -> subprocess.CompletedProcess[str]:
        """Commands, as they are written."""
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        environment = os.environ | product_environment(self.servers) | {"PATH": path} | self.names
        command = ["bash", "-euo", "pipefail", "-c", script]
        return subprocess.run(
            command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120, check=False
        )

    def done(self, script: str) -> str:
        """What commands print that do not fail."""
        ran = self.run(script)
        assert ran.returncode == 0, ran.stdout + ran.stderr
        return ran.stdout

    def write(self, title: str) -> Task:
        """A task more."""
        made: Task = Maker(self.store).task(title=title)
        return made

    def carry(self) -> None:
        """What a worker does."""
        drain(self.store, self.engine, 10)

    def titles(self) -> list[str]:
        """Those of all live tasks in Redis."""
        records = contents.stored_records(self.store)
        return sorted(each.title for each in records if isinstance(each, Task) and not each.deleted_at)

    @property
    def backups(self) -> Path:
        """Where they lie."""
        return self.servers.home.path / "backups"

    def back_up(self) -> None:
        """A backup, under the name that the commands have for it."""
        made = back_up(self.store, self.engine, open_shelf(self.backups.as_uri()))
        self.names["BACKUP"] = made.id

    def folder(self, server: str) -> Path:
        """Where the data of a server lie."""
        return self.servers.home.server_folder(server)

    def put_aside(self, server: str) -> Path:
        """A copy of a server's disk."""
        copy = self.servers.home.path / f"{server}-aside"
        self.servers.stop(server)
        subprocess.run(["cp", "-a", self.folder(server), copy], check=True)
        self.servers.start(server)
        self.engine.dispose()
        return copy

    def put_back(self, server: str, copy: Path) -> None:
        """That copy in the place of the disk."""
        self.lose(server)
        self.servers.stop(server)
        shutil.rmtree(self.folder(server))
        copy.rename(self.servers.home.path / server)
        self.servers.start(server)
        self.engine.dispose()

    def lose(self, server: str) -> None:
        """An empty server in the place of the one that was."""
        if server == "postgres":
            with transaction(self.engine) as connection:
                connection.execute(text(_EMPTY))
        else:
            self.servers.stop(server)
            shutil.rmtree(self.folder(server) / "appendonlydir")
            self.servers.start(server)


@pytest.fixture(scope="module")
def place() -> Iterator[Installation]:
    """Servers of its own, on which nothing was done yet."""
    home = open_home(Path(tempfile.mkdtemp(prefix="taskapi-recovery-", dir=fastest_folder())))
    with lock_home(home):
        running = embedded.start(home.path, embedded.free_ports(), durable=False)
        store, engine = connect(running.urls["redis"]), connect_postgres(running.urls["postgres"])
        try:
            made = Installation(running, store, engine)
            made.done("flask db upgrade")
            yield made
        finally:
            store.redis.close()
            engine.dispose()
            running.stop()
            shutil.rmtree(home.path)


@pytest.fixture
def installation(place: Installation) -> Installation:
    """A new one."""
    place.names.clear()
    place.store.redis.flushall()
    place.store.redis.script_flush()
    with psycopg2.connect(plain_url(place.servers)) as connection:
        empty_tables(connection.cursor())
    connection.close()
    shutil.rmtree(place.backups, ignore_errors=True)
    admit(place.store, place.engine)
    ensure_owner(place.store, "admin@gmail.com", "admin1234")
    place.write(KEPT)
    place.carry()
    return place
