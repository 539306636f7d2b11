"""How much room is left on the disks that are written to, as far as they are on this machine."""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from taskapi.db.engine import Engine
from taskapi.db.errors import PostgresAway
from taskapi.db.folder import folder as postgres_folder
from taskapi.store import safety
from taskapi.store.client import Store

LEAST_FREE = 512 * 1024**2
FREE_AGAIN = 256 * 1024**2
"""Bytes: what must be free besides a rewrite of Redis's log, and how much more before it is well again."""
REDIS, POSTGRESQL, HOME = "redis", "postgresql", "home"
GROWING = (REDIS, POSTGRESQL)
"""Where each write ends: without room there, no more is taken."""


@dataclass(frozen=True, slots=True)
class Disk:
    """The disk under one folder, in bytes."""

    path: Path
    free: int
    size: int
    least: int

    def is_full(self, *, was_full: bool) -> bool:
        """Whether less is free than must be; once it was full, more is demanded."""
        return self.free < self.least + (FREE_AGAIN if was_full else 0)

    def told(self) -> dict[str, Any]:
        """As the owner sees it."""
        return {"path": str(self.path), "free": self.free, "size": self.size, "least": self.least}


def look(
    store: Store, engine: Engine, folders: Mapping[str, Path], rewrite: int = 0
) -> dict[str, Disk | None]:
    """The disk of each store and each of the folders; None where it is on another machine, or hidden.

    `rewrite` is what a rewrite of Redis's log needs. Raises Unavailable if Redis is away.
    """
    places = {REDIS: safety.folder(store), POSTGRESQL: _of_postgres(engine, folders), **folders}
    needs = {REDIS: rewrite}
    return {name: _disk(path, LEAST_FREE + needs.get(name, 0)) for name, path in places.items()}


def _of_postgres(engine: Engine, folders: Mapping[str, Path]) -> Path | None:
    embedded = (folders[HOME] / "postgres").glob("*") if HOME in folders else ()
    try:
        return postgres_folder(engine, embedded)
    except PostgresAway:
        return None


def _disk(path: Path | None, least: int) -> Disk | None:
    """A folder that is not made yet will lie where its parent does."""
    for each in (path, *path.parents) if path else ():
        try:
            found = shutil.disk_usage(each)
        except FileNotFoundError:
            continue
        except OSError:
            return None
        return Disk(each, found.free, found.total, least)
    return None
