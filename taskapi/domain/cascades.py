"""What goes with what: the names under which a deletion is known while its tasks are being swept."""

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
