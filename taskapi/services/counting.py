"""Counting tasks by what the writes have counted: a scope is a sum of parts that have counters."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from taskapi.domain.clock import day_number
from taskapi.store import keys

Part = tuple[int | None, int | None]
"""The tasks of a user (None: of all) in a group (None: in any; 0: in none)."""

Sum = Mapping[Part, int]
"""Parts, and how often each counts: -1 takes away what others have in common."""

Groups = Mapping[int, frozenset[int]]
"""In which groups a user has tasks."""

EVERYTHING: Sum = {(None, None): 1}


@dataclass(frozen=True, slots=True)
class Tasks:
    """How many tasks, by "<status>:<priority>" and "#<tag>"; by user id and group id; and overdue."""

    kinds: Counter[str]
    users: Counter[str]
    groups: Counter[str]
    overdue: int

    @property
    def total(self) -> int:
        """All of them."""
        return _total(self.kinds)

    @property
    def completed(self) -> int:
        """Those that are done."""
        return sum(number for kind, number in self.kinds.items() if kind.startswith("1:"))

    @property
    def priorities(self) -> dict[str, int]:
        """How many of each priority."""
        return {each: self.kinds[f"0:{each}"] + self.kinds[f"1:{each}"] for each in ("1", "2", "3")}

    @property
    def tags(self) -> dict[str, int]:
        """How many with each tag that is there, in the order of the tags."""
        return {kind[1:]: number for kind, number in sorted(self.kinds.items()) if kind[0] == "#" and number}


@dataclass(frozen=True, slots=True)
class Plan:
    """Which counters tell how many tasks are in the sum; overdue are those with a deadline before `today`.

    A user's open tasks lie in lists by group: `groups` says in which, as far as that is known.
    """

    sum: Sum
    groups: Groups
    today: str

    @property
    def hashes(self) -> list[str]:
        """The hashes to be asked for."""
        return list(dict.fromkeys(key for part in self.sum for key in _hashes(part)))

    @property
    def spans(self) -> list[tuple[str, str, int]]:
        """The parts of sorted sets to be asked for."""
        last = day_number(self.today) - 1
        return [
            (key, "-inf", last) for key in dict.fromkeys(key for part in self.sum for key in self._due(part))
        ]

    def groups_in(self, hashes: Sequence[Mapping[str, int]]) -> Groups:
        """In which groups the users of the sum have tasks, by the hashes that were brought."""
        found = dict(zip(self.hashes, hashes, strict=True))
        users = [user_id for user_id, group_id in self.sum if user_id is not None and group_id is None]
        return {
            user_id: frozenset(int(group_id) for group_id in found[_spread(user_id)]) for user_id in users
        }

    def counted(self, hashes: Sequence[Mapping[str, int]], sizes: Sequence[int]) -> Tasks:
        """The sum, by the hashes and spans that were brought."""
        found = dict(zip(self.hashes, hashes, strict=True))
        late = {key: size for (key, *_), size in zip(self.spans, sizes, strict=True)}
        totals, overdue = (Counter[str](), Counter[str](), Counter[str]()), 0
        for part, times in self.sum.items():
            for total, told in zip(totals, _told(part, found), strict=True):
                total.update({name: times * number for name, number in told.items()})
            overdue += times * sum(late[key] for key in self._due(part))
        return Tasks(*totals, overdue)

    def _due(self, part: Part) -> list[str]:
        """The lists of open tasks by deadline that make up the part."""
        user_id, group_id = part
        if user_id is None or group_id is not None:
            return [keys.tasks(_scope(part), "due")]
        return [keys.tasks(keys.pair(user_id, each), "due") for each in sorted(self.groups.get(user_id, ()))]


def scope(group_ids: Iterable[int], user_id: int | None = None) -> Sum:
    """All tasks of those groups, and those of that user, each once."""
    parts: Counter[Part] = Counter({(None, group_id): 1 for group_id in group_ids})
    if user_id is not None:
        parts.update({(user_id, group_id): -1 for _, group_id in list(parts)})
        parts[user_id, None] = 1
    return parts


def leaving(names: Iterable[str]) -> Sum:
    """What cascades have taken along and have yet to sweep, each task once."""
    named = [(name.partition(":")[0], [int(number) for number in name.split(":")[1:]]) for name in names]
    users = {numbers[0] for kind, numbers in named if kind == "user"}
    groups = {numbers[0] for kind, numbers in named if kind == "group"}
    members = [(numbers[0], numbers[1]) for kind, numbers in named if kind == "member"]
    parts: dict[Part, int] = {(user_id, None): 1 for user_id in users}
    parts |= {(None, group_id): 1 for group_id in groups}
    parts |= {(user_id, group_id): -1 for user_id in users for group_id in groups}
    return parts | {pair: 1 for pair in members if pair[0] not in users and pair[1] not in groups}


def without(whole: Sum, gone: Sum) -> Sum:
    """The sum less what has gone of it."""
    left = Counter(dict(whole))
    for part, times in whole.items():
        for other, other_times in gone.items():
            common = _common(part, other)
            if common is not None:
                left[common] -= times * other_times
    return {part: times for part, times in left.items() if times}


def _common(part: Part, other: Part) -> Part | None:
    """What both have in common, if they can have anything."""
    if any(None not in pair and pair[0] != pair[1] for pair in zip(part, other, strict=True)):
        return None
    return (part[0] if other[0] is None else other[0], part[1] if other[1] is None else other[1])


def _scope(part: Part) -> str:
    user_id, group_id = part
    if user_id is None:
        return "all" if group_id is None else f"g{group_id}"
    return f"u{user_id}" if group_id is None else keys.pair(user_id, group_id)


def _hashes(part: Part) -> list[str]:
    spreads = [key for key in (_by_user(part), _by_group(part)) if key]
    return [keys.counts(_scope(part)), *spreads]


def _by_user(part: Part) -> str | None:
    """Which hash says of whom its tasks are; none for the tasks of one user."""
    user_id, group_id = part
    if user_id is not None:
        return None
    return keys.spread("users" if group_id is None else f"g{group_id}")


def _by_group(part: Part) -> str | None:
    """Which hash says in what groups its tasks are; none for the tasks of one group."""
    user_id, group_id = part
    if group_id is not None:
        return None
    return keys.spread("groups") if user_id is None else _spread(user_id)


def _spread(user_id: int) -> str:
    return keys.spread(f"u{user_id}")


def _told(part: Part, found: Mapping[str, Mapping[str, int]]) -> tuple[Mapping[str, int], ...]:
    """What the counters say of the part: by kind, by user, by group."""
    kinds = found[keys.counts(_scope(part))]
    by_user, by_group = _by_user(part), _by_group(part)
    users = {str(part[0]): _total(kinds)} if by_user is None else found[by_user]
    groups = {str(part[1]): _total(kinds)} if by_group is None else found[by_group]
    return kinds, users, groups


def _total(kinds: Mapping[str, int]) -> int:
    return sum(number for kind, number in kinds.items() if not kind.startswith("#"))
