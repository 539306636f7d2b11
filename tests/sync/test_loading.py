"""An archive in scratch tables: read back it is what it was, and nothing of it stays."""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from taskapi.db import scratch
from taskapi.db.engine import Connection, Engine, transaction
from taskapi.db.refused import Refused
from taskapi.domain import failpoints
from taskapi.domain.clock import timestamp
from taskapi.domain.records import Credential, Group, Task, User
from taskapi.store.dirty import Entry
from taskapi.store.kinds import CREDENTIAL, GROUP, TASK, USER
from taskapi.sync import archive, lines, loading
from taskapi.sync.archive import About, open_whole
from taskapi.sync.errors import Broken
from taskapi.sync.lines import Line, Tallies
from taskapi.sync.loading import Loaded
from tests.sync.conftest import Crash, crash

ABOUT = About("20260102T030405Z-0a1b2c3d", timestamp(), "asked", "redis", "me", 1, 7, {})
NOW = timestamp()
AROUND = {"created_at": NOW, "updated_at": NOW}
HOURS = {"Monday": 8.5, "Friday": 0}


def entry(version: int, fields: str) -> Entry:
    return Entry(version, "task", 1, "changed", 1, NOW, "-", "op:1", fields)


FINE: list[Line] = [
    lines.of_record(
        USER, User(id=1, version=4, full_name="Ada", group_ids=(1, 2), work_times=HOURS, **AROUND)
    ),
    lines.of_record(CREDENTIAL, Credential(id=1, version=3, password_hash="x", updated_at=NOW)),
    lines.of_record(
        GROUP, Group(id=1, version=5, name='T\u2028\n\\"', member_ids=(), deleted_at=NOW, **AROUND)
    ),
    lines.of_record(
        TASK, Task(id=1, version=6, title="t", user_id=1, estimate_hours=2, tags=("a",), **AROUND)
    ),
    lines.of_record(TASK, Task(id=2, version=7, title="é😀", user_id=1, deadline="2026-01-02", **AROUND)),
    lines.of_entry(entry(6, '{"title":[null,"t"],"a":[1.5,{"z":1,"b":null}]}')),
    lines.of_refused(Refused("task", 9, 2, b"\xff\n\0", "no", NOW)),
]
POISON: list[Line] = [
    lines.of_record(TASK, Task(id=3, version=8, title="a\0b", user_id=1, **AROUND)),
    lines.of_entry(entry(8, '{"title":[null,"a\\u0000b"]}')),
    lines.of_entry(entry(9, "no JSON")),
]
IN_ORDER = sorted(FINE + POISON, key=lambda line: lines.SECTIONS.index(line[0]))


def loaded(connection: Connection, folder: Path, content: Iterable[Line]) -> Loaded:
    """These lines, by way of a file."""
    archive.write(folder / "a", ABOUT, content)
    with (folder / "a").open("rb") as file:
        return loading.load(connection, open_whole(file))


def counted(connection: Connection, table: str) -> Any:
    return connection.scalar(text(f"SELECT count(*) FROM {table}"))


def scratch_tables(engine: Engine) -> list[str]:
    """Every temporary table of anybody."""
    query = "SELECT relname FROM pg_class WHERE relpersistence = 't' AND relkind = 'r'"
    with transaction(engine) as connection:
        return [row[0] for row in connection.execute(text(query))]


@pytest.mark.parametrize("content", [[], FINE, IN_ORDER])
def test_what_is_loaded_is_read_back_as_it_was(engine: Engine, tmp_path: Path, content: list[Line]):
    with engine.connect() as connection:
        found = loaded(connection, tmp_path, content)
        assert sorted(loading.contents(found)) == sorted(content)


