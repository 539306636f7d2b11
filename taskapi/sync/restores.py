"""The last restore, as the journal in PostgreSQL tells it: whoever asked for it, and however it was ended."""

from typing import Any

from taskapi.db import journal
from taskapi.db.engine import Engine, transaction


def last(engine: Engine) -> dict[str, Any] | None:
    """{at, action, target, archive}; None before the first. Raises PostgresAway.

    `action` is `rebuilt` (Redis was filled anew), `restored` or `undone`; `target` is the backup, or
    `postgresql`; `archive` the backup of what was there before, None if nothing of it was replaced.
    """
    with transaction(engine) as connection:
        found = journal.last_restore(connection)
    if found is None:
        return None
    return {name: getattr(found, name) for name in ("at", "action", "target", "archive")}
