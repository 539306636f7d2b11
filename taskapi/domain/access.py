"""Who may do what: the few functions that hold the table of rights against the record in question.

Every endpoint names a `Right`, which travels in the caller's claim. On a path that names its owner the
refusal is decided from the path alone, before existence, so that nobody learns which ids exist.
"""

from __future__ import annotations

from taskapi.domain.callers import Caller
from taskapi.domain.errors import Forbidden, NotFound
from taskapi.domain.filters import Scope
from taskapi.domain.records import OWNER_ID, USER, Group, Task, User
from taskapi.domain.rights import MATRIX, Reach


def require(caller: Caller) -> Reach:
    """How far the right that the caller asks for goes; raises Forbidden if their role has none."""
    found = MATRIX[caller.claim.right][caller.role]
    if found is Reach.NOBODY:
        raise Forbidden(f"Your role, {caller.role}, does not allow this.")
    return found


def shared_groups(caller: Caller, user: User) -> tuple[int, ...]:
    """The groups in which both are, in ascending order."""
    return tuple(sorted(set(caller.group_ids) & set(user.group_ids)))


def reaches_user(caller: Caller, user_id: int, user: User | None) -> bool:
    """Whether the caller's right covers the user of that id; `user` is None where there is none."""
    found = require(caller)
    if found is Reach.ALL or caller.id == user_id:
        return True
    if found is Reach.SELF or user is None:
        return False
    if found is Reach.PLAIN_USERS and user.role != USER:
        return False
    return bool(shared_groups(caller, user))


def require_user(caller: Caller, user_id: int, user: User | None) -> User:
    """The user, if the right covers them; Forbidden before existence, then NotFound."""
    if not reaches_user(caller, user_id, user):
        raise Forbidden(f"You may not do this for user {user_id}.")
    if user is None:
        raise NotFound(f"There is no user {user_id}.")
    return user


def require_deletable(user_id: int) -> None:
    """Raises Forbidden for user 1, who is there for as long as the system."""
    if user_id == OWNER_ID:
        raise Forbidden("The system owner cannot be deleted.")


def may_edit_task(caller: Caller, task: Task) -> bool:
    """Whether the caller may see and change it: their own, of their groups as admin, or any as owner."""
    if caller.is_owner or task.user_id == caller.id:
        return True
    return caller.is_group_admin and task.group_id in caller.group_ids


def require_task(caller: Caller, task_id: int, task: Task | None, user_id: int | None = None) -> Task:
    """The task, if it exists for the caller (and is of that user); else NotFound."""
    if task is None or not may_edit_task(caller, task) or user_id not in (None, task.user_id):
        raise NotFound(
            f"There is no task {task_id}." if user_id is None else f"User {user_id} has no task {task_id}."
        )
    return task


def require_group(caller: Caller, group_id: int, group: Group | None) -> Group:
    """The group, if the right covers it; only the owner learns that there is none."""
    if require(caller) is not Reach.ALL and (group is None or group_id not in caller.group_ids):
        raise Forbidden(f"You may not do this for group {group_id}.")
    if group is None:
        raise NotFound(f"There is no group {group_id}.")
    return group


def scope_of(caller: Caller) -> Scope:
    """All the tasks that the caller may see."""
    if caller.is_owner:
        return Scope(everything=True)
    if caller.is_group_admin:
        return Scope(groups=caller.group_ids, user=caller.id)
    return Scope(user=caller.id)


USER_FIELDS_FOR_SELF = frozenset({"full_name", "number", "work_times", "email", "username", "password"})
USER_FIELDS_FOR_ADMINS = frozenset({"full_name", "number", "work_times"})
FELLOW_FIELDS = ("id", "full_name", "username")


def changeable_user_fields(caller: Caller, user_id: int) -> frozenset[str] | None:
    """Which fields of that user the caller may set; None means any."""
    if caller.is_owner:
        return None
    return USER_FIELDS_FOR_SELF if caller.id == user_id else USER_FIELDS_FOR_ADMINS


def narrowed_user(caller: Caller, user: User, shown: dict[str, object]) -> dict[str, object]:
    """What of a user the caller sees: `shown` are all of its fields."""
    if caller.is_owner or caller.id == user.id:
        return shown
    if not caller.is_group_admin:
        return {name: shown[name] for name in FELLOW_FIELDS}
    hidden = {"requested_role"}
    narrowed = {name: value for name, value in shown.items() if name not in hidden}
    return narrowed | {"group_ids": list(shared_groups(caller, user))}
