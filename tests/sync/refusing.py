"""A PostgreSQL that refuses: how to make it one, and what both stores then have of the refused."""

from typing import Any

from sqlalchemy import text

from taskapi.db.engine import Engine, transaction
from taskapi.store import quarantine
from taskapi.store.client import Store

NO_PURGES = "ALTER TABLE tasks ADD CONSTRAINT no_purges CHECK (purged IS NOT TRUE) NOT VALID"
PURGES = "ALTER TABLE tasks DROP CONSTRAINT no_purges"
BAD = "\x00"
"""A title that PostgreSQL never takes."""


def kept(engine: Engine) -> dict[str, tuple[int, bytes]]:
    """What PostgreSQL has of refused records: version and bytes by name."""
    with transaction(engine) as connection:
        found = connection.execute(text("SELECT kind, record_id, version, record FROM refused")).all()
    return {f"{row.kind}:{row.record_id}": (row.version, bytes(row.record)) for row in found}


def apart(store: Store) -> list[str]:
    return quarantine.names(store)


def blob_of(store: Store, name: str) -> Any:
    return store.redis.get(name)
