"""Statistics: what the counters say of the tasks that a caller may see, whatever their number."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from taskapi.domain import access, clock
from taskapi.domain.callers import Caller, Claim
from taskapi.domain.errors import Moved
from taskapi.domain.filters import Page
from taskapi.services import counting
from taskapi.services.again import ATTEMPTS, decided_again
from taskapi.services.asking import ask_as
from taskapi.services.counting import Groups, Plan, Sum, Tasks
from taskapi.services.results import Shown, computed
from taskapi.store import codec, finders, keys
from taskapi.store.client import Store
from taskapi.store.kinds import GROUP
from taskapi.store.reading import Question, Seen, ask

USERS_AT_ONCE = 5000
IN_NO_GROUP = "0"


@dataclass(frozen=True, slots=True)
class _Subject:
    """What is counted for a caller: a sum of tasks, and the groups whose users are named, None for all."""

    tasks: Callable[[Caller], Sum]
    users: Callable[[Caller], Sequence[int] | None]
    keys: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class _Guess:
    """What one must know to ask for the right counters: what is leaving, who has tasks in which groups."""

    leaving: frozenset[str] = frozenset()
    groups: Groups = field(default_factory=dict)

    def plan(self, caller: Caller, subject: _Subject, today: str) -> Plan:
        own = {caller.id: frozenset({*caller.group_ids, 0})}
        left = counting.without(subject.tasks(caller), counting.leaving(self.leaving))
        return Plan(left, own | dict(self.groups), today)


@decided_again
def read_statistics(store: Store, claim: Claim) -> Shown:
    """How many tasks the caller may see, of which state, tag, user and group."""
    seen, tasks, names = _counted(store, claim, _Subject(_tasks_within, _users_within))
    names.setdefault(seen.caller.id, seen.caller.user.full_name)
    by_group = {group_id: number for group_id, number in tasks.groups.items() if number}
    return computed(
        {
            **_totals(tasks),
            "overdue_tasks": tasks.overdue,
            "priority_counts": tasks.priorities,
            "tag_counts": tasks.tags,
            "user_task_counts": _by_name(tasks, names),
            "group_task_counts": {
                each: by_group[each] for each in sorted(by_group, key=int) if each != IN_NO_GROUP
            },
            "total_users": len(names),
        }
    )


@decided_again
def read_group_statistics(store: Store, claim: Claim, group_id: int) -> Shown:
    """The same of one group, in short; raises Forbidden or NotFound."""
    of_group = _Subject(
        lambda _: counting.scope([group_id]), lambda _: [group_id], [keys.record(GROUP.name, group_id)]
    )
    seen, tasks, names = _counted(store, claim, of_group)
    group = access.require_group(seen.caller, group_id, seen.record(GROUP, group_id))
    return computed(
        {
            "group": {"id": group.id, "name": group.name},
            "users_count": len(names),
            **_totals(tasks),
            "user_task_counts": _by_name(tasks, names),
        }
    )


def _tasks_within(caller: Caller) -> Sum:
    """The same tasks as in the caller's lists."""
    scope = access.scope_of(caller)
    return counting.EVERYTHING if scope.everything else counting.scope(scope.groups, scope.user)


def _users_within(caller: Caller) -> Sequence[int] | None:
    if caller.is_owner:
        return None
    return caller.group_ids if caller.is_group_admin else ()


def _counted(store: Store, claim: Claim, subject: _Subject) -> tuple[Seen, Tasks, dict[int, str]]:
    """The numbers, and the names of the users, from one moment.

    Asked once, by a guess of what is leaving; again if more has turned out to be.
    """
    today, guess = clock.today(), _Guess()
    for _ in range(ATTEMPTS):
        seen = ask_as(store, claim, _question(guess, subject, today))
        plan = guess.plan(seen.caller, subject, today)
        groups = plan.groups_in(seen.hashes)
        if seen.leaving == guess.leaving and _covers(plan.groups, groups):
            names = dict(_named(store, seen, subject.users(seen.caller)))
            return seen, plan.counted(seen.hashes, seen.sizes), names
        guess = _Guess(seen.leaving, groups)
    raise Moved("What is leaving has changed.")


def _question(guess: _Guess, subject: _Subject, today: str) -> Callable[[Caller], Question]:
    def question(caller: Caller) -> Question:
        plan = guess.plan(caller, subject, today)
        users = finders.user_page(subject.users(caller), Page(USERS_AT_ONCE))
        return Question(subject.keys, hashes=plan.hashes, sizes=plan.spans, listing=users)

    return question


def _covers(known: Groups, found: Groups) -> bool:
    return all(groups <= known.get(user_id, frozenset()) for user_id, groups in found.items())


def _named(store: Store, seen: Seen, group_ids: Sequence[int] | None) -> Iterator[tuple[int, str]]:
    """Id and name of each user; the first of them came with the numbers."""
    blobs = seen.listing.blobs
    while blobs:
        for blob in blobs[:USERS_AT_ONCE]:
            yield codec.id_of(blob), orjson.loads(blob)["full_name"]
        if len(blobs) <= USERS_AT_ONCE:
            return
        cursor = finders.cursor_after(finders.BY_ID, codec.id_of(blobs[USERS_AT_ONCE - 1]))
        listing = finders.user_page(group_ids, Page(USERS_AT_ONCE, cursor=cursor))
        blobs = ask(store, seen.claim, Question(listing=listing)).listing.blobs


def _totals(tasks: Tasks) -> dict[str, Any]:
    return {
        "total_tasks": tasks.total,
        "completed_tasks": tasks.completed,
        "pending_tasks": tasks.total - tasks.completed,
        "completion_rate": round(100 * tasks.completed / tasks.total, 2) if tasks.total else 0.0,
    }


def _by_name(tasks: Tasks, names: Mapping[int, str]) -> dict[str, int]:
    """How many tasks each of these users has; none is left out."""
    return {label: tasks.users[str(user_id)] for user_id, label in labels(names).items()}


def labels(names: Mapping[int, str]) -> dict[int, str]:
    """A name for each user that is theirs alone: `Ann`, or of two of one name `Ann (#3)` and `Ann (#7)`."""
    given = dict(names)
    while shared := {label for label, number in Counter(given.values()).items() if number > 1}:
        plain = [each for each, label in given.items() if label in shared and label == names[each]]
        given |= {each: f"{names[each]} (#{each})" for each in plain}
    return given
