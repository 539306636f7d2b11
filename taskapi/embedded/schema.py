"""Whether the tables are those that the code wants: PostgreSQL says so before Alembic is even loaded."""

import os
import re
import subprocess
from pathlib import Path
from urllib.parse import urlsplit

from taskapi.embedded.binaries import Binaries

_REVISION = re.compile(r"""^(revision|down_revision)\b[^=]*= ["'](\w+)["']""", re.MULTILINE)


def is_current(binaries: Binaries, url: str, versions: Path) -> bool:
    """Whether the database at this address is at the newest of these migrations; in doubt it is not."""
    newest = newest_revision(versions)
    return newest is not None and newest == _revision_of(binaries, url)


def newest_revision(versions: Path) -> str | None:
    """The migration that no other follows; None if there is not exactly one."""
    found = [each for path in versions.glob("*.py") for each in _REVISION.findall(path.read_text())]
    heads = {name for what, name in found if what == "revision"} - {
        name for what, name in found if what == "down_revision"
    }
    return heads.pop() if len(heads) == 1 else None


def _revision_of(binaries: Binaries, url: str) -> str | None:
    parts = urlsplit(url)
    where = (
        "-h",
        str(parts.hostname),
        "-p",
        str(parts.port),
        "-U",
        str(parts.username),
        parts.path.strip("/"),
    )
    environment = {**os.environ, "PGPASSWORD": str(parts.password), "PGCONNECT_TIMEOUT": "3"}

    def asked(statement: str) -> str | None:
        command = (binaries.postgres_program("psql"), "-XAtc", statement, *where)
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        return done.stdout.strip() or None if done.returncode == 0 else None

    # A table that is missing is looked for, not asked: the server would log it as an error.
    there = asked("SELECT to_regclass('alembic_version')")
    return there and asked("SELECT version_num FROM alembic_version")
