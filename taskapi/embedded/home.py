"""TASKAPI_HOME on the disk: its folders, their owners, the lock, and the secrets of the embedded servers."""

import fcntl
import hashlib
import json
import os
import secrets
import stat
from dataclasses import dataclass
from io import TextIOWrapper
from pathlib import Path

from taskapi.embedded.accounts import Account, reachable, server_account
from taskapi.embedded.binaries import STAGED
from taskapi.embedded.refusals import StartRefused


@dataclass(frozen=True)
class Home:
    """One folder that holds all data of one installation, and the account that its servers run as."""

    path: Path
    account: Account | None

    @property
    def logs(self) -> Path:
        return self.path / "logs"

    @property
    def run(self) -> Path:
        """What lives only as long as the servers do: the lock, pid files, addresses."""
        return self.path / "run"

    def server_folder(self, name: str) -> Path:
        """A private folder that belongs to the servers' account, made when it is missing."""
        folder = self.path / name
        folder.mkdir(mode=0o700, exist_ok=True)
        self.give(folder)
        return folder

    def give(self, path: Path) -> None:
        """Hands a file or folder to the servers' account."""
        if self.account is not None:
            os.chown(path, self.account.uid, self.account.gid)

    def write_private(self, path: Path, text: str) -> None:
        """Writes a file whole, readable by its owner alone."""
        fresh = path.with_name(path.name + ".new")
        fresh.unlink(missing_ok=True)
        with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)

    def passwords(self) -> dict[str, str]:
        """The passwords of `redis`, `broker` and `postgres`, made at the first start and kept."""
        path = self.path / "servers.json"
        if not path.exists():
            made = {name: secrets.token_hex(24) for name in ("redis", "broker", "postgres")}
            self.write_private(path, json.dumps(made, indent=1))
        kept: dict[str, str] = json.loads(path.read_text())
        return kept


def open_home(wanted: Path) -> Home:
    """The home at this place with its folders; below /var/lib if the servers' account cannot reach the place.

    Raises StartRefused when the folders cannot be made.
    """
    home = locate_home(wanted)
    try:
        make_folder(home.path, home.account)
        for folder in (home.run, home.logs):
            folder.mkdir(mode=0o700, exist_ok=True)
    except OSError as refusal:
        raise StartRefused(
            f"TASKAPI_HOME {home.path} cannot be used ({refusal.strerror}): set it to a folder of yours."
        ) from None
    return home


def locate_home(wanted: Path) -> Home:
    """Where the home of this name is, without touching the disk."""
    account = server_account()
    path = wanted.absolute()
    if not reachable(path, account):
        path = STAGED / f"home-{hashlib.sha256(str(path).encode()).hexdigest()[:12]}"
    return Home(path, account)


def make_folder(path: Path, account: Account | None) -> None:
    """Makes what is missing of this path, passable for the account; the mode of what is there stays."""
    missing = [folder for folder in (path, *path.parents) if not folder.exists()]
    for folder in reversed(missing):
        folder.mkdir()
        folder.chmod(0o711 if account else 0o700)
    if not reachable(path / "any", account):
        path.chmod(stat.S_IMODE(path.stat().st_mode) | stat.S_IXOTH)


def lock_home(home: Home) -> TextIOWrapper:
    """The home's lock, held until it is closed or its holder dies. Raises StartRefused if another has it."""
    file = open(home.run / "lock", "a+")  # noqa: SIM115 - it stays open as long as the servers run
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        raise StartRefused(f"it already runs on {home.path}: `make stop` ends it.") from None
    return file
