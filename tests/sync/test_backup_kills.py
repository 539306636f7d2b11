"""A backup that is cut short, by a kill, a dead PostgreSQL or a full disk, leaves no half of one."""

import errno
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from taskapi.db.engine import Engine
from taskapi.db.errors import PostgresAway
from taskapi.domain import failpoints
from taskapi.domain.errors import Full
from taskapi.embedded.servers import Servers
from taskapi.outside.shelf import Shelf
from taskapi.store.client import Store
from taskapi.sync import archive, backup, retaining
from taskapi.sync.backup import back_up, backups, verify_pending
from taskapi.sync.sources import spool
from tests.conftest import ROOT
from tests.sync.conftest import Crash, crash, many_tasks
from tests.sync.shelves import SOURCES, filled, require_one_moment, require_tidy


def test_postgresql_that_dies_on_the_way_leaves_it_to_redis(opened: Store, engine: Engine, shelf: Shelf):
    def die() -> None:
        raise PostgresAway("gone")

    filled(opened)
    with failpoints.armed("from_postgres.gathered", die):
        made = back_up(opened, engine, shelf)
    assert (made.source, made.is_good) == ("redis", True)
    assert len(backups(shelf)) == 1


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("line", dict.fromkeys(backup.LINES))
def test_killed_at_any_line_twice_over_it_leaves_no_half_backup(
    opened: Store, engine: Engine, shelf: Shelf, source: str, line: str
):
    filled(opened)
    hit = []

    def die() -> None:
        hit.append(line)
        crash()

    other = {"postgresql": "from_redis", "redis": ("from_postgres", "backup.caught_up")}[source]
    for _ in range(2):
        with failpoints.armed(line, die):
            try:
                back_up(opened, engine, shelf, source=source)
            except Crash:
                require_tidy(shelf, engine)
    assert len(hit) == (0 if line.startswith(other) else 2)

    made = back_up(opened, engine, shelf, source=source)

    assert made.is_good
    require_one_moment(shelf, made.id)
    verify_pending(engine, shelf)
    assert all(each.is_good for each in backups(shelf))
    require_tidy(shelf, engine)


def test_a_full_disk_is_one_sentence_and_leaves_nothing(
    opened: Store, engine: Engine, shelf: Shelf, monkeypatch: pytest.MonkeyPatch
):
    def full(*_: Any) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patched:
        patched.setattr(archive, "write", full)
        with pytest.raises(Full, match=r"^There is no room in .*\.$"):
            back_up(opened, engine, shelf)
    assert list(Path(shelf.shown).iterdir()) == []
    many_tasks(opened, 200)
    monkeypatch.setattr(spool, "_TABLES", (*spool._TABLES, "PRAGMA max_page_count = 4"))
    with pytest.raises(Full, match=r"^There is no room for temporary files: .*\.$"):
        back_up(opened, engine, shelf, source="redis")
    assert list(Path(shelf.shown).iterdir()) == []


DYING = """
import os, signal, sys
from taskapi.db.engine import connect
from taskapi.domain import failpoints
from taskapi.outside.shelf import open_shelf
from taskapi.store import client
from taskapi.sync.backup import back_up

line, redis, postgres, folder = sys.argv[1:]
with failpoints.armed(line, lambda: os.kill(os.getpid(), signal.SIGKILL)):
    back_up(client.connect(redis), connect(postgres), open_shelf(folder), source="redis")
"""


def test_a_dead_process_leaves_what_the_next_sweeps_away(
    opened: Store, engine: Engine, shelf: Shelf, servers: Servers
):
    addresses = [servers.urls["redis"], servers.urls["postgres"], shelf.shown]
    for line in ("backup.written", "loading.put"):
        died = subprocess.run([sys.executable, "-c", DYING, line, *addresses], cwd=ROOT, timeout=30)
        assert died.returncode == -signal.SIGKILL
    made = verify_pending(engine, shelf)
    assert [each.is_good for each in made] == [True]
    left = [path for path in Path(shelf.shown).iterdir() if path.name.startswith(".")]
    assert len(left) == 1
    os.utime(left[0], (0, 0))
    assert retaining.retain(shelf, 3, made[0].incarnation) == []
    assert not left[0].exists()
    require_tidy(shelf, engine)
    assert back_up(opened, engine, shelf).is_good
