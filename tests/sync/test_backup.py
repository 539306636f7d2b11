"""Backups: of one moment, whole or not there, and good only once they were restored aside."""

import dataclasses
import errno
import os
import signal
import stat
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson
import pytest

from taskapi.db import locks, rows
from taskapi.db.engine import Engine, transaction
from taskapi.db.errors import PostgresAway
from taskapi.domain import failpoints
from taskapi.domain.callers import Claim
from taskapi.domain.errors import Full, Unavailable
from taskapi.embedded.servers import Servers
from taskapi.outside.shelf import Shelf, open_shelf
from taskapi.store import contents, dirty, harvest, state, walking
from taskapi.store.client import Store
from taskapi.store.plans import Change
from taskapi.store.records import save
from taskapi.sync import archive, backup, keeping
from taskapi.sync.admission import admit
from taskapi.sync.backup import back_up, backups, find, loaded, verify, verify_pending
from taskapi.sync.errors import Broken, Overtaken, PostgresWentBack
from taskapi.sync.flush import drain
from taskapi.sync.sources import following, from_postgres, spool
from tests.conftest import ROOT
from tests.outside.conftest import bucket_url, s3  # noqa: F401 - fixtures
from tests.sync.conftest import Crash, change, crash, many_tasks, new_task, purge, restart
from tests.sync.shelves import content, filled, records, require_one_moment, require_tidy, whole
from tests.sync.test_flush import run_sql
from tests.sync.test_loading import scratch_tables

SOURCES = ["postgresql", "redis"]


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    """An empty shelf in a folder."""
    return open_shelf(str(tmp_path / "backups"))


def test_both_sources_give_the_same(opened: Store, engine: Engine, shelf: Shelf):
    filled(opened)
    before = back_up(opened, engine, shelf, source="redis")
    drain(opened, engine, 10)
    after = back_up(opened, engine, shelf, "daily")
    ahead = back_up(opened, engine, shelf, source="redis")

    assert (before.source, after.source, after.reason) == ("redis", "postgresql", "daily")
    assert before.is_good
    assert after.is_good
    assert content(shelf, before.id) == content(shelf, after.id) == content(shelf, ahead.id)
    kept = {"version", "epoch", "incarnation", "counts", "entries"}
    assert {name: getattr(before, name) for name in kept} == {name: getattr(after, name) for name in kept}
    assert after.counts == {"user": 2, "credential": 1, "group": 1, "task": 5, "refused": 0}
    assert after.version == state.look(opened).version
    assert after.ids["task"] == 1_000_000
    require_one_moment(shelf, after.id)
    orjson.dumps(dataclasses.asdict(after))


def test_an_empty_installation_is_backed_up(store: Store, engine: Engine, shelf: Shelf):
    admit(store, engine)
    assert back_up(store, engine, shelf).is_good
    assert back_up(store, engine, shelf, source="redis").is_good


