"""What goes with what: the names under which a deletion is known while its tasks are being swept."""

from collections.abc import Collection

from taskapi.domain.errors import Conflict
from taskapi.domain.records import Task


def user_goes(user_id: int) -> str:
    """A user was deleted: their tasks go."""
    return f"user:{user_id}"


def group_goes(group_id: int) -> str:
    """A group was deleted: its tasks go."""
    return f"group:{group_id}"


def member_goes(user_id: int, group_id: int) -> str:
    """A user has left a group: their tasks there move to another group, or go."""
    return f"member:{user_id}:{group_id}"


def require_at_rest(leaving: Collection[str], user_ids: Collection[int], group_ids: Collection[int]) -> None:
    """Raises Conflict while tasks of one of these users, or in one of these groups, are being swept.

    A sweep goes by its users and groups as they are when it comes to a task. If they changed meanwhile, it
    would leave behind what was said to come back, or move it elsewhere.
    """
    for name in leaving:
        if _concerns(name, user_ids, group_ids):
            raise Conflict(f"{name} is being deleted or brought back. Try again in a moment.")


def _concerns(name: str, user_ids: Collection[int], group_ids: Collection[int]) -> bool:
    """Of a membership both its user and its group count."""
    what, *numbers = name.split(":")
    by_user = what != "group" and int(numbers[0]) in user_ids
    return by_user or (what != "user" and int(numbers[-1]) in group_ids)


def names_over(task: Task) -> set[str]:
    """The names under which a cascade may take the task along, or bring it back."""
    names = {user_goes(task.user_id)}
    if task.group_id is not None:
        names |= {group_goes(task.group_id), member_goes(task.user_id, task.group_id)}
    return names


def is_left(leaving: frozenset[str], task: Task) -> bool:
    """Whether the task is one that a cascade has taken along, swept or not."""
    return not names_over(task).isdisjoint(leaving)


def gone(task: Task, moment: str, name: str) -> Task:
    """The task in the trash, where it says with whom it went."""
    return task.changed(deleted_at=moment, deleted_with=name)


def moved(task: Task, moment: str, group_ids: Collection[int], name: str) -> Task:
    """The task of somebody who left its group: in the one of lowest id that remains, else in the trash."""
    if group_ids:
        return task.changed(group_id=min(group_ids), updated_at=moment)
    return gone(task, moment, name)


def back(task: Task, moment: str, group_ids: Collection[int]) -> Task:
    """The task out of the trash, and out of a group that its user is no longer in."""
    kept = task.group_id if task.group_id in group_ids else None
    return task.changed(deleted_at=None, deleted_with=None, group_id=kept, updated_at=moment)
