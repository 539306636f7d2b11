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
    command = (binaries.postgres_program("psql"), "-XAtc", "SELECT version_num FROM alembic_version", *where)
    environment = {**os.environ, "PGPASSWORD": str(parts.password), "PGCONNECT_TIMEOUT": "3"}
    asked = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    return asked.stdout.strip() if asked.returncode == 0 else None
