"""What goes with what: the names under which a deletion is known while its tasks are being swept."""

from collections.abc import Collection

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


def is_left(leaving: frozenset[str], task: Task) -> bool:
    """Whether the task is one that a cascade has taken along, swept or not."""
    names = {user_goes(task.user_id)}
    if task.group_id is not None:
        names |= {group_goes(task.group_id), member_goes(task.user_id, task.group_id)}
    return not names.isdisjoint(leaving)


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
