"""Jobs that fill Redis anew, go back to a backup, and take that back."""

from typing import Any

from taskapi.domain.progress import Progress
from taskapi.services.owner import owner_again
from taskapi.sync import going_back, restoring
from taskapi.sync.restoring import Discard
from worker.archives import LONGEST_SECONDS
from worker.connections import engine, settings, shelf, store
from worker.registering import job
from worker.running import Report, carry_out, note_fault

ONCE: dict[str, Any] = {"on_failure": note_fault, "time_limit": LONGEST_SECONDS, "acks_late": False}
"""A restore that its worker did not survive is not begun again by itself: much may have been done since."""


@job("restore.rebuild", **ONCE)
def rebuild(
    job_id: str,
    *,
    dry_run: bool = False,
    offline: bool = False,
    confirm: int | None = None,
    up_to: int | None = None,
) -> Report:
    """Fills Redis anew from PostgreSQL."""
    discard = None if confirm is None or up_to is None else Discard(confirm, up_to)

    def work(progress: Progress) -> Report:
        if dry_run:
            return restoring.plan(store(), engine())
        return restoring.rebuild(store(), engine(), shelf(), progress, offline=offline, discard=discard)

    return carry_out(job_id, work, once=True)


@job("restore.backup", **ONCE)
def restore_backup(job_id: str, backup_id: str, *, dry_run: bool = False, offline: bool = False) -> Report:
    """Goes back to a backup."""

    def work(progress: Progress) -> Report:
        if dry_run:
            return going_back.plan_backup(store(), engine(), shelf(), backup_id)
        return going_back.go_back(store(), engine(), shelf(), backup_id, progress, offline=offline) | _owned()

    return carry_out(job_id, work, once=True)


@job("restore.undo", **ONCE)
def undo(job_id: str, *, offline: bool = False) -> Report:
    """Takes the last restore back."""

    def work(progress: Progress) -> Report:
        return going_back.undo(store(), engine(), shelf(), progress, offline=offline) | _owned()

    return carry_out(job_id, work, once=True)


def _owned() -> dict[str, str]:
    """The owner signs in as the settings say, whatever the backup says."""
    return owner_again(store(), settings().owner_email, settings().owner_password)
