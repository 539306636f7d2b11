"""The table of rights: what each endpoint asks for, and how far that reaches for each role."""

from enum import Enum, StrEnum

from taskapi.domain.records import GROUP_ADMIN, OWNER, USER


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
