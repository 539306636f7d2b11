"""Redis frozen for a restore: read, written by nobody, and opened again as it was if nothing comes of it."""

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from secrets import token_hex

import structlog

from taskapi.db import locks
from taskapi.db.engine import Connection, Engine
from taskapi.db.errors import faults_named
from taskapi.domain import failpoints
from taskapi.domain.errors import Refused, Unavailable
from taskapi.outside.shelf import Shelf
from taskapi.store import dirty, staging, state, unsynced
from taskapi.store.client import Store
from taskapi.store.state import State
from taskapi.sync import fence, rebuilding
from taskapi.sync.carrying import carry_entries, carry_records
from taskapi.sync.keeping import file_of

log = structlog.get_logger("taskapi.sync")

CHUNK = 500
DECIDED = "This restore may be decided all the same: it is ended by itself once both stores answer."

LINES = (
    "freezing.locked",
    "freezing.frozen",
    "freezing.claimed",
    "rebuilding.marked",
    "carrying.kept",
    "freezing.records_carried",
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
    with locks.held_alone(engine, "a restore") as connection:
        failpoints.reach("freezing.locked")
        token = token_hex(16)
        if not state.freeze(store, token):
            raise Unavailable("Redis is not open: wait for its admission, and try again.")
        held = Frozen(store, connection, token, state.look(store))
        try:
            with faults_named():
                failpoints.reach("freezing.frozen")
                if not offline:
                    staging.claim(store, token)
                failpoints.reach("freezing.claimed")
                yield held
        except (Refused, KeyboardInterrupt, SystemExit) as end:
            if not held.is_decided:
                staging.drop(store, token)
                state.thaw(store, token)
            elif isinstance(end, Refused):
                raise Unavailable(f"{end} {DECIDED}") from end
            else:
                end.add_note(DECIDED)
                log.warning("interrupted", told=DECIDED)
            raise


@contextmanager
def needed(held: Frozen, shelf: Shelf, backup_id: str | None) -> Iterator[None]:
    """Takes the archive of the present away again, if the restore that it was made for comes to nothing."""
    try:
        yield
    except (Refused, KeyboardInterrupt, SystemExit):
        if backup_id and not held.is_decided:
            shelf.delete(file_of(backup_id))
        raise


def waiting(held: Frozen) -> dict[str, int]:
    """Every `kind:id` that PostgreSQL has not as Redis has it, with its version; all of it is marked."""
    rebuilding.mark(held.store, held.connection)
    return unsynced.versions(held.store)


def carry(held: Frozen, known: Mapping[str, int], without: Collection[str] = ()) -> int:
    """Carries what is waiting, but those `kind:id`, into the open transaction; returns how many records.

    What PostgreSQL refuses is kept there beside the mirrors. Marks stay: what becomes of Redis is decided
    later. Raises what `fence.require_whole` raises.
    """
    fence.require_whole(held.connection, held.was)
    names = [name for name in known if name not in without]
    carried = 0
    for start in range(0, len(names), CHUNK):
        marks = unsynced.marks(held.store, names[start : start + CHUNK], known)
        carried += sum(carry_records(held.connection, marks).rows.values())
    failpoints.reach("freezing.records_carried")
    _carry_journal(held)
    failpoints.reach("freezing.carried")
    return carried


def _carry_journal(held: Frozen) -> None:
    after = held.was.carried
    while entries := dirty.journal(held.store, after, CHUNK):
        carry_entries(held.connection, entries)
        after = entries[-1].version
