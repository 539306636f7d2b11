"""Search over tasks and over users."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import orjson

from taskapi.domain import access
from taskapi.domain.callers import Caller, Claim
from taskapi.domain.filters import Page, TaskFilter, TaskSearch
from taskapi.domain.words import asked, begins_all, cut
from taskapi.services import task_lists
from taskapi.services.again import decided_again
from taskapi.services.finding import Index, Work
from taskapi.services.results import Listed
from taskapi.services.showing import shown_user
from taskapi.store import codec, finders
from taskapi.store.client import Store
from taskapi.store.codec import Stored
from taskapi.store.kinds import USER
from taskapi.store.reading import Question, ask

SLICE = 500
QUERY = "q"
ACCOUNTS = ("email", "username")

Part = tuple[frozenset[str], str]
"""Of a query: its words, and itself, folded."""


def search_tasks(store: Store, claim: Claim, index: Index | None, query: str, page: Page) -> Listed:
    """The tasks within the caller's reach in which each word of the query begins a word, by id.

    Raises Invalid, naming `q`, for a query without words.
    """
    wanted = TaskSearch(filter=TaskFilter(words=asked(query, QUERY)), page=page)
    listed = task_lists.list_tasks(store, claim, wanted, index)
    results = tuple(_result(blob) for blob in listed.items)
    return replace(listed, name="results", items=results, beside={"query": query, **listed.beside})


@decided_again
def search_users(store: Store, claim: Claim, query: str, page: Page) -> Listed:
    """The users whom the caller may list and whom each part of the query names, by id.

    A part names a user whose full name has words that begin with its words, or whose e-mail address or
    username begins with it, as far as the caller sees these. Raises Invalid, naming `q`, for a query
    without words.
    """
    asked(query, QUERY)
    parts = [(words, codec.fold(part)) for part in query.split() if (words := cut(part))]
    caller = ask(store, claim, Question()).caller
    work = Work()
    found = [user for user in _listable(store, caller, work) if _is_named(parts, caller, user)]
    after = finders.cursor_id(page, finders.BY_ID) or 0
    rest = [user for user in found if user.id > after][page.offset :]
    items = tuple(shown_user(caller, user).body for user in rest[: page.per_page])
    following = (
        finders.cursor_after(finders.BY_ID, rest[page.per_page - 1].id) if rest[page.per_page :] else None
    )
    beside = {"query": query, "complete": not work.was_cut}
    return Listed(USER.plural, items, len(found), following, beside)


def _listable(store: Store, caller: Caller, work: Work) -> Iterator[Stored]:
    """The users whom the caller may list, by id, read in slices while there is time."""
    groups = None if caller.is_owner else caller.group_ids
    cursor = None
    while work.may_go_on():
        listing = finders.user_page(groups, Page(SLICE, cursor=cursor))
        blobs = ask(store, caller.claim, Question(listing=listing)).listing.blobs
        yield from (Stored(USER, blob) for blob in blobs[:SLICE])
        if len(blobs) <= SLICE:
            return
        cursor = finders.cursor_after(finders.BY_ID, codec.id_of(blobs[SLICE - 1]))


def _is_named(parts: Sequence[Part], caller: Caller, user: Stored) -> bool:
    seen = access.narrowed_user(caller, user.record, codec.as_sent(user.blob))
    name, accounts = str(seen["full_name"]), [str(seen[field]) for field in ACCOUNTS if seen.get(field)]
    return all(
        begins_all(words, name) or any(codec.fold(account).startswith(text) for account in accounts)
        for words, text in parts
    )


def _result(blob: bytes) -> bytes:
    return b'{"user_id":%d,"task":%b}' % (orjson.loads(blob)["user_id"], blob)
