import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from taskapi.embedded import accounts, binaries
from taskapi.embedded import home as homes
from taskapi.embedded.accounts import Account, reachable, server_account
from taskapi.embedded.binaries import INSTALLED, find_binaries
from taskapi.embedded.home import Home, locate_home, lock_home, open_home
from taskapi.embedded.notes import Note, end_leftovers
from taskapi.embedded.refusals import StartRefused

NOBODY = Account(65534, 65534)
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root gives its servers to somebody else")


@pytest.fixture
def own(tmp_path: Path) -> Home:
    """A home whose servers would run as the one who tests."""
    made = Home(tmp_path / "home", None)
    for folder in (made.path, made.run, made.logs):
        folder.mkdir()
    return made


def test_a_folder_behind_a_private_one_is_out_of_reach(tmp_path: Path):
    private = tmp_path / "private"
    private.mkdir(mode=0o700)
    stranger = Account(NOBODY.uid if os.geteuid() != NOBODY.uid else 1, 99999)
    assert not reachable(private / "home", stranger)
    assert reachable(private / "home", None)


@needs_root
def test_root_keeps_its_data_where_nobody_can_reach_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(homes, "STAGED", Path("/var/lib/somewhere"))
    private = tmp_path / "private"
    private.mkdir(mode=0o700)
    moved = locate_home(private / ".taskapi")
    assert moved.path.parent == Path("/var/lib/somewhere")
    assert moved == locate_home(private / ".taskapi")
    assert moved != locate_home(private / "another")


@needs_root
def test_root_copies_binaries_that_nobody_can_reach(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(binaries, "STAGED", tmp_path / "staged")
    private = tmp_path / "private"
    private.mkdir(mode=0o700)
    (private / "servers").symlink_to(INSTALLED)
    monkeypatch.setattr(binaries, "reachable", lambda path, account: False)

    found = find_binaries(server_account(), private / "servers")

    assert found.valkey.is_relative_to(tmp_path / "staged")
    assert subprocess.run(
        [found.postgres_program("postgres"), "--version"], check=True, capture_output=True
    ).stdout
    assert find_binaries(server_account(), private / "servers") == found
    assert len(list((tmp_path / "staged").iterdir())) == 1


def test_a_copy_that_somebody_else_was_faster_with_is_used(tmp_path: Path):
    for name in ("fresh", "target"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "of").write_text(name)
    binaries._put_in_place(tmp_path / "fresh", tmp_path / "target")
    assert (tmp_path / "target" / "of").read_text() == "target"
    assert not (tmp_path / "fresh").exists()


def test_root_without_a_nobody_is_told_to_be_somebody_else(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(accounts.pwd, "getpwnam", {}.__getitem__)
    with pytest.raises(StartRefused, match="start as an ordinary user"):
        server_account()


def test_an_ordinary_user_runs_the_servers_itself(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert server_account() is None


def test_without_the_servers_installed_the_sentence_says_what_to_do(tmp_path: Path):
    with pytest.raises(StartRefused, match="run `make environment`"):
        find_binaries(None, tmp_path)


def test_a_home_that_cannot_be_made_is_one_sentence(home: Path):
    (home / "file").write_text("")
    with pytest.raises(StartRefused, match=r"TASKAPI_HOME .* cannot be used"):
        open_home(home / "file" / "home")


@pytest.mark.skipif(os.geteuid() != 0, reason="an ordinary user's home is its own")
def test_a_strict_umask_does_not_lock_the_servers_out(home: Path):
    before = os.umask(0o077)
    try:
        made = open_home(home / "deeper" / "home")
    finally:
        os.umask(before)
    assert reachable(made.path / "postgres", made.account)


def test_a_home_that_was_there_keeps_its_mode(home: Path):
    own = home / "own"
    own.mkdir()
    own.chmod(0o755)
    open_home(own)
    assert own.stat().st_mode & 0o777 == 0o755


def test_passwords_are_made_once_and_readable_by_their_owner_alone(own: Home):
    made = own.passwords()
    assert len(set(made.values())) == 3
    assert own.passwords() == made
    assert (own.path / "servers.json").stat().st_mode & 0o077 == 0


def test_a_home_is_locked_until_its_holder_lets_go(own: Home):
    with lock_home(own), pytest.raises(StartRefused, match="already runs"):
        lock_home(own)
    lock_home(own).close()


def test_a_recycled_pid_is_never_touched(own: Home):
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]) as stranger:
        note = Note.about(stranger.pid, signal.SIGKILL, 1.0)
        replace(note, since="another time").write(own, own.run / "redis.pid")
        assert end_leftovers(own) == []
        assert stranger.poll() is None
        assert not (own.run / "redis.pid").exists()
        stranger.kill()


def test_a_program_that_ended_leaves_no_leftover(own: Home):
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        note = Note.about(ended.pid, signal.SIGTERM, 1.0)
    note.write(own, own.run / "redis.pid")
    assert not note.still_runs()
    assert end_leftovers(own) == []
