"""Who may do what: one table, and the few functions that read it.

Every endpoint names a `Right`. The table says how far it reaches for each role; the `require_…`
functions hold a reach against the record in question. On a path that names its owner the refusal
is decided from the path alone, before existence, so that nobody learns which ids exist.
"""

from __future__ import annotations

from enum import Enum, StrEnum

from taskapi.domain.callers import Caller
from taskapi.domain.errors import Forbidden, NotFound
from taskapi.domain.filters import Scope
from taskapi.domain.records import GROUP_ADMIN, OWNER, OWNER_ID, USER, Group, Task, User


class Reach(Enum):
    """How far a right goes."""

    NOBODY = "nobody"
    SELF = "self"
    GROUPS = "their groups"
    PLAIN_USERS = "self, and plain users in their groups"
    ALL = "all"


class Right(StrEnum):
    """What an endpoint asks for, in the order of the table below."""

    PUBLIC = "public"
    OWN_ACCOUNT = "own_account"
    LIST_USERS = "list_users"
    CREATE_USER = "create_user"
    READ_USER = "read_user"
    CHANGE_USER = "change_user"
    DELETE_USER = "delete_user"
    MANAGE_GROUPS = "manage_groups"
    READ_GROUP = "read_group"
    MANAGE_MEMBERS = "manage_members"
    READ_TASKS_OF = "read_tasks_of"
    WORK_ON_TASKS = "work_on_tasks"
    FIND_TASKS = "find_tasks"
    SEARCH_ALL_TASKS = "search_all_tasks"
    ADMINISTER = "administer"


def _row(owner: Reach, group_admin: Reach, user: Reach) -> dict[str, Reach]:
    return {OWNER: owner, GROUP_ADMIN: group_admin, USER: user}


MATRIX: dict[Right, dict[str, Reach]] = {
    Right.PUBLIC: _row(Reach.ALL, Reach.ALL, Reach.ALL),
    Right.OWN_ACCOUNT: _row(Reach.SELF, Reach.SELF, Reach.SELF),
    Right.LIST_USERS: _row(Reach.ALL, Reach.GROUPS, Reach.NOBODY),
    Right.CREATE_USER: _row(Reach.ALL, Reach.PLAIN_USERS, Reach.NOBODY),
    Right.READ_USER: _row(Reach.ALL, Reach.GROUPS, Reach.SELF),
    Right.CHANGE_USER: _row(Reach.ALL, Reach.PLAIN_USERS, Reach.SELF),
    Right.DELETE_USER: _row(Reach.ALL, Reach.NOBODY, Reach.NOBODY),
    Right.MANAGE_GROUPS: _row(Reach.ALL, Reach.NOBODY, Reach.NOBODY),
    Right.READ_GROUP: _row(Reach.ALL, Reach.GROUPS, Reach.GROUPS),
    Right.MANAGE_MEMBERS: _row(Reach.ALL, Reach.PLAIN_USERS, Reach.NOBODY),
    Right.READ_TASKS_OF: _row(Reach.ALL, Reach.GROUPS, Reach.SELF),
    Right.WORK_ON_TASKS: _row(Reach.ALL, Reach.GROUPS, Reach.SELF),
    Right.FIND_TASKS: _row(Reach.ALL, Reach.GROUPS, Reach.SELF),
    Right.SEARCH_ALL_TASKS: _row(Reach.ALL, Reach.GROUPS, Reach.NOBODY),
    Right.ADMINISTER: _row(Reach.ALL, Reach.NOBODY, Reach.NOBODY),
}


def reach(caller: Caller, right: Right) -> Reach:
    """How far the right goes for this caller."""
    return MATRIX[right][caller.role]


def require(caller: Caller, right: Right) -> Reach:
    """The caller's reach; raises Forbidden if the role has none at all."""
    found = reach(caller, right)
    if found is Reach.NOBODY:
        raise Forbidden(f"Your role, {caller.role}, does not allow this.")
    return found


def shared_groups(caller: Caller, user: User) -> tuple[int, ...]:
    """The groups in which both are, in ascending order."""
    return tuple(sorted(set(caller.group_ids) & set(user.group_ids)))


def reaches_user(caller: Caller, right: Right, user_id: int, user: User | None) -> bool:
    """Whether the right covers the user of that id; `user` is None where there is none."""
    found = reach(caller, right)
    if found is Reach.ALL:
        return True
    if caller.id == user_id:
        return found is not Reach.NOBODY
    if found is Reach.SELF or found is Reach.NOBODY or user is None:
        return False
    if found is Reach.PLAIN_USERS and user.role != USER:
        return False
    return bool(shared_groups(caller, user))


def require_user(caller: Caller, right: Right, user_id: int, user: User | None) -> User:
    """The user, if the right covers them; Forbidden before existence, then NotFound."""
    if not reaches_user(caller, right, user_id, user):
        raise Forbidden(f"You have no right to this of user {user_id}.")
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
        raise NotFound(f"There is no task {task_id}." if user_id is None else f"User {user_id} has no task {task_id}.")
    return task


def require_group(caller: Caller, right: Right, group_id: int, group: Group | None) -> Group:
    """The group, if the right covers it; only the owner learns that there is none."""
    if require(caller, right) is not Reach.ALL and (group is None or group_id not in caller.group_ids):
        raise Forbidden(f"You have no right to this of group {group_id}.")
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


def scope_within_user(caller: Caller, user: User) -> Scope:
    """The tasks of that user which the caller may see; `require_user` came before."""
    if caller.is_owner or caller.id == user.id:
        return Scope(user=user.id)
    return Scope(pairs=tuple((user.id, group_id) for group_id in shared_groups(caller, user)))


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
