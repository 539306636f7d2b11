"""What goes or comes back with a user, a membership or a group: planned in one step, or left to a sweep."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from taskapi.domain import cascades as rules
from taskapi.domain.callers import Claim
from taskapi.domain.clock import timestamp
from taskapi.domain.filters import Scope, TaskFilter
from taskapi.domain.records import Group, Task, User
from taskapi.store import finders, keys, leaving
from taskapi.store.client import Store
from taskapi.store.kinds import GROUP, USER
from taskapi.store.plans import Change
from taskapi.store.reading import Listing, Question, ask
from taskapi.store.records import Count

MOST_AT_ONCE = 500
PAGE = 200


@dataclass(frozen=True, slots=True)
class Cascade:
    """What follows from a change: more changes, counters that must say that these are all, names to sweep."""

    changes: list[Change] = field(default_factory=list)
    counts: list[Count] = field(default_factory=list)
    leaving: dict[str, str] = field(default_factory=dict)


def user_goes(store: Store, claim: Claim, user: User, held: Mapping[str, int]) -> Cascade:
    """The user's tasks go to the trash; `held` says how many they have, by group."""
    name = rules.user_goes(user.id)
    if sum(held.values()) > MOST_AT_ONCE:
        return Cascade(leaving={name: leaving.account(claim, leaving.GONE)})
    moment, tasks = timestamp(), _live(store, claim, Scope(user=user.id))
    changes = [Change(task, rules.gone(task, moment, name), "deleted") for task in tasks]
    return Cascade(changes, [Count(keys.spread("users"), str(user.id), len(tasks))])


def user_comes_back(store: Store, claim: Claim, user: User, held: Mapping[str, int]) -> Cascade:
    """The tasks that went with the user come back; `held` says how many theirs are in the trash."""
    name = rules.user_goes(user.id)
    if sum(held.values()) > MOST_AT_ONCE:
        return Cascade(leaving={name: leaving.account(claim, leaving.BACK)})
    moment = timestamp()
    theirs = [task for task in _trashed(store, name) if task.deleted_with == name]
    return Cascade([Change(task, rules.back(task, moment, user.group_ids), "restored") for task in theirs])


def member_leaves(store: Store, claim: Claim, was: User, now: User, held: Mapping[str, int]) -> Cascade:
    """The tasks in groups that the user leaves move on, or go; `held` says how many they have, by group."""
    left = sorted(set(was.group_ids) - set(now.group_ids))
    names = {rules.member_goes(was.id, group_id): group_id for group_id in left}
    if sum(held.get(str(group_id), 0) for group_id in left) > MOST_AT_ONCE:
        return Cascade(leaving=dict.fromkeys(names, leaving.account(claim, leaving.MOVED)))
    tasks = _live(store, claim, Scope(pairs=tuple((was.id, group_id) for group_id in left))) if left else []
    moment, each = timestamp(), Counter(task.group_id for task in tasks)
    counts = [Count(keys.spread(f"u{was.id}"), str(group_id), each[group_id]) for group_id in left]
    return Cascade([_moved(task, moment, now.group_ids) for task in tasks], counts)


def group_goes(store: Store, claim: Claim, group: Group, held: Mapping[str, int]) -> Cascade:
    """The group's tasks go to the trash; `held` says how many it has, by user."""
    name = rules.group_goes(group.id)
    if sum(held.values()) > MOST_AT_ONCE:
        return Cascade(leaving={name: leaving.account(claim, leaving.GONE)})
    moment, tasks = timestamp(), _live(store, claim, Scope(groups=(group.id,)))
    changes = [Change(task, rules.gone(task, moment, name), "deleted") for task in tasks]
    return Cascade(changes, [Count(keys.spread("groups"), str(group.id), len(tasks))])


def group_comes_back(
    store: Store, claim: Claim, group: Group, members: Sequence[User], held: Mapping[str, int]
) -> Cascade:
    """The tasks that went with the group come back to those who are its members again; the rest stays."""
    name = rules.group_goes(group.id)
    if sum(held.values()) > MOST_AT_ONCE:
        return Cascade(leaving={name: leaving.account(claim, leaving.BACK)})
    moment, ids = timestamp(), {user.id for user in members}
    went = [task for task in _trashed(store, name) if task.deleted_with == name]
    back = [
        Change(task, rules.back(task, moment, (group.id,)), "restored")
        for task in went
        if task.user_id in ids
    ]
    return Cascade(back + [stays(task) for task in went if task.user_id not in ids])


def stays(task: Task) -> Change:
    """A task that does not come back with its group. While one is said to have gone with a group that is
    there, the group is still coming back."""
    return Change(task, task.changed(deleted_with=None), "changed")


def admin_places_end(groups: Iterable[Group | None], user_id: int) -> list[Change]:
    """Groups named that user as their admin: they have none now."""
    led = [group for group in groups if group is not None and group.admin_id == user_id]
    return [Change(group, group.changed(admin_id=None, updated_at=timestamp()), "changed") for group in led]


def groups_of(store: Store, claim: Claim, group_ids: Sequence[int]) -> list[Group | None]:
    """The groups of those ids, None for one that does not exist."""
    seen = ask(store, claim, Question([keys.record(GROUP.name, number) for number in group_ids]))
    return [seen.record(GROUP, number) for number in group_ids]


def users_of(store: Store, claim: Claim, user_ids: Sequence[int]) -> list[User]:
    """Those users, as far as they exist."""
    found: list[User | None] = []
    for part in _parts(user_ids):
        seen = ask(store, claim, Question([keys.record(USER.name, number) for number in part]))
        found += [seen.record(USER, number) for number in part]
    return [user for user in found if user is not None]


def _moved(task: Task, moment: str, group_ids: Sequence[int]) -> Change:
    now = rules.moved(task, moment, group_ids, rules.member_goes(task.user_id, task.group_id or 0))
    return Change(task, now, "changed" if now.deleted_at is None else "deleted")


def _live(store: Store, claim: Claim, scope: Scope) -> list[Task]:
    def fetch(listing: Sequence[Any]) -> Listing:
        return ask(store, claim, Question(listing=listing)).listing

    return [task for _, task in finders.scanned(fetch, scope, TaskFilter())]


def _trashed(store: Store, name: str) -> Iterator[Task]:
    after = 0
    while tasks := leaving.tasks_of(store, name, trash=True, after=after, count=PAGE):
        yield from tasks
        after = tasks[-1].id


def _parts(numbers: Sequence[int]) -> Iterator[Sequence[int]]:
    return (numbers[start : start + PAGE] for start in range(0, len(numbers), PAGE))
