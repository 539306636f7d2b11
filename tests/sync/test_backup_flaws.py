"""A backup is good only once it was restored aside, and no more when it is not what was written."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from taskapi.db import rows
from taskapi.db.engine import Engine
from taskapi.domain import failpoints
from taskapi.outside.shelf import Shelf
from taskapi.store.client import Store
from taskapi.sync import keeping
from taskapi.sync.backup import back_up, backups, find, loaded, verify, verify_pending
from taskapi.sync.errors import Broken
from taskapi.sync.flush import drain
from tests.sync.conftest import Crash, crash
from tests.sync.shelves import SOURCES, filled, whole
from tests.sync.test_loading import scratch_tables


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
