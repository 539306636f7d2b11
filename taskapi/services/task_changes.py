"""What a change of a task comes to and who may make it: the same rules for one task and for many at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from taskapi.domain import access
from taskapi.domain.callers import Caller
from taskapi.domain.clock import timestamp
from taskapi.domain.errors import Forbidden, Invalid, NotFound, Stale
from taskapi.domain.records import MOST_TAGS, Record, Task, User
from taskapi.store.kinds import TASK
from taskapi.store.plans import Change
from taskapi.store.reading import Seen

OwnerOf = Callable[[int], User | None]


def required(
    seen: Seen,
    task_id: int,
    user_id: int | None = None,
    if_match: int | None = None,
    *,
    in_trash: bool = False,
) -> Task:
    """The task that was asked for (of that user), if the caller may change it; raises NotFound or Stale."""
    found = seen.trashed(TASK, task_id) if in_trash else seen.record(TASK, task_id)
    if in_trash and found is None:
        raise NotFound(f"There is no task {task_id} in the trash.")
    task: Task = access.require_task(seen.caller, task_id, found, user_id)
    if if_match not in (None, task.version):
        raise Stale(f"Task {task_id} has version {task.version}.")
    return task


def change(
    caller: Caller, was: Task, changes: Mapping[str, Any], owner_of: OwnerOf
) -> tuple[Change | None, list[Record]]:
    """The change, None if nothing differs, and the user on whom the right to move it rests, if it moves.

    Raises Invalid or Forbidden for a place where the caller may not put it. `owner_of` finds a user.
    """
    now = was.changed(**changes)
    moves = is_moved(was, now)
    rests_on: list[Record] = [_moved_to(caller, was, now, owner_of(now.user_id))] if moves else []
    now = dated(now, was)
    return (Change(was, now, "changed") if now.differs(was) else None), rests_on


def removal(was: Task) -> Change:
    """The task goes to the trash."""
    return Change(was, was.changed(deleted_at=timestamp()), "deleted")


def tagged(was: Task, tags: Sequence[str]) -> dict[str, Any]:
    """The change by which the task has these tags too; raises Invalid if they would be too many."""
    together = tuple(dict.fromkeys([*was.tags, *tags]))
    if len(together) > MOST_TAGS:
        raise Invalid(
            {"tags": [f"A task has {MOST_TAGS} tags at most; with these it would have {len(together)}."]}
        )
    return {"tags": together}


def untagged(was: Task, tag: str) -> dict[str, Any]:
    """The change by which the task has this tag no more; raises NotFound if it has none such."""
    if tag not in was.tags:
        raise NotFound(f"Task {was.id} has no such tag.")
    return {"tags": tuple(each for each in was.tags if each != tag)}


def is_moved(was: Task, now: Task) -> bool:
    """Whether it goes to another user or group."""
    return (now.user_id, now.group_id) != (was.user_id, was.group_id)


def check_place(caller: Caller, owner: User | None, task: Task) -> User:
    """The owner, if the task may lie with them in that group and the caller may put it there."""
    if owner is None or (task.user_id != caller.id and not access.reaches_user(caller, task.user_id, owner)):
        raise Forbidden(f"You have no right to give tasks to user {task.user_id}.")
    if not access.may_edit_task(caller, task) or _is_unshared(caller, owner, task):
        shared = ", ".join(str(group_id) for group_id in access.shared_groups(caller, owner))
        raise Invalid(
            {"group_id": [f"Name one of the groups that you lead and user {owner.id} is in: {shared}."]}
        )
    if task.group_id is not None and task.group_id not in owner.group_ids:
        raise Invalid({"group_id": [f"User {owner.id} is not in group {task.group_id}."]})
    return owner


def dated(now: Task, was: Task | None = None) -> Task:
    """The task with the times that its change implies."""
    moment = timestamp()
    if not now.status:
        now = now.changed(completed_at=None)
    elif was is None or not was.status:
        now = now.changed(completed_at=moment)
    return now.changed(updated_at=moment if was else now.updated_at)


def _moved_to(caller: Caller, was: Task, now: Task, owner: User | None) -> User:
    """The user to whom a task goes, or with whom it stays in another group."""
    if owner is None and caller.is_owner:
        raise Invalid({"user_id": [f"There is no user {now.user_id}."]})
    owner = check_place(caller, owner, now)
    if now.user_id != was.user_id and now.group_id is None and not caller.is_owner:
        raise Invalid({"group_id": ["A task that goes to another user stays in a group."]})
    return owner


def _is_unshared(caller: Caller, owner: User, task: Task) -> bool:
    """Whether an admin would learn, or pass over, what groups beyond their own another user is in."""
    return caller.is_group_admin and caller.id != owner.id and task.group_id not in owner.group_ids
