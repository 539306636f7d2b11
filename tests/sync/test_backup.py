"""Backups: of one moment, and with all that both stores have."""

import dataclasses
import stat
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import orjson
import pytest

from taskapi.db.engine import Engine
from taskapi.db.errors import PostgresAway
from taskapi.domain import failpoints
from taskapi.domain.callers import Claim
from taskapi.embedded.servers import Servers
from taskapi.outside.shelf import Shelf, open_shelf
from taskapi.store import contents, dirty, harvest, state, walking
from taskapi.store.client import Store
from taskapi.store.plans import Change
from taskapi.store.records import save
from taskapi.sync import backup
from taskapi.sync.admission import admit
from taskapi.sync.backup import back_up, backups, find, loaded, verify, verify_pending
from taskapi.sync.flush import drain
from taskapi.sync.sources import from_postgres
from tests.outside.conftest import bucket_url, s3  # noqa: F401 - fixtures
from tests.sync.conftest import change, many_tasks, new_task, purge
from tests.sync.shelves import SOURCES, content, filled, records, require_one_moment
from tests.sync.test_flush import run_sql


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
    assert after.counts == {"user": 2, "credential": 1, "group": 1, "task": 5, "file": 1, "refused": 0}
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


def test_progress_goes_from_nothing_to_all(opened: Store, engine: Engine, shelf: Shelf):
    many_tasks(opened, 50)
    for source in SOURCES:
        told: list[float] = []
        back_up(opened, engine, shelf, progress=told.append, source=source)
        assert told == sorted(told)
        assert (told[0], told[-1]) == (0, 1)
        assert len(told) > 5


def test_it_holds_all_that_redis_holds(opened: Store, engine: Engine, shelf: Shelf):
    filled(opened)
    made = back_up(opened, engine, shelf)
    there = {(type(record).__name__.lower(), record.id) for record in contents.stored_records(opened)}
    kinds = ("user", "credential", "group", "task", "file")
    assert {(kind, number) for kind in kinds for number in records(content(shelf, made.id), kind)} == there
