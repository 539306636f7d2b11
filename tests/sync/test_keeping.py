"""Which backups stay, and which may go."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from taskapi.domain import clock, failpoints
from taskapi.domain.errors import NotFound
from taskapi.outside.folder import Folder
from taskapi.outside.items import Item
from taskapi.outside.shelf import Shelf
from taskapi.sync import archive, keeping
from taskapi.sync.archive import About, open_whole
from taskapi.sync.keeping import backups, file_of, find
from taskapi.sync.retaining import retain
from tests.sync.conftest import Crash, crash


def keep(shelf: Shelf, day: int, reason: str = "daily", *, good: bool = True) -> str:
    """A backup of that day."""
    backup_id = f"202601{day:02}T030000Z-00000abc"
    about = About(backup_id, f"2026-01-{day:02}T03:00:00.000Z", reason, "redis", "me", 1, 7, {"task": 9})
    with shelf.draft() as draft:
        archive.write(draft, about, [])
        shelf.put(file_of(backup_id), draft)
    if good:
        with shelf.opened(file_of(backup_id)) as file:
            keeping.note_good(shelf, open_whole(file))
    return backup_id


def ids(shelf: Shelf) -> list[str]:
    return [backup.id for backup in backups(shelf)]


def test_the_newest_stay(shelf: Shelf):
    made = [keep(shelf, day) for day in (2, 1, 4, 3)]
    assert ids(shelf) == sorted(made, reverse=True)
    assert retain(shelf, 2, "me") == [made[0], made[1]]
    assert ids(shelf) == [made[2], made[3]]
    assert retain(shelf, 2, "me") == []
    assert len(shelf.items()) == 4


def test_what_would_go_can_be_told_without_deleting_it(shelf: Shelf):
    made = [keep(shelf, day) for day in (1, 2, 3)]
    assert retain(shelf, 2, "me", dry_run=True) == [made[0]]
    assert len(shelf.items()) == 6


def test_the_last_good_one_stays_however_old(shelf: Shelf):
    good = keep(shelf, 1)
    bad = [keep(shelf, day, good=False) for day in range(2, 6)]
    keeping.note_broken(shelf, bad[3], "a flaw")
    assert retain(shelf, 2, "me") == [bad[1], bad[0]]
    assert ids(shelf) == [bad[3], bad[2], good]


def test_what_restores_have_kept_takes_no_place_of_another(shelf: Shelf):
    made = [keep(shelf, day) for day in (1, 2)]
    before = [keep(shelf, day, "before-restore") for day in range(3, 10)]
    assert retain(shelf, 2, "me") == before[4::-1]
    assert ids(shelf) == [*before[:4:-1], *made[::-1]]


def test_what_is_not_good_takes_no_place_and_goes_once_it_is_older_than_the_good_ones(shelf: Shelf):
    older = keep(shelf, 1, good=False)
    made = [keep(shelf, day) for day in (2, 3)]
    newer = [keep(shelf, day, reason, good=False) for day, reason in ((4, "daily"), (5, "before-restore"))]
    assert retain(shelf, 2, "me") == [older]
    assert ids(shelf) == [*newer[::-1], *made[::-1]]


def test_what_may_be_under_way_stays(shelf: Shelf, monkeypatch: pytest.MonkeyPatch):
    young = [keep(shelf, day, good=False) for day in (1, 2)]
    keep(shelf, 3)
    monkeypatch.setattr(clock, "now", lambda: datetime(2026, 1, 2, 2, 59, tzinfo=UTC))
    assert retain(shelf, 1, "me") == []
    monkeypatch.setattr(clock, "now", lambda: datetime(2026, 1, 2, 3, 1, tzinfo=UTC))
    assert retain(shelf, 1, "me") == young[:1]


def test_what_is_needed_stays(shelf: Shelf):
    made = [keep(shelf, day) for day in (1, 2, 3)]
    assert retain(shelf, 1, "me", {made[0]}) == [made[1]]


@pytest.mark.parametrize("line", ["retaining.deleted", "keeping.noted"])
def test_who_dies_while_deleting_is_followed_by_the_next(shelf: Shelf, line: str):
    made = [keep(shelf, day) for day in (1, 2, 3)]
    for left in (2, 1) if line == "retaining.deleted" else ():
        with failpoints.armed(line, crash), pytest.raises(Crash):
            retain(shelf, 1, "me")
        assert len(ids(shelf)) == left
    retain(shelf, 1, "me")
    assert [item.name for item in shelf.items()] == [file_of(made[2]), f"{made[2]}.verified"]


def test_what_is_not_ours_is_left_alone(shelf: Shelf):
    made = keep(shelf, 1)
    for name in ("notes.txt", "other.taskapi", "other.verified"):
        with shelf.draft() as draft:
            shelf.put(name, draft)
    assert ids(shelf) == [made]
    assert keeping.strangers(shelf) == ["other.taskapi"]
    retain(shelf, 1, "me")
    assert len(shelf.items()) == 5


@pytest.mark.parametrize("content", [b"", b"short", b"x" * 100_000])
def test_what_is_no_archive_is_told_with_its_flaw(shelf: Shelf, content: bytes):
    for backup_id in ("20260102T030405Z-00000abc", "99999999T999999Z-00000abc"):
        with shelf.draft() as draft:
            draft.write_bytes(content)
            shelf.put(file_of(backup_id), draft)
        found = find(shelf, backup_id)
        assert (found.is_good, found.bytes, found.counts) == (False, len(content), {})
        assert found.flaw
    assert found.created_at == "1970-01-01T00:00:00.000Z"
    assert find(shelf, "20260102T030405Z-00000abc").created_at == "2026-01-02T03:04:05.000Z"


@pytest.mark.parametrize("backup_id", ["", "../x", "20260102T030405Z-0000000a", "x" * 300])
def test_there_is_no_other_backup(shelf: Shelf, backup_id: str):
    keep(shelf, 1)
    with pytest.raises(NotFound) as refusal:
        find(shelf, backup_id)
    assert len(str(refusal.value)) < 80


def test_ids_are_in_the_order_of_time(monkeypatch: pytest.MonkeyPatch):
    made = [keeping.new_id() for _ in range(50)]
    assert made == sorted(made)
    assert len(set(made)) == 50
    moment = clock.now().replace(microsecond=0)
    monkeypatch.setattr(clock, "now", lambda: moment)
    assert file_of(keeping.new_id())


@dataclass(frozen=True, slots=True)
class Moving(Folder):
    """A folder in which somebody else acts just after each listing."""

    act: Callable[[], None] = lambda: None

    def items(self) -> list[Item]:
        found = Folder.items(self)
        self.act()
        return found


def test_what_is_deleted_while_they_are_listed_is_not_there(shelf: Shelf, tmp_path: Path):
    first, second = keep(shelf, 1), keep(shelf, 2)
    path = tmp_path / "backups"
    listing = Moving(path, act=lambda: (path / f"{first}.taskapi").unlink(missing_ok=True))
    assert ids(listing) == [second]
    listing = Moving(path, act=lambda: (path / f"{second}.verified").unlink(missing_ok=True))
    assert not find(listing, second).is_good


def test_one_that_is_made_meanwhile_keeps_what_is_noted_of_it(shelf: Shelf, tmp_path: Path):
    keep(shelf, 1)
    made: list[str] = []

    retain(Moving(tmp_path / "backups", act=lambda: made.append(keep(shelf, 2 + len(made)))), 3, "me")

    assert made
    assert all(find(shelf, each).is_good for each in made)
