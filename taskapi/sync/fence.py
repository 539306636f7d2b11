"""What a flush checks before it writes: that the epoch is still its own, and that nothing was lost."""

from taskapi.db import locks, meta, rows
from taskapi.db.engine import Connection
from taskapi.sync.errors import EpochMoved, PostgresWentBack


def enter(connection: Connection, epoch: int, settled: int) -> None:
    """Keeps admissions out until the transaction ends.

    Raises EpochMoved if PostgreSQL is in a newer epoch, PostgresWentBack if it is in an older one
    or lacks what was settled, PostgresAway.
    """
    locks.hold_shared(connection)
    found = meta.installation(connection)
    if found is not None and found.epoch > epoch:
        raise EpochMoved(f"PostgreSQL is in epoch {found.epoch}, this was read in epoch {epoch}.")
    highest = rows.highest_version(connection)
    if found is None or found.epoch < epoch or highest < settled:
        raise PostgresWentBack(highest, settled)
