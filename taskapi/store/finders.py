"""Lists of records: which sorted sets answer a query, and how a page of them is asked for."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import orjson

from taskapi.domain.clock import day_number
from taskapi.domain.errors import Invalid
from taskapi.domain.filters import Order, Page, Scope, TaskFilter, TaskQuery
from taskapi.domain.records import Task
from taskapi.store import codec, keys, plans
from taskapi.store.kinds import FILE, GROUP, TASK, USER
from taskapi.store.reading import Listing

SLICE = 500
BY_ID = Order()
NUMBERS = frozenset({"id", "priority", "user_id", "group_id", "estimate_hours", "version"})
STATUSES, PRIORITIES = (0, 1), (1, 2, 3)

Fetch = Callable[[Sequence[Any]], Listing]


def is_ready_made(query: TaskQuery) -> bool:
    """Whether the store answers the query a page at a time, without looking into the records."""
    return query.order.field == "id" and (query.filter.is_indexed or _is_overdue_alone(query))


def _is_overdue_alone(query: TaskQuery) -> bool:
    return (
        query.filter == TaskFilter(overdue_on=query.filter.overdue_on) and query.filter.overdue_on is not None
    )


def task_page(query: TaskQuery) -> list[Any]:
    """The list arguments of one page, and one record more, of a ready-made query."""
    after = cursor_id(query.page, query.order)
    window = (int(query.order.descending), after, query.page.offset, query.page.per_page + 1)
    if query.filter.overdue_on:
        scores = ("-inf", day_number(query.filter.overdue_on) - 1)
        return [
            "range",
            *_prefixed(TASK.name),
            *window,
            *_pairs(query.scope),
            *plans.listed(("due",)),
            *scores,
        ]
    return ["merge", *_prefixed(TASK.name), *window, *_pairs(query.scope), *_suffixes(query.filter)]


def trash_page(scope: Scope, page: Page) -> list[Any]:
    """The list arguments of one page, and one record more, of the trashed tasks in a scope."""
    pairs = _pairs(scope, trash=True)
    return ["merge", keys.trashed(TASK.name, 0)[:-1], *_window(page), *pairs, *plans.listed(("trash",))]


def user_page(group_ids: Sequence[int] | None, page: Page) -> list[Any]:
    """The same of the users who are in one of the groups, or of all for None."""
    lists = [keys.USERS] if group_ids is None else [keys.members(group_id) for group_id in group_ids]
    return _union(USER.name, lists, page)


def group_page(group_ids: Sequence[int] | None, page: Page) -> list[Any]:
    """The same of those groups, or of all for None."""
    if group_ids is None:
        return _union(GROUP.name, [keys.GROUPS], page)
    return [
        "ids",
        *_prefixed(GROUP.name),
        *_window(page),
        *plans.listed(*((number,) for number in group_ids)),
    ]


def file_page(task_id: int, page: Page) -> list[Any]:
    """The same of the files of a task."""
    return _union(FILE.name, [keys.files(task_id)], page)


def _window(page: Page) -> tuple[Any, ...]:
    """Ascending, what comes before, how many: one record more than the page holds."""
    return 0, cursor_id(page, BY_ID), page.offset, page.per_page + 1


def _union(kind: str, lists: Sequence[str], page: Page) -> list[Any]:
    return ["union", *_prefixed(kind), *_window(page), *plans.listed(*((key,) for key in lists))]


def scanned(fetch: Fetch, scope: Scope, wanted: TaskFilter) -> Iterator[tuple[bytes, Task]]:
    """All tasks of a scope for which a filter holds, by id, read in slices: costs by the scope.

    `fetch` brings the list of one slice.
    """
    after: Any = ""
    while True:
        window = (0, after, 0, SLICE)
        listing = fetch(["merge", *_prefixed(TASK.name), *window, *_pairs(scope), *_suffixes(wanted)])
        tasks = [(blob, codec.decode(TASK, blob)) for blob in listing.blobs]
        yield from ((blob, task) for blob, task in tasks if wanted.matches(task))
        if listing.further is None:
            return
        after = listing.further


def _suffixes(wanted: TaskFilter) -> list[Any]:
    """The lists that hold at least all that match: of one tag, or of each status and priority."""
    if wanted.tags:
        return plans.listed((f"#{wanted.tags[0]}",))
    statuses = STATUSES if wanted.status is None else (int(wanted.status),)
    statuses = (0,) if wanted.overdue_on else statuses
    priorities = wanted.priorities or PRIORITIES
    return plans.listed(*((f"{status}:{priority}",) for status in statuses for priority in priorities))


def _prefixed(kind: str) -> tuple[str]:
    return (f"{kind}:",)


def _pairs(scope: Scope, *, trash: bool = False) -> list[Any]:
    if scope.everything:
        return ["all"]
    groups = plans.listed(*((group_id,) for group_id in scope.groups))
    return [keys.spread("", trash=trash), *groups, scope.user or "", *plans.listed(*scope.pairs)]


def cursor_after(order: Order, task_id: int, value: Any = None) -> str:
    """The cursor that goes on behind this task; `value` is what the order compares, if not the id."""
    text = orjson.dumps([order.field, order.descending, value, task_id])
    return base64.urlsafe_b64encode(text).decode().rstrip("=")


def cut_page(listing: Listing, page: Page, order: Order) -> tuple[tuple[bytes, ...], str | None]:
    """What a page holds of a list that was asked for with one record more, and the cursor behind it."""
    blobs = listing.blobs[: page.per_page]
    last = codec.id_of(blobs[-1]) if len(listing.blobs) > page.per_page else listing.further
    return blobs, None if last is None else cursor_after(order, last)


def cursor_parts(page: Page, order: Order) -> tuple[Any, int] | None:
    """The value and id in the page's cursor, if any; raises Invalid if it is not ours or of another order."""
    if page.cursor is None:
        return None
    try:
        padded = page.cursor + "=" * (-len(page.cursor) % 4)
        field, descending, value, record_id = orjson.loads(
            base64.b64decode(padded, altchars=b"-_", validate=True)
        )
    except (binascii.Error, ValueError, TypeError) as fault:
        raise Invalid({"cursor": ["This is not a cursor that a page has given."]}) from fault
    is_ours = type(record_id) is int and _fits(order.field, value)
    if [field, descending] != [order.field, order.descending] or not is_ours:
        raise Invalid({"cursor": ["This cursor belongs to a list in another order."]})
    return value, record_id


def _fits(field: str, value: Any) -> bool:
    """Whether the value can be one of that field."""
    if value is None:
        return True
    if field in NUMBERS:
        return type(value) in (int, float)
    return type(value) is (bool if field == "status" else str)


def cursor_id(page: Page, order: Order) -> Any:
    """The id in the page's cursor, or "" without one."""
    parts = cursor_parts(page, order)
    return "" if parts is None else parts[1]
