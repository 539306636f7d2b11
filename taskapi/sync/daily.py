"""The backup of each day: made once it is due, also when its hour was missed."""

from datetime import datetime, time, timedelta

from taskapi.domain import clock
from taskapi.outside.shelf import Shelf
from taskapi.sync.keeping import backups

DAILY = "daily"


def is_due(shelf: Shelf, at: time, incarnation: str) -> bool:
    """Whether none of that installation was made since that time of day (UTC) was last passed.

    One that was brought from another does not count. Raises Unavailable.
    """
    since = last_passed(at)
    own = [each for each in backups(shelf) if (each.reason, each.incarnation) == (DAILY, incarnation)]
    return not any(datetime.fromisoformat(each.created_at) >= since for each in own)


def last_passed(at: time) -> datetime:
    """When that time of day was last."""
    now = clock.now()
    today = datetime.combine(now.date(), at, now.tzinfo)
    return today if today <= now else today - timedelta(days=1)
