"""What restores have brought into the trash: it lies there from then on."""

from taskapi.db import journal
from taskapi.db.engine import Engine, transaction
from taskapi.domain.clock import ago
from taskapi.domain.trash import Return
from taskapi.store.state import EPOCH_SPAN


def returns(engine: Engine, days: int) -> list[Return]:
    """The restores of the last so many days. Raises PostgresAway."""
    with transaction(engine) as connection:
        found = journal.restores(connection, ago(days))
    return [Return(epoch * EPOCH_SPAN, version, at) for epoch, version, at in found]
