"""Groups, who is in them, and what they have to do."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from flask import Response

from taskapi.api import answers
from taskapi.api.contracts import (
    accepts,
    asks,
    authenticated,
    conditional,
    contract_of,
    lists,
    or_else,
    refuses,
    returns,
)
from taskapi.api.schemas.accounts import Deleted
from taskapi.api.schemas.groups import (
    GroupChanges,
    GroupDetails,
    GroupIn,
    GroupOut,
    GroupTaskListQuery,
    MemberIn,
)
from taskapi.api.schemas.query import PageQuery, Query
from taskapi.api.schemas.statistics import GroupStatistics
from taskapi.api.schemas.tasks import TaskOut
from taskapi.api.schemas.users import UserOut
from taskapi.api.serving import Noun
from taskapi.api.wiring import store, word_index
from taskapi.domain.callers import Claim
from taskapi.domain.filters import Page, TaskSearch
from taskapi.domain.rights import Right
from taskapi.services import groups, members, statistics, task_lists
from taskapi.services.results import Listed, Shown

bp = Noun("groups", __name__)


@bp.get("/groups")
@authenticated(Right.READ_GROUP)
@asks(PageQuery)
@lists(GroupOut, "groups")
def list_groups(claim: Claim, wanted: Page) -> Listed:
    """All groups, or those that the caller is in."""
    return groups.list_groups(store(), claim, wanted)


@bp.post("/groups")
@authenticated(Right.MANAGE_GROUPS)
@refuses(taken="")
@accepts(GroupIn)
@returns(GroupOut, 201, at="/groups/{id}")
def create_group(claim: Claim, sent: dict[str, Any]) -> Shown:
    """Make a group."""
    return groups.create_group(store(), claim, sent)


@bp.get("/groups/<int:group_id>")
@authenticated(Right.READ_GROUP)
@asks(Query)
@returns(GroupDetails)
def read_group(claim: Claim, group_id: int) -> Shown:
    """Read one group, with its admin and how many users and tasks it has."""
    return groups.read_group(store(), claim, group_id)


@bp.put("/groups/<int:group_id>")
@bp.patch("/groups/<int:group_id>")
@authenticated(Right.MANAGE_GROUPS)
@refuses(taken="")
@accepts(GroupChanges)
@conditional
@returns(GroupOut)
def change_group(claim: Claim, group_id: int, sent: dict[str, Any], if_match: int | None) -> Shown:
    """Change the name or the admin of a group."""
    return groups.change_group(store(), claim, group_id, sent, if_match)


@bp.delete("/groups/<int:group_id>")
@authenticated(Right.MANAGE_GROUPS)
@conditional
@returns(Deleted)
def delete_group(claim: Claim, group_id: int, if_match: int | None) -> Shown:
    """Move a group to the trash, and its tasks along; it leaves all its users."""
    return groups.delete_group(store(), claim, group_id, if_match)


@bp.post("/groups/<int:group_id>/restore")
@authenticated(Right.MANAGE_GROUPS)
@refuses(taken="")
@conditional
@returns(GroupOut)
def restore_group(claim: Claim, group_id: int, if_match: int | None) -> Shown:
    """Take a group back from the trash, with its members and the tasks that went along."""
    return groups.restore_group(store(), claim, group_id, if_match)


@bp.get("/groups/<int:group_id>/users")
@authenticated(Right.READ_GROUP)
@asks(PageQuery)
@lists(UserOut, "users", group_id="integer")
def list_members(claim: Claim, group_id: int, wanted: Page) -> Listed:
    """The users of a group, each as far as the caller may see them."""
    return members.list_members(store(), claim, group_id, wanted)


@bp.post("/groups/<int:group_id>/users")
@authenticated(Right.MANAGE_MEMBERS)
@accepts(MemberIn)
@returns(UserOut, 201, at="/users/{id}")
@or_else(200, "The user is in the group already.")
def add_member(claim: Claim, group_id: int, sent: dict[str, Any]) -> Shown | Response:
    """Put a user into a group: 201, or 200 when they are in it already."""
    member, is_new = members.add_member(store(), claim, group_id, sent["user_id"])
    return member if is_new else _unmoved(member)


@bp.delete("/groups/<int:group_id>/users/<int:user_id>")
@authenticated(Right.MANAGE_MEMBERS)
@returns(Deleted)
def remove_member(claim: Claim, group_id: int, user_id: int) -> Shown:
    """Take a user out of a group; their tasks there move to another group of theirs, or to the trash."""
    return members.remove_member(store(), claim, group_id, user_id)


@bp.get("/groups/<int:group_id>/tasks")
@authenticated(Right.READ_GROUP)
@asks(GroupTaskListQuery)
@lists(TaskOut, "tasks", group_id="integer", complete="boolean")
def list_tasks_of_group(claim: Claim, group_id: int, wanted: TaskSearch) -> Listed:
    """The tasks of a group: all for those who lead it, one's own for its other members."""
    return task_lists.list_tasks_of_group(store(), claim, group_id, wanted, word_index())


@bp.get("/groups/<int:group_id>/stats")
@authenticated(Right.READ_GROUP)
@returns(GroupStatistics)
def read_group_statistics(claim: Claim, group_id: int) -> Shown:
    """How much a group has to do, and who does it."""
    return statistics.read_group_statistics(store(), claim, group_id)


def _unmoved(member: Shown) -> Response:
    """The answer when there was nothing to add."""
    return answers.shown(replace(contract_of(add_member), status=200, location=None), member)