def test_an_archive_of_a_release_without_files_is_read(engine: Engine, tmp_path: Path):
    archive.write(tmp_path / "a", ABOUT, FINE)
    with (tmp_path / "a").open("rb") as file, engine.connect() as connection:
        whole = open_whole(file)
        counts, digests = (
            {name: told for name, told in each.items() if name != "file"}
            for each in (whole.manifest.counts, whole.manifest.digests)
        )
        older = replace(whole, manifest=replace(whole.manifest, counts=counts, digests=digests))
        assert sorted(loading.contents(loading.load(connection, older))) == sorted(FINE)


def test_plain_names_mean_the_real_tables_outside(engine: Engine, tmp_path: Path):
    with engine.connect() as connection:
        loaded(connection, tmp_path, FINE)
        assert (counted(connection, "tasks"), counted(connection, "pg_temp.tasks")) == (0, 2)
        with scratch.inside(connection):
            assert counted(connection, "tasks") == 2
        assert counted(connection, "tasks") == 0
        assert connection.scalar(text("SELECT count(*) FROM pg_temp.tasks WHERE words IS NOT NULL")) == 2


def test_what_postgresql_refuses_of_it_lies_apart(engine: Engine, tmp_path: Path):
    with engine.connect() as connection:
        found = loaded(connection, tmp_path, IN_ORDER)
        assert found.moved == {("task", 3)}
        assert counted(connection, "pg_temp.refused") == 2
        assert counted(connection, "pg_temp.tasks") == 2


@pytest.mark.parametrize("end", ["commit", "rollback", "crash"])
def test_scratch_tables_are_gone_with_the_transaction(engine: Engine, tmp_path: Path, end: str):
    with engine.connect() as connection:
        if end == "crash":
            with failpoints.armed("loading.put", crash), pytest.raises(Crash):
                loaded(connection, tmp_path, FINE)
            connection.invalidate()
        else:
            loaded(connection, tmp_path, FINE)
            getattr(connection, end)()
    assert scratch_tables(engine) == []


def test_the_same_connection_can_load_again(engine: Engine, tmp_path: Path):
    with engine.connect() as connection:
        for _ in range(2):
            found = loaded(connection, tmp_path, FINE)
            assert sorted(loading.contents(found)) == sorted(FINE)
            connection.commit()


def test_large_archives_come_in_parts(engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(loading, "ROWS", 2)
    with engine.connect() as connection:
        assert sorted(loading.contents(loaded(connection, tmp_path, IN_ORDER))) == sorted(IN_ORDER)


def test_other_content_than_the_manifest_tells_is_refused(engine: Engine, tmp_path: Path):
    with engine.connect() as connection:
        found = loaded(connection, tmp_path, FINE)
        connection.execute(text("UPDATE pg_temp.tasks SET title = 'u' WHERE id = 1"))
        tallies = Tallies()
        for line in loading.contents(found):
            tallies.add(line)
        with pytest.raises(Broken, match=r"differs \(task: 2 of 2\)"):
            loading.require_same(found.manifest, tallies, "It differs")


@pytest.mark.parametrize(
    "line",
    [
        ("task", b'{"id":1,"title":"t","version":1}'),
        ("task", b'{"id":1,"later":1,"version":1}'),
        ("user", b"{1}"),
        ("change", b"{}"),
        ("refused", b'{"record":"?"}'),
    ],
)
def test_what_this_version_cannot_read_is_refused(engine: Engine, tmp_path: Path, line: Line):
    with engine.connect() as connection, pytest.raises(Broken, match=f"It has a {line[0]} that"):
        loaded(connection, tmp_path, [line])


def test_parts_may_end_where_a_section_ends(engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(loading, "ROWS", 1)
    with engine.connect() as connection:
        assert sorted(loading.contents(loaded(connection, tmp_path, FINE))) == sorted(FINE)


def test_progress_goes_up_to_the_end(engine: Engine, tmp_path: Path):
    told: list[float] = []
    archive.write(tmp_path / "a", ABOUT, FINE)
    with (tmp_path / "a").open("rb") as file, engine.connect() as connection:
        loading.load(connection, open_whole(file, told.append), told.append)
    assert 0 <= min(told) <= max(told) == told[-1] == 1
