"""What a flush checks before it writes: that the epoch is still its own, and that nothing was lost."""

from typing import Protocol

from taskapi.db import journal, locks, meta, rows
from taskapi.db.engine import Connection
from taskapi.sync.errors import EpochMoved, PostgresWentBack


class Known(Protocol):
    """What Redis knew of PostgreSQL when it was looked at: a batch, or a state."""

    @property
    def epoch(self) -> int: ...
    @property
    def settled(self) -> int: ...
    @property
    def carried(self) -> int: ...
    @property
    def commits(self) -> int: ...


def enter(connection: Connection, known: Known) -> None:
    """Keeps admissions out until the transaction ends.

    Raises EpochMoved if PostgreSQL is in a newer epoch, PostgresWentBack if it is in an older one
    or lacks what was settled or carried or a commit, PostgresAway.
    """
    locks.hold_shared(connection)
    require_whole(connection, known)


def require_whole(connection: Connection, known: Known) -> None:
    """The same, with nobody kept out."""
    found = meta.installation(connection)
    if found is not None and found.epoch > known.epoch:
        raise EpochMoved(f"PostgreSQL is in epoch {found.epoch}, this was read in epoch {known.epoch}.")
    highest = rows.highest_version(connection)
    if found is None or found.epoch < known.epoch or highest < known.settled:
        raise PostgresWentBack(highest, known.settled)
    if found.commits < known.commits:
        raise PostgresWentBack(min(highest, known.settled), known.settled, known.commits - found.commits)
    last_entry = journal.last_version(connection)
    if last_entry < known.carried:
        raise PostgresWentBack(last_entry, known.carried)
