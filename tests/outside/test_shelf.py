"""Files that are kept outside: there whole or not at all, and every fault in one sentence."""

import errno
import os
import socket
import stat
import time
from pathlib import Path
from typing import Any

import pytest

from taskapi.domain.errors import Full, NotFound, Unavailable
from taskapi.outside import bucket, folder
from taskapi.outside.items import Item
from taskapi.outside.shelf import Shelf, open_shelf
from tests.outside.conftest import use

LARGE = bytes(range(256)) * 100


@pytest.fixture(params=["folder", "bucket"])
def shelf(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shelf:
    """An empty shelf of each sort."""
    monkeypatch.setattr(bucket, "PART_BYTES", 5 << 20)
    if request.param == "folder":
        return open_shelf(str(tmp_path / "kept"))
    return open_shelf(request.getfixturevalue("bucket_url"))


def keep(shelf: Shelf, name: str, content: bytes) -> None:
    with shelf.draft() as draft:
        draft.write_bytes(content)
        shelf.put(name, draft)


def content(shelf: Shelf, name: str) -> bytes:
    with shelf.opened(name) as file:
        return file.read()


def test_what_is_kept_is_read_again(shelf: Shelf):
    keep(shelf, "a.txt", LARGE)
    assert content(shelf, "a.txt") == LARGE
    assert shelf.end_of("a.txt", 300) == LARGE[-300:]
    assert shelf.end_of("a.txt", len(LARGE) + 5) == LARGE
    with shelf.opened("a.txt") as file:
        file.seek(256)
        assert file.read(3) == b"\0\1\2"


def test_a_file_of_many_parts_comes_whole(shelf: Shelf):
    whole = os.urandom(1 << 20) * 11
    keep(shelf, "big", whole)
    assert content(shelf, "big") == whole


def test_since_when_something_is_kept_is_told(shelf: Shelf):
    before = time.time()
    keep(shelf, "a", b"a")
    [item] = shelf.items()
    assert before - 2 < item.kept_at < time.time() + 2  # a bucket tells whole seconds


def test_what_is_deleted_while_it_is_listed_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    shelf = open_shelf(str(tmp_path))
    keep(shelf, "a", b"a")
    keep(shelf, "b", b"b")
    found = folder._item
    monkeypatch.setattr(folder, "_item", lambda entry: (shelf.delete("a"), found(entry))[1])
    assert [item.name for item in shelf.items()] == ["b"]


def test_what_is_put_twice_is_what_was_put_last(shelf: Shelf):
    keep(shelf, "a", b"old")
    keep(shelf, "a", b"new")
    assert content(shelf, "a") == b"new"
    assert shelf.items() == [Item("a", 3)]


def test_items_are_told_by_name(shelf: Shelf):
    assert shelf.items() == []
    for name in ("b", "a", "c.x"):
        keep(shelf, name, name.encode())
    assert shelf.items() == [Item("a", 1), Item("b", 1), Item("c.x", 3)]


def test_what_is_deleted_is_gone(shelf: Shelf):
    keep(shelf, "a", b"a")
    shelf.delete("a")
    shelf.delete("a")
    assert shelf.items() == []
    for look in (lambda: content(shelf, "a"), lambda: shelf.end_of("a", 1)):
        with pytest.raises(NotFound, match="no such file"):
            look()


@pytest.mark.parametrize("name", ["", "../a", "a/b", ".hidden", "a\0", "a" * 201])
def test_no_name_leads_elsewhere(shelf: Shelf, name: str):
    for act in (shelf.delete, lambda name: shelf.end_of(name, 1), lambda name: content(shelf, name)):
        with pytest.raises(NotFound):
            act(name)
    with shelf.draft() as draft, pytest.raises(NotFound):
        shelf.put(name, draft)


def test_a_draft_that_was_not_put_is_gone(shelf: Shelf):
    with shelf.draft() as draft:
        assert stat.S_IMODE(draft.stat().st_mode) == 0o600
        draft.write_bytes(b"half")
        assert shelf.items() == []
    assert not draft.exists()
    with pytest.raises(KeyError), shelf.draft() as draft:
        raise KeyError
    assert not draft.exists()


def test_drafts_left_behind_are_deleted_when_they_are_old(shelf: Shelf):
    with shelf.draft() as young, shelf.draft() as old:
        yesterday = time.time() - 90_000
        os.utime(old, (yesterday, yesterday))
        assert shelf.tidy(86_400) == 1
        assert young.exists()
        assert not old.exists()


def test_a_folder_is_for_its_owner_alone(tmp_path: Path):
    shelf = open_shelf((tmp_path / "öther place").as_uri())
    keep(shelf, "a", b"a")
    assert stat.S_IMODE((tmp_path / "öther place").stat().st_mode) == 0o700
    assert stat.S_IMODE((tmp_path / "öther place" / "a").stat().st_mode) == 0o600
    assert shelf.shown == str(tmp_path / "öther place")


@pytest.mark.parametrize(
    "url", ["", "relative", "http://a/b", "s3://", "s3:///a", "file://host/a", "s3://key:secret@bucket/a"]
)
def test_other_addresses_are_refused_without_being_told(url: str):
    with pytest.raises(Unavailable) as refusal:
        open_shelf(url)
    assert "secret" not in str(refusal.value)


def test_a_full_disk_is_one_sentence(tmp_path: Path):
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full here")
    shelf = open_shelf(str(tmp_path))
    with pytest.raises(Full, match=r"^There is no room in .*: No space left on device\.$"), shelf.draft():
        Path("/dev/full").write_bytes(b"x")


def test_a_folder_that_cannot_be_used_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "file").write_text("not a folder")
    shelf = open_shelf(str(tmp_path / "file"))
    for act in (lambda: keep(shelf, "a", b""), shelf.items):
        with pytest.raises(
            Unavailable, match=r"^The folder .*/file cannot be used: (File exists|Not a directory)\.$"
        ):
            act()

    def refuse(*_: Any) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    monkeypatch.setattr(folder, "_sync", refuse)
    with pytest.raises(Unavailable, match="Read-only file system"):
        keep(open_shelf(str(tmp_path)), "a", b"")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_bucket_that_is_not_there_is_told_apart_from_a_file_that_is_not(bucket_url: str):
    shelf = open_shelf("s3://not-here/x")
    for act in (shelf.items, lambda: keep(shelf, "a", b"a"), lambda: shelf.end_of("a", 1)):
        with pytest.raises(
            Unavailable, match=r"^The bucket s3://not-here/x cannot be used: it says NoSuchBucket\.$"
        ):
            act()


