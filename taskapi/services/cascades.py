"""What goes or comes back with a user: their tasks, and their place as a group's admin."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from taskapi.domain.callers import Claim
from taskapi.domain.clock import timestamp
from taskapi.domain.errors import Conflict
from taskapi.domain.filters import Page, Scope, TaskFilter
from taskapi.domain.records import Group, Task, User
from taskapi.store import codec, finders, keys
from taskapi.store.client import Store
from taskapi.store.kinds import GROUP, TASK
from taskapi.store.plans import Change
from taskapi.store.reading import Listing, Question, ask
from taskapi.store.records import Count

MOST_AT_ONCE = 500
PAGE = 200


@dataclass(frozen=True, slots=True)
class Cascade:
    """The changes of tasks that follow from another change, and how many there must be for them to be all."""

    changes: list[Change]
    counts: list[Count]


def tasks_go(store: Store, claim: Claim, user: User, moment: str) -> Cascade:
    """The user's tasks move to the trash with them; raises Conflict if they are too many for one step."""
    tasks = [task for _, task in finders.scanned(_fetch(store, claim), Scope(user=user.id), TaskFilter())]
    _require_few(tasks)
    gone = {"deleted_at": moment, "deleted_with": f"user:{user.id}"}
    changes = [Change(task, task.changed(**gone), "deleted") for task in tasks]
    return Cascade(changes, [Count(keys.spread("users"), str(user.id), len(tasks))])


def tasks_come_back(store: Store, claim: Claim, user: User) -> list[Change]:
    """The tasks that went with the user, out of groups that they are no longer in."""
    theirs = [task for task in _trash_of(store, claim, user.id) if task.deleted_with == f"user:{user.id}"]
    _require_few(theirs)
    back: dict[str, Any] = {"deleted_at": None, "deleted_with": None, "updated_at": timestamp()}
    return [
        Change(task, task.changed(**back, group_id=_kept_group(task, user)), "restored") for task in theirs
    ]


def tasks_leave_groups(store: Store, claim: Claim, was: User, now: User) -> Cascade:
    """The tasks in groups that the user leaves: on to the remaining group of lowest id, else to the trash."""
    left = sorted(set(was.group_ids) - set(now.group_ids))
    scope = Scope(pairs=tuple((was.id, group_id) for group_id in left))
    tasks = [task for _, task in finders.scanned(_fetch(store, claim), scope, TaskFilter())] if left else []
    _require_few(tasks)
    each = Counter(task.group_id for task in tasks)
    counts = [Count(keys.spread(f"u{was.id}"), str(group_id), each[group_id]) for group_id in left]
    return Cascade([_moved(task, now.group_ids) for task in tasks], counts)


def admin_places_end(groups: Sequence[Group | None], user_id: int) -> list[Change]:
    """Groups named that user as their admin: they have none now."""
    led = [group for group in groups if group is not None and group.admin_id == user_id]
    return [Change(group, group.changed(admin_id=None, updated_at=timestamp()), "changed") for group in led]


def groups_of(store: Store, claim: Claim, group_ids: Sequence[int]) -> list[Group | None]:
    """The groups of those ids, None for one that does not exist."""
    seen = ask(store, claim, Question([keys.record(GROUP.name, number) for number in group_ids]))
    return [seen.record(GROUP, number) for number in group_ids]


def _moved(task: Task, group_ids: Sequence[int]) -> Change:
    moment = timestamp()
    if group_ids:
        return Change(task, task.changed(group_id=min(group_ids), updated_at=moment), "changed")
    gone = {"deleted_at": moment, "deleted_with": f"member:{task.user_id}:{task.group_id}"}
    return Change(task, task.changed(**gone), "deleted")


def _kept_group(task: Task, user: User) -> int | None:
    return task.group_id if task.group_id in user.group_ids else None


def _require_few(tasks: Sequence[Task]) -> None:
    if len(tasks) > MOST_AT_ONCE:
        raise Conflict(
            f"{len(tasks)} tasks would go along; one step takes {MOST_AT_ONCE}. Delete some of them first."
        )


def _trash_of(store: Store, claim: Claim, user_id: int) -> Iterator[Task]:
    page: Page | None = Page(per_page=PAGE)
    while page is not None:
        blobs = _fetch(store, claim)(finders.trash_page(Scope(user=user_id), page)).blobs
        tasks: list[Task] = [codec.decode(TASK, blob) for blob in blobs]
        yield from tasks[: page.per_page]
        cursor = (
            finders.cursor_after(finders.BY_ID, tasks[page.per_page - 1].id)
            if len(tasks) > page.per_page
            else None
        )
        page = None if cursor is None else Page(per_page=PAGE, cursor=cursor)


def _fetch(store: Store, claim: Claim) -> finders.Fetch:
    def fetch(listing: Sequence[Any]) -> Listing:
        return ask(store, claim, Question(listing=listing)).listing

    return fetch
