"""Lists of tasks: scope, filter, order, page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from taskapi.domain import access
from taskapi.domain.callers import Caller, Claim
from taskapi.domain.errors import Forbidden
from taskapi.domain.filters import Page, Scope, TaskQuery, TaskSearch
from taskapi.domain.records import Task
from taskapi.services import finding
from taskapi.services.again import decided_again
from taskapi.services.asking import ask_as
from taskapi.services.finding import Index
from taskapi.services.results import Listed
from taskapi.store import finders, keys
from taskapi.store.client import Store
from taskapi.store.kinds import GROUP, TASK, USER
from taskapi.store.reading import Listing, Question, Seen, ask


@decided_again
def list_tasks(store: Store, claim: Claim, search: TaskSearch, index: Index | None = None) -> Listed:
    """The tasks that the caller may see and that the search describes; words are looked up in the index.

    With words, `complete` beside the tasks says whether there was time to look at all.
    """
    wanted_user = [] if search.user_id is None else [keys.record(USER.name, search.user_id)]
    seen = ask_as(store, claim, lambda caller: _question(_scope(caller, search), search, wanted_user))
    if search.user_id is not None:
        _require_listed_user(seen, search.user_id)
    if (
        search.group_id is not None
        and not seen.caller.is_owner
        and search.group_id not in seen.caller.group_ids
    ):
        raise Forbidden(f"You have no right to the tasks of group {search.group_id}.")
    return _listed(store, seen, _query(_scope(seen.caller, search), search), index)


@decided_again
def list_tasks_of(
    store: Store, claim: Claim, user_id: int, search: TaskSearch, index: Index | None = None
) -> Listed:
    """The same of one user, whom the path names."""
    user_key = keys.record(USER.name, user_id)
    seen = ask_as(
        store, claim, lambda caller: _question(_scope_of_user(caller, user_id, search), search, [user_key])
    )
    access.require_user(seen.caller, user_id, seen.record(USER, user_id))
    listed = _listed(store, seen, _query(_scope_of_user(seen.caller, user_id, search), search), index)
    return replace(listed, beside={**listed.beside, "user_id": user_id})


@decided_again
def list_tasks_of_group(
    store: Store, claim: Claim, group_id: int, search: TaskSearch, index: Index | None = None
) -> Listed:
    """The tasks of one group, whom the path names; a plain user sees their own in it."""
    group_key, within = keys.record(GROUP.name, group_id), replace(search, group_id=group_id)
    seen = ask_as(store, claim, lambda caller: _question(_scope(caller, within), within, [group_key]))
    access.require_group(seen.caller, group_id, seen.record(GROUP, group_id))
    listed = _listed(store, seen, _query(_scope(seen.caller, within), within), index)
    return replace(listed, beside={**listed.beside, "group_id": group_id})


@decided_again
def list_trash(store: Store, claim: Claim, page: Page) -> Listed:
    """The tasks in the trash that the caller may see, with `deleted_at`."""
    seen = ask_as(
        store, claim, lambda caller: Question(listing=finders.trash_page(access.scope_of(caller), page))
    )
    return _page_of(seen.listing, TaskQuery(Scope(), page=page))


def _require_listed_user(seen: Seen, user_id: int) -> None:
    if not access.reaches_user(seen.caller, user_id, seen.record(USER, user_id)):
        raise Forbidden(f"You have no right to the tasks of user {user_id}.")


def _scope(caller: Caller, search: TaskSearch) -> Scope:
    if search.user_id is not None:
        hidden = search.mine and search.user_id != caller.id
        return Scope() if hidden else _scope_of_user(caller, search.user_id, search)
    scope = Scope(user=caller.id) if search.mine else access.scope_of(caller)
    return scope if search.group_id is None else scope.within_group(search.group_id)


def _scope_of_user(caller: Caller, user_id: int, search: TaskSearch) -> Scope:
    """That user's tasks as far as the caller sees them: all, or those in the groups that the caller leads."""
    if caller.is_owner or caller.id == user_id:
        scope = Scope(user=user_id)
    else:
        led = caller.group_ids if caller.is_group_admin else ()
        scope = Scope(pairs=tuple((user_id, group_id) for group_id in led))
    return scope if search.group_id is None else scope.within_group(search.group_id)


def _query(scope: Scope, search: TaskSearch) -> TaskQuery:
    return TaskQuery(scope, search.filter, search.order, search.page)


def _question(scope: Scope, search: TaskSearch, keys_beside: Sequence[str]) -> Question:
    query = _query(scope, search)
    return Question(
        keys_beside, listing=finders.task_page(query) if finders.is_ready_made(query) else ("none",)
    )


def _listed(store: Store, seen: Seen, query: TaskQuery, index: Index | None) -> Listed:
    """The page that came with the caller, or one that is picked out of all that was found."""
    if finders.is_ready_made(query):
        return _page_of(seen.listing, query)
    if not query.filter.words:
        return _picked(_all_found(store, seen.claim, query), query)
    by_words = finding.found(store, seen.claim, index, query.scope, query.filter)
    return replace(_picked(by_words.tasks, query), beside={"complete": by_words.is_complete})


def _page_of(listing: Listing, query: TaskQuery) -> Listed:
    """One page of a list that was asked for with one record more than it holds."""
    items, following = finders.cut_page(listing, query.page, query.order)
    return Listed(TASK.plural, items, listing.total, following)


def _all_found(store: Store, claim: Claim, query: TaskQuery) -> dict[Task, bytes]:
    def fetch(listing: Sequence[Any]) -> Listing:
        return ask(store, claim, Question(listing=listing)).listing

    return {task: blob for blob, task in finders.scanned(fetch, query.scope, query.filter)}


def _picked(found: Mapping[Task, bytes], query: TaskQuery) -> Listed:
    """One page of what was found, in order."""
    arranged = query.order.arranged(list(found))
    start = _start(arranged, query)
    chosen = arranged[start : start + query.page.per_page]
    more = start + len(chosen) < len(arranged)
    following = (
        finders.cursor_after(query.order, chosen[-1].id, query.order.value(chosen[-1])) if more else None
    )
    return Listed(TASK.plural, tuple(found[task] for task in chosen), len(arranged), following)


def _start(arranged: Sequence[Task], query: TaskQuery) -> int:
    parts = finders.cursor_parts(query.page, query.order)
    if parts is None:
        return query.page.offset
    later = (index for index, task in enumerate(arranged) if query.order.is_after(task, *parts))
    return next(later, len(arranged))
