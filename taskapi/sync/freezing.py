"""Redis frozen for a restore: read, written by nobody, and opened again as it was if nothing comes of it."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from secrets import token_hex

from taskapi.db import locks
from taskapi.db.engine import Connection, Engine, transaction
from taskapi.domain import failpoints
from taskapi.domain.errors import Refused, Unavailable
from taskapi.store import dirty, staging, state, unsynced
from taskapi.store.client import Store
from taskapi.store.state import State
from taskapi.sync import fence, rebuilding
from taskapi.sync.carrying import carry_entries, carry_records

CHUNK = 500

LINES = (
    "freezing.locked",
    "freezing.frozen",
    "freezing.claimed",
    "rebuilding.marked",
    "carrying.kept",
    "freezing.records_carried",
    "freezing.entries_carried",
    "freezing.carried",
)
"""Every line of it at which a test lets a restore die."""


@dataclass(slots=True)
class Frozen:
    """A frozen Redis, and the connection that keeps every flush and admission out.

    `was` is how Redis stood. Once PostgreSQL was asked to commit, the restore `is_decided` there:
    whoever comes next ends it, and nothing is opened as it was.
    """

    store: Store
    connection: Connection
    token: str
    was: State
    is_decided: bool = False


@contextmanager
def frozen(store: Store, engine: Engine, *, offline: bool) -> Iterator[Frozen]:
    """Freezes Redis for the block; unless `offline`, the database beside is claimed.

    Raises Unavailable if Redis is not open, PostgresAway, Conflict as `staging.claim` does.
    """
    with locks.held_alone(engine) as connection:
        failpoints.reach("freezing.locked")
        token = token_hex(16)
        if not state.freeze(store, token):
            raise Unavailable("Redis is not open: wait for its admission, and try again.")
        held = Frozen(store, connection, token, state.look(store))
        try:
            failpoints.reach("freezing.frozen")
            if not offline:
                staging.claim(store, token)
            failpoints.reach("freezing.claimed")
            yield held
        except Refused:
            if not held.is_decided:
                staging.drop(store, token)
                state.thaw(store, token)
            raise


def carry(held: Frozen, without: Collection[str] = ()) -> int:
    """Carries all that PostgreSQL lacks, but those `kind:id`; returns how many records.

    What it refuses is kept there beside the mirrors. All of it, with the journal, is one commit. Marks stay:
    what becomes of Redis is decided later. Raises what `fence.require_whole` raises.
    """
    rebuilding.mark(held.store, held.connection)
    known = unsynced.versions(held.store)
    names = [name for name in known if name not in without]
    with transaction(held.connection) as connection:
        fence.require_whole(connection, held.was)
        carried = 0
        for start in range(0, len(names), CHUNK):
            marks = unsynced.marks(held.store, names[start : start + CHUNK], known)
            carried += sum(carry_records(connection, marks).rows.values())
        failpoints.reach("freezing.records_carried")
        _carry_journal(held)
        failpoints.reach("freezing.entries_carried")
    failpoints.reach("freezing.carried")
    return carried


def _carry_journal(held: Frozen) -> None:
    after = held.was.carried
    while entries := dirty.journal(held.store, after, CHUNK):
        carry_entries(held.connection, entries)
        after = entries[-1].version
