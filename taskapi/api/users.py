"""Users and their working hours."""

from __future__ import annotations

from typing import Any

from taskapi.api.contracts import accepts, asks, authenticated, conditional, lists, refuses, returns
from taskapi.api.schemas.accounts import Deleted
from taskapi.api.schemas.query import PageQuery, Query
from taskapi.api.schemas.search import SearchQuery, Sought
from taskapi.api.schemas.users import UserChanges, UserIn, UserOut, WorkTimesIn, WorkTimesOut
from taskapi.api.serving import Noun
from taskapi.api.wiring import settings, store, wired
from taskapi.domain.callers import Claim
from taskapi.domain.filters import Page
from taskapi.domain.rights import Right
from taskapi.services import search, user_changes, users
from taskapi.services.results import Listed, Shown

bp = Noun("users", __name__)


@bp.get("/users")
@authenticated(Right.LIST_USERS)
@asks(PageQuery)
@lists(UserOut, "users")
def list_users(claim: Claim, wanted: Page) -> Listed:
    """All users, or those of the groups that the caller leads."""
    return users.list_users(store(), claim, wanted)


@bp.get("/users/search")
@authenticated(Right.LIST_USERS)
@asks(SearchQuery)
@lists(UserOut, "users", query="string", complete="boolean")
def search_users(claim: Claim, wanted: Sought) -> Listed:
    """Search users by the beginnings of their names, e-mail addresses and usernames."""
    return search.search_users(store(), claim, wanted.text, wanted.page)


@bp.post("/users")
@authenticated(Right.CREATE_USER)
@refuses(taken="")
@accepts(UserIn)
@returns(UserOut, 201, at="/users/{id}")
def create_user(claim: Claim, sent: dict[str, Any]) -> Shown:
    """Make a user."""
    return users.create_user(store(), claim, sent)


@bp.get("/users/<int:user_id>")
@authenticated(Right.READ_USER)
@asks(Query)
@returns(UserOut)
def read_user(claim: Claim, user_id: int) -> Shown:
    """Read one user."""
    return users.read_user(store(), claim, user_id)


@bp.put("/users/<int:user_id>")
@bp.patch("/users/<int:user_id>")
@authenticated(Right.CHANGE_USER)
@refuses(taken="")
@accepts(UserChanges)
@conditional
@returns(UserOut)
def change_user(claim: Claim, user_id: int, sent: dict[str, Any], if_match: int | None) -> Shown:
    """Change some fields of a user."""
    if "current_password" not in sent:
        return user_changes.change_user(store(), claim, user_id, sent, if_match)
    change, owner_password = user_changes.change_user, settings().owner_password
    return wired().addresses.guard(
        change, store(), claim, user_id, sent, if_match, owner_password=owner_password
    )


@bp.delete("/users/<int:user_id>")
@authenticated(Right.DELETE_USER)
@conditional
@returns(Deleted)
def delete_user(claim: Claim, user_id: int, if_match: int | None) -> Shown:
    """Move a user to the trash, and their tasks along."""
    return users.delete_user(store(), claim, user_id, if_match)


@bp.post("/users/<int:user_id>/restore")
@authenticated(Right.DELETE_USER)
@refuses(taken="")
@conditional
@returns(UserOut)
def restore_user(claim: Claim, user_id: int, if_match: int | None) -> Shown:
    """Take a user back from the trash, with the tasks that went along."""
    return users.restore_user(store(), claim, user_id, if_match)


@bp.get("/users/<int:user_id>/worktimes")
@authenticated(Right.READ_USER)
@asks(Query)
@returns(WorkTimesOut)
def read_worktimes(claim: Claim, user_id: int) -> Shown:
    """Read a user's working hours."""
    return user_changes.read_worktimes(store(), claim, user_id)


@bp.put("/users/<int:user_id>/worktimes")
@authenticated(Right.CHANGE_USER)
@accepts(WorkTimesIn)
@conditional
@returns(WorkTimesOut)
def change_worktimes(claim: Claim, user_id: int, sent: dict[str, Any], if_match: int | None) -> Shown:
    """Set the hours of some weekdays."""
    return user_changes.change_worktimes(store(), claim, user_id, sent["work_times"], if_match)
