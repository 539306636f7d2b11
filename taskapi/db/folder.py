"""Where PostgreSQL keeps its data, for as far as it can be seen from this machine."""

import os
from collections.abc import Iterable
from pathlib import Path

from sqlalchemy import text

from taskapi.db.engine import Engine, transaction, within

LOOK_SECONDS = 2.0
LOOPBACK = ("127.0.0.1", "::1", "localhost")
# Only some roles are shown it; from the others the row is hidden.
_FOLDER = text("SELECT setting FROM pg_settings WHERE name = 'data_directory'")


def folder(engine: Engine, embedded: Iterable[Path] = ()) -> Path | None:
    """Its folder, if it is on this machine: the one it tells, or an `embedded` one. Raises PostgresAway."""
    if not _is_here(engine.url.host or engine.url.query.get("host") or "localhost"):
        return None
    with within(LOOK_SECONDS), transaction(engine) as connection:
        told = connection.scalar(_FOLDER)
    candidates = [Path(told)] if told else list(embedded)
    return next((path for path in candidates if os.path.isfile(path / "PG_VERSION")), None)


def _is_here(host: object) -> bool:
    return isinstance(host, str) and (host.startswith("/") or host in LOOPBACK)