@pytest.mark.parametrize("address", ["http://127.0.0.1:{}", "http://localhost:{}", "http://[::1]:{}"])
def test_a_bucket_that_is_away_is_one_sentence(monkeypatch: pytest.MonkeyPatch, address: str):
    with socket.socket() as unheard:
        unheard.bind(("127.0.0.1", 0))
        use(address.format(unheard.getsockname()[1]), monkeypatch)
        with pytest.raises(Unavailable) as refusal:
            open_shelf("s3://some/where").items()
    assert str(refusal.value) == "The bucket s3://some/where does not answer, or not as one."


def test_a_bucket_that_never_answers_is_given_up(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(bucket, "REQUEST_SECONDS", 1)
    monkeypatch.setattr(bucket, "RETRIES", 1)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        use(f"http://127.0.0.1:{silent.getsockname()[1]}", monkeypatch)
        begun = time.monotonic()
        with pytest.raises(Unavailable):
            open_shelf("s3://some/where").items()
    assert time.monotonic() - begun < 10


def test_who_cannot_wait_for_a_bucket_gives_it_up_sooner(monkeypatch: pytest.MonkeyPatch):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        use(f"http://127.0.0.1:{silent.getsockname()[1]}", monkeypatch)
        begun = time.monotonic()
        with pytest.raises(Unavailable):
            open_shelf("s3://some/where", seconds=0.2).items()
    assert time.monotonic() - begun < 0.5 * bucket.REQUEST_SECONDS


def test_credentials_go_nowhere_unencrypted(monkeypatch: pytest.MonkeyPatch):
    use("http://192.0.2.1:9", monkeypatch, "very-secret")
    begun = time.monotonic()
    with pytest.raises(Unavailable) as refusal:
        open_shelf("s3://some/where").items()
    assert time.monotonic() - begun < 2
    assert "secret" not in str(refusal.value)


def test_a_process_forked_from_one_that_has_used_it_says_so(bucket_url: str, monkeypatch: pytest.MonkeyPatch):
    shelf = open_shelf(bucket_url)
    assert shelf.items() == []
    monkeypatch.setattr(bucket, "_used_by", {os.getppid()})
    with pytest.raises(Unavailable, match="this one cannot"):
        shelf.items()