def test_what_postgresql_lacks_is_in_it(
    opened: Store, engine: Engine, shelf: Shelf, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(backup, "catch_up", lambda *_: None)
    monkeypatch.setattr(from_postgres, "CHUNK", 2)
    tasks = many_tasks(opened, 5)
    drain(opened, engine, 10)
    change(opened, tasks[0], title="newer")
    purge(opened, tasks[1])
    new = new_task(opened, title="new")

    made = back_up(opened, engine, shelf, source="postgresql")

    assert made.is_good
    found = records(content(shelf, made.id), "task")
    assert {number: task["title"] for number, task in found.items()} == {
        1: "newer", 3: "t", 4: "t", 5: "t", new.id: "new"
    }  # fmt: skip
    require_one_moment(shelf, made.id)


@pytest.mark.parametrize("source", SOURCES)
def test_a_long_journal_comes_in_parts(
    opened: Store, engine: Engine, shelf: Shelf, source: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(backup, "catch_up", lambda *_: None)
    monkeypatch.setattr(harvest, "BATCH_BYTES", 1)
    filled(opened)
    with failpoints.armed("from_postgres.begun", lambda: filled_again(opened)):
        made = back_up(opened, engine, shelf, source=source)
    assert made.is_good
    require_one_moment(shelf, made.id)


def filled_again(store: Store) -> None:
    """More changes, also of what was there."""
    for task in many_tasks(store, 30)[:5]:
        purge(store, change(store, task, title="gone"))


@contextmanager
def written(store: Store) -> Iterator[None]:
    """Meanwhile pairs of tasks are changed, each pair always together, and others come and go."""
    stop = threading.Event()

    def write() -> None:
        pair = many_tasks(store, 2, title="0")
        for number in range(1, 100_000):
            changes = [Change(task, task.changed(title=str(number)), "changed") for task in pair]
            pair = [stored.record for stored in save(store, Claim(1), changes).stored]
            if number % 10 == 0:
                purge(store, new_task(store))
            if stop.is_set():
                return

    threads = [threading.Thread(target=write) for _ in range(3)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def require_pairs(shelf: Shelf, backup_id: str, first: int) -> None:
    """Tasks that were only ever changed together are the same."""
    found = records(content(shelf, backup_id), "task")
    by_title: dict[str, list[int]] = {}
    for number in range(first, first + 6):
        by_title.setdefault(found[number]["title"], []).append(number)
    pairs = sorted((found[number]["title"], found[number]["version"]) for number in range(first, first + 6))
    assert all(len(numbers) % 2 == 0 for numbers in by_title.values()), pairs


@pytest.mark.parametrize("source", SOURCES)
def test_a_backup_under_writers_is_of_one_moment(
    opened: Store, engine: Engine, shelf: Shelf, source: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(walking, "SLICE", 20)
    monkeypatch.setattr(backup, "CATCH_UP_SECONDS", 0.3)
    many_tasks(opened, 300)
    with written(opened):
        while dirty.count(opened) < 306:
            pass
        made = [back_up(opened, engine, shelf, source=source) for _ in range(3)]
    for each in made:
        assert each.is_good
        require_one_moment(shelf, each.id)
        require_pairs(shelf, each.id, 301)
    assert made[0].version < made[1].version < made[2].version


def test_redis_alone_is_backed_up_while_postgresql_is_down(
    opened: Store, engine: Engine, shelf: Shelf, servers: Servers
):
    filled(opened)
    servers.stop("postgres")
    try:
        with written(opened):
            made = back_up(opened, engine, shelf)
        with pytest.raises(PostgresAway):
            back_up(opened, engine, shelf, source="postgresql")
        with pytest.raises(PostgresAway):
            verify_pending(engine, shelf)
    finally:
        servers.start("postgres")
    assert (made.source, made.is_good, made.verified_at, made.flaw) == ("redis", False, None, None)
    require_one_moment(shelf, made.id)

    assert [each.id for each in verify_pending(engine, shelf)] == [made.id]
    assert find(shelf, made.id).is_good
    assert verify_pending(engine, shelf) == []


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


def test_a_backup_is_for_its_owner_alone(opened: Store, engine: Engine, shelf: Shelf, tmp_path: Path):
    back_up(opened, engine, shelf)
    assert stat.S_IMODE((tmp_path / "backups").stat().st_mode) == 0o700
    modes = {stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "backups").iterdir()}
    assert modes == {0o600}


def test_a_backup_in_a_bucket(
    opened: Store, engine: Engine, bucket_url: str  # noqa: F811 - the fixture
):  # fmt: skip
    filled(opened)
    shelf = open_shelf(bucket_url)
    made = back_up(opened, engine, shelf)
    assert made.is_good
    assert backups(shelf) == [made]
    assert verify(engine, shelf, made.id).verified_at >= made.verified_at
    require_one_moment(shelf, made.id)


def flip(path: Path, place: int) -> None:
    """Another byte there."""
    changed = bytearray(path.read_bytes())
    changed[place] ^= 0x10
    path.write_bytes(changed)


def test_a_flipped_byte_makes_it_good_no_more(opened: Store, engine: Engine, shelf: Shelf, tmp_path: Path):
    made = back_up(opened, engine, shelf)
    path = tmp_path / "backups" / keeping.file_of(made.id)
    flip(path, 40)
    with pytest.raises(Broken, match="not as it was written"):
        verify(engine, shelf, made.id)
    found = find(shelf, made.id)
    assert (found.is_good, found.verified_at) == (False, None)
    assert "not as it was written" in found.flaw
    assert verify_pending(engine, shelf) == []

    flip(path, 40)
    assert verify(engine, shelf, made.id).is_good
    assert find(shelf, made.id).flaw is None


def test_a_list_of_backups_shows_no_flipped_manifest_as_good(
    opened: Store, engine: Engine, shelf: Shelf, tmp_path: Path
):
    made = back_up(opened, engine, shelf)
    path = tmp_path / "backups" / keeping.file_of(made.id)
    size = path.stat().st_size
    for place in range(size - whole(shelf, made.id).manifest_size - 40, size, 7):
        flip(path, place)
        assert not find(shelf, made.id).is_good
        flip(path, place)
    assert find(shelf, made.id) == made


def test_a_flipped_byte_of_the_finding_makes_it_pending(
    opened: Store, engine: Engine, shelf: Shelf, tmp_path: Path
):
    made = back_up(opened, engine, shelf)
    path = tmp_path / "backups" / f"{made.id}.verified"
    for place in range(path.stat().st_size):
        flip(path, place)
        assert not find(shelf, made.id).is_good
        flip(path, place)
    flip(path, 9)
    assert [each.id for each in verify_pending(engine, shelf)] == [made.id]


def test_a_finding_of_another_archive_counts_for_nothing(
    opened: Store, engine: Engine, shelf: Shelf, tmp_path: Path
):
    one, other = (back_up(opened, engine, shelf) for _ in range(2))
    folder = tmp_path / "backups"
    (folder / f"{other.id}.verified").write_bytes((folder / f"{one.id}.verified").read_bytes())
    assert not find(shelf, other.id).is_good
    (folder / keeping.file_of(other.id)).write_bytes((folder / keeping.file_of(one.id)).read_bytes())
    assert not find(shelf, other.id).is_good
    with pytest.raises(Broken, match="under another's name"):
        verify(engine, shelf, other.id)
    with engine.connect() as connection, pytest.raises(Broken), loaded(connection, shelf, other.id):
        pass


@pytest.mark.parametrize("source", SOURCES)
def test_what_a_database_loses_on_the_way_makes_it_broken(
    opened: Store, engine: Engine, shelf: Shelf, source: str, monkeypatch: pytest.MonkeyPatch
):
    filled(opened)
    drain(opened, engine, 10)
    real: Callable[..., Any] = rows.upsert
    monkeypatch.setattr(rows, "upsert", lambda connection, kind, blobs: real(connection, kind, blobs[:-1]))
    with pytest.raises(Broken, match=r"did not come back .*user: 1 of 2"):
        back_up(opened, engine, shelf, source=source)
    assert [each.is_good for each in backups(shelf)] == [False]
    assert scratch_tables(engine) == []


def test_who_dies_while_writing_down_a_flaw_leaves_nothing_good(
    opened: Store, engine: Engine, shelf: Shelf, tmp_path: Path
):
    made = back_up(opened, engine, shelf)
    flip(tmp_path / "backups" / keeping.file_of(made.id), 40)
    for _ in range(2):
        with failpoints.armed("keeping.forgotten", crash), pytest.raises(Crash):
            verify(engine, shelf, made.id)
        assert not find(shelf, made.id).is_good
    assert verify_pending(engine, shelf) == []
    assert find(shelf, made.id).flaw


def test_what_nobody_can_read_is_kept_byte_for_byte(opened: Store, engine: Engine, shelf: Shelf):
    blobs = {
        "task:71": b'{"id":71,\xff\n\0,"version":5}',
        "task:72": b"no record at all",
        "trash:task:73": b'{"id":73,"title":5,"version":7}',
    }
    opened.redis.mset(blobs)
    made = back_up(opened, engine, shelf, source="redis")
    assert made.is_good
    assert made.counts["refused"] == 3
    with engine.connect() as connection, loaded(connection, shelf, made.id) as found:
        kept = connection.exec_driver_sql("SELECT record FROM pg_temp.refused ORDER BY record_id").scalars()
        assert [bytes(record) for record in kept] == list(blobs.values())
        assert found.moved == set()
        connection.rollback()


def test_what_only_postgresql_has_kept_of_the_refused_is_in_it(opened: Store, engine: Engine, shelf: Shelf):
    drain(opened, engine, 10)
    insert = "INSERT INTO refused VALUES ('task', 9, 3, '\\x0aff00', 'no', now())"
    run_sql(engine, insert)
    made = back_up(opened, engine, shelf)
    assert made.is_good
    assert made.counts["refused"] == 1
    lines = [orjson.loads(text) for section, text in content(shelf, made.id) if section == "refused"]
    assert [(line["kind"], line["record_id"], line["record"]) for line in lines] == [("task", 9, "Cv8A")]


def test_whoever_holds_the_lock_alone_backs_up_over_its_own_connection(
    opened: Store, engine: Engine, shelf: Shelf
):
    new_task(opened)
    with locks.held_alone(engine) as connection:
        made = back_up(opened, engine, shelf, "before-restore", connection=connection)
        with transaction(connection):
            assert rows.counts(connection)["task"] == 0
    assert made.is_good
    assert made.counts["task"] == 1


def test_a_redis_that_is_frozen_for_a_restore_is_backed_up(opened: Store, engine: Engine, shelf: Shelf):
    new_task(opened)
    assert state.freeze(opened, "token")
    assert back_up(opened, engine, shelf, source="redis").counts["task"] == 1


def test_a_redis_that_nobody_has_verified_is_not_backed_up(opened: Store, engine: Engine, shelf: Shelf):
    restart(opened)
    with pytest.raises(Unavailable):
        back_up(opened, engine, shelf, source="redis")
    admit(opened, engine)
    opened.redis.hset("meta", "state", "closed")
    with pytest.raises(Unavailable):
        back_up(opened, engine, shelf, source="redis")
    assert shelf.items() == []


@pytest.mark.parametrize("source", SOURCES)
def test_an_admission_on_the_way_starts_it_over(opened: Store, engine: Engine, shelf: Shelf, source: str):
    many_tasks(opened, 3)
    seen = []

    def admit_again() -> None:
        seen.append(1)
        if len(seen) == 1:
            restart(opened)
            admit(opened, engine)
            new_task(opened)

    line = {"postgresql": "from_postgres.begun", "redis": "following.stepped"}[source]
    with failpoints.armed(line, admit_again):
        made = back_up(opened, engine, shelf, source=source)
    assert made.is_good
    assert made.epoch == 2
    assert made.counts["task"] == 4


@pytest.mark.parametrize("times", [1, 99])
def test_a_journal_that_is_trimmed_too_soon_starts_it_over(
    opened: Store, engine: Engine, shelf: Shelf, times: int
):
    seen = []

    def trim() -> None:
        seen.append(1)
        if len(seen) <= times:
            many_tasks(opened, 2)
            opened.redis.xtrim("journal", maxlen=1, approximate=False)

    with failpoints.armed("from_postgres.begun", trim):
        if times == 1:
            assert back_up(opened, engine, shelf).counts["task"] == 2
        else:
            with pytest.raises(Overtaken):
                back_up(opened, engine, shelf)
            assert len(seen) == following.ATTEMPTS
            assert shelf.items() == []


def test_a_redis_without_journal_is_backed_up(opened: Store, engine: Engine, shelf: Shelf):
    drain(opened, engine, 10)
    opened.redis.delete("journal")
    for source in SOURCES:
        with failpoints.armed("following.stepped", lambda: None):
            made = back_up(opened, engine, shelf, source=source)
        assert made.is_good
        assert made.counts["user"] == 1


def test_a_postgresql_that_went_back_is_not_backed_up(opened: Store, engine: Engine, shelf: Shelf):
    new_task(opened)
    with (
        failpoints.armed("backup.caught_up", lambda: run_sql(engine, "TRUNCATE tasks, change")),
        pytest.raises(PostgresWentBack),
    ):
        back_up(opened, engine, shelf)
    assert shelf.items() == []


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


def test_progress_goes_from_nothing_to_all(opened: Store, engine: Engine, shelf: Shelf):
    many_tasks(opened, 50)
    for source in SOURCES:
        told: list[float] = []
        back_up(opened, engine, shelf, progress=told.append, source=source)
        assert told == sorted(told)
        assert (told[0], told[-1]) == (0, 1)
        assert len(told) > 5


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
    assert keeping.retain(shelf, 3, made[0].incarnation) == []
    assert not left[0].exists()
    require_tidy(shelf, engine)
    assert back_up(opened, engine, shelf).is_good


def test_it_holds_all_that_redis_holds(opened: Store, engine: Engine, shelf: Shelf):
    filled(opened)
    made = back_up(opened, engine, shelf)
    there = {(type(record).__name__.lower(), record.id) for record in contents.stored_records(opened)}
    kinds = ("user", "credential", "group", "task")
    assert {(kind, number) for kind in kinds for number in records(content(shelf, made.id), kind)} == there
