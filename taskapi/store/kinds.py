"""What each kind of record is: one line declares it; codec, indexes, flush and restore follow from it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from taskapi.domain.clock import day_number
from taskapi.domain.records import Credential, File, Group, Record, Task, User
from taskapi.store import keys

Entry = tuple[str, int | None]
"""A sorted set and the score in it; None stands for the record's own id."""

Count = tuple[str, str]
"""A hash and the field of it that counts this record."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of record.

    `unique` fields are claimed ignoring case. `entries` and `counts` say in which lists a live
    record stands and which counters count it; `trash_entries` and `trash_counts`, while it is in
    the trash. `stamps` names the scopes of which something is remembered, see store/stamps.py.
    `parents` names the records that must be alive for it to be written so (before, after);
    one that `stays_in_trash` is there too while they lie in the trash. The values of `secret` fields
    never reach the journal. `lease` is how many ids are reserved in PostgreSQL at a time,
    0 for a kind that shares the ids of another.
    """

    name: str
    record: type[Record]
    unique: tuple[str, ...] = ()
    entries: Callable[[Any], list[Entry]] = lambda record: []
    counts: Callable[[Any], list[Count]] = lambda record: []
    trash_entries: Callable[[Any], list[Entry]] = lambda record: []
    trash_counts: Callable[[Any], list[Count]] = lambda record: []
    stamps: Callable[[Any], list[str]] = lambda record: []
    parents: Callable[[Any, Any], list[str]] = lambda was, now: []
    stays_in_trash: bool = False
    secret: tuple[str, ...] = ()
    lease: int = 1000

    @property
    def plural(self) -> str:
        """The name of many."""
        return f"{self.name}s"

    def entries_of(self, record: Record | None) -> list[Entry]:
        """The lists in which the record stands, live or trashed; none for no record."""
        if record is None:
            return []
        return self.entries(record) if record.deleted_at is None else self.trash_entries(record)

    def counts_of(self, record: Record | None) -> list[Count]:
        """The counters that count the record."""
        if record is None:
            return []
        return self.counts(record) if record.deleted_at is None else self.trash_counts(record)

    def stamps_of(self, was: Record | None, now: Record | None) -> list[str]:
        """The scopes that see the record before or after."""
        seen = [scope for record in (was, now) if record is not None for scope in self.stamps(record)]
        return list(dict.fromkeys(seen))

    def parents_of(self, was: Record | None, now: Record | None) -> list[str]:
        """The keys of the records that must be alive; none for what goes away."""
        return [] if now is None or now.deleted_at is not None else self.parents(was, now)


def _user_entries(user: User) -> list[Entry]:
    return [(keys.USERS, None), *((keys.members(group_id), None) for group_id in user.group_ids)]


def _user_parents(was: User | None, now: User) -> list[str]:
    joined = set(now.group_ids) - set(was.group_ids if was and was.deleted_at is None else ())
    return [keys.record("group", group_id) for group_id in sorted(joined)]


def _group_entries(_: Group) -> list[Entry]:
    return [(keys.GROUPS, None)]


def _task_parents(_: Task | None, now: Task) -> list[str]:
    group = [] if now.group_id is None else [keys.record("group", now.group_id)]
    return [keys.record("user", now.user_id), *group]


def _task_entries(task: Task) -> list[Entry]:
    suffixes: list[Entry] = [(f"{int(task.status)}:{task.priority}", None)]
    suffixes += [(f"#{tag}", None) for tag in task.tags]
    if task.deadline and not task.status:
        suffixes.append(("due", day_number(task.deadline)))
    return [(keys.tasks(scope, suffix), score) for scope in _scopes(task) for suffix, score in suffixes]


def _scopes(task: Task) -> list[str]:
    """The sets of tasks that have lists of their own: all, one group's, one user's in one group."""
    group = [] if task.group_id is None else [f"g{task.group_id}"]
    return ["all", keys.pair(task.user_id, task.group_id), *group]


def _task_counts(task: Task) -> list[Count]:
    user, group = f"u{task.user_id}", f"g{task.group_id or 0}"
    fields = [f"{int(task.status)}:{task.priority}", *(f"#{tag}" for tag in task.tags)]
    counted = [
        (keys.counts(scope), field) for scope in (f"{user}:{group}", user, group, "all") for field in fields
    ]
    return counted + _task_spread(task, trash=False)


def _task_spread(task: Task, *, trash: bool) -> list[Count]:
    user, group = str(task.user_id), str(task.group_id or 0)
    where = [(f"u{user}", group), (f"g{group}", user), ("users", user), ("groups", group)]
    return [(keys.spread(scope, trash=trash), field) for scope, field in where[: 2 if trash else 4]]


def _task_stamps(task: Task) -> list[str]:
    group = [] if task.group_id is None else [f"g{task.group_id}"]
    return ["all", f"u{task.user_id}", *group]


def _task_trash_entries(task: Task) -> list[Entry]:
    return [(keys.tasks(scope, "trash"), None) for scope in _scopes(task)]


def _file_entries(file: File) -> list[Entry]:
    return [(keys.files(file.task_id), None)]


def _file_parents(_: File | None, now: File) -> list[str]:
    return [keys.record("task", now.task_id)]


USER = Kind("user", User, unique=("username", "email"), entries=_user_entries, parents=_user_parents)
CREDENTIAL = Kind("credential", Credential, secret=("password_hash",), lease=0)
GROUP = Kind("group", Group, unique=("name",), entries=_group_entries)
TASK = Kind(
    "task",
    Task,
    entries=_task_entries,
    counts=_task_counts,
    parents=_task_parents,
    trash_entries=_task_trash_entries,
    trash_counts=lambda task: _task_spread(task, trash=True),
    stamps=_task_stamps,
    lease=1_000_000,
)
FILE = Kind("file", File, entries=_file_entries, parents=_file_parents, stays_in_trash=True, lease=100_000)

KINDS: dict[str, Kind] = {kind.name: kind for kind in (USER, CREDENTIAL, GROUP, TASK, FILE)}
_BY_TYPE: dict[type[Record], Kind] = {kind.record: kind for kind in KINDS.values()}


def kind_of(record: Record) -> Kind:
    """The kind of a record."""
    return _BY_TYPE[type(record)]
