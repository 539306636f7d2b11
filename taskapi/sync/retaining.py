"""Which backups stay on the shelf, and which may go."""

from collections.abc import Collection
from datetime import datetime, timedelta

from taskapi.domain import clock, failpoints
from taskapi.outside.shelf import Shelf
from taskapi.sync.keeping import BEFORE_RESTORE, Backup, backups, file_of, notes

LEFT_BEHIND_SECONDS = 86_400.0
UNPROVED_FOR = timedelta(days=1)
"""So long nothing goes that is not good: it may be under way, or be proved good yet."""

LINES = ("retaining.deleted",)


def retain(
    shelf: Shelf, keep: int, incarnation: str, needed: Collection[str] = (), *, dry_run: bool = False
) -> list[str]:
    """Deletes what of that installation is in excess, and what was left half-done; returns the ids.

    So many good ones stay, the newest, and beside them as many that restores have kept of the state before
    them; and what is `needed`. What is not good takes none of these places: once it is a day old it
    stays only if it is newer than the oldest good one, and among the newest so many of its like. What others
    keep on the same shelf is theirs to delete. A `dry_run` deletes nothing.
    """
    noted = notes(shelf)  # before the backups, so that one which is made meanwhile keeps its own
    every = backups(shelf)
    staying = _staying([each for each in every if each.incarnation == incarnation], keep) | set(needed)
    doomed = [each.id for each in every if each.incarnation == incarnation and each.id not in staying]
    if dry_run:
        return doomed
    for backup_id in doomed:
        shelf.delete(file_of(backup_id))
        failpoints.reach("retaining.deleted")
    left = {each.id for each in every}.difference(doomed)
    for name, backup_id in noted.items():
        if backup_id not in left:
            shelf.delete(name)
    shelf.tidy(LEFT_BEHIND_SECONDS)
    return doomed


def _staying(found: list[Backup], keep: int) -> set[str]:
    """The ids of those that stay, out of all of an installation, the newest first."""
    good = [each for each in found if each.is_good]
    made = [each for each in good if each.reason != BEFORE_RESTORE][:keep]
    before = [each for each in good if each.reason == BEFORE_RESTORE][:keep]
    oldest = min((each.id for each in made or before), default="")
    unproved = [each for each in found if not each.is_good]
    of_use = [each for each in unproved if each.id > oldest][:keep]
    fresh = [each for each in unproved if _is_fresh(each)]
    return {each.id for each in [*made, *before, *of_use, *fresh]}


def _is_fresh(backup: Backup) -> bool:
    return clock.now() - datetime.fromisoformat(backup.created_at) < UNPROVED_FOR
