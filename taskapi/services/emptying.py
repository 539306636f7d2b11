"""The trash is emptied of what has lain there for long enough, some records at a time. Killed, it goes on."""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field

from taskapi.domain import cascades as rules
from taskapi.domain import failpoints
from taskapi.domain.callers import Claim
from taskapi.domain.errors import Conflict, Moved
from taskapi.domain.progress import Progress, unseen
from taskapi.domain.records import Credential, Group, Task, User
from taskapi.domain.trash import Term
from taskapi.services.purging import PURGED, Purge, purge_of
from taskapi.services.sweeping import AT_ONCE, PAUSE_SECONDS
from taskapi.store import keys, leaving, trash
from taskapi.store.client import Store
from taskapi.store.kinds import CREDENTIAL, GROUP, TASK, USER
from taskapi.store.plans import Change
from taskapi.store.reading import Question, Seen, ask
from taskapi.store.records import LINES as SAVING
from taskapi.store.records import Count, save

PAGE = 500
ATTEMPTS = 3
SYSTEM = Claim(0)

LINES = ("emptying.listed", *SAVING, "emptying.purged")
"""Every line at which a test lets it die."""


def empty_trash(
    store: Store,
    term: Term,
    *,
    seconds: float = math.inf,
    dry_run: bool = False,
    progress: Progress = unseen,
) -> Counter[str]:
    """Purges what is due, within so many seconds; returns how many records of each kind.

    A task goes with its files, a user with their password and with all of their tasks in the trash, which
    nobody could bring back without them. What went with a user or a group goes after them and never before,
    so that they come back with all of it or not at all. What somebody takes out of the trash at the same
    moment, or a sweep is at, stays. `dry_run` only counts.
    """
    work = _Work(store, term, time.monotonic() + seconds, dry_run, progress, trash.count(store, term.before))
    for name in work.parents():
        work.attempt(name)
    work.empty_of_tasks()
    return work.purged


@dataclass(slots=True)
class _Work:
    """One run over the trash. `users` are those who went in it."""

    store: Store
    term: Term
    until: float
    dry_run: bool
    progress: Progress
    total: int
    purged: Counter[str] = field(default_factory=Counter)
    users: set[int] = field(default_factory=set)

    def parents(self) -> Iterator[str]:
        """The users and groups that are due, listed before any of them goes."""
        found, offset = [], 0
        while names := trash.names(self.store, self.term.before, offset, PAGE):
            found += [name for name in names if not name.startswith(f"{TASK.name}:")]
            offset += len(names)
        return (name for name in found if not self._is_late())

    def attempt(self, name: str) -> None:
        """Purges that user or group, unless others are at it all the while: the next run tries again."""
        kind, _, number = name.partition(":")
        purge = self._purge_user if kind == USER.name else self._purge_group
        for _ in range(ATTEMPTS):
            try:
                return purge(int(number))
            except Moved:
                continue
            except Conflict:
                return None
        return None

    def empty_of_tasks(self) -> None:
        """Purges the tasks that are due."""
        offset, attempts = 0, 0
        while not self._is_late() and (names := trash.names(self.store, self.term.before, offset, AT_ONCE)):
            failpoints.reach("emptying.listed")
            try:
                offset += len(names) - self._purge_tasks(names)
                attempts = 0
            except (Moved, Conflict):
                attempts += 1
                if attempts == ATTEMPTS:
                    offset, attempts = offset + len(names), 0
            time.sleep(PAUSE_SECONDS)

    def _purge_user(self, user_id: int) -> None:
        seen = self._ask([keys.trashed(USER.name, user_id), keys.record(CREDENTIAL.name, user_id)])
        user: User | None = seen.trashed(USER, user_id)
        if user is None or not self.term.is_over(user):
            return
        rules.require_at_rest(seen.leaving, [user_id], user.group_ids)
        credential: Credential | None = seen.record(CREDENTIAL, user_id)
        also = [] if credential is None else [Change(credential, None, PURGED)]
        part = self._part_of(user_id, 0)
        theirs = purge_of(self.store, SYSTEM, part)
        counts = [Count(keys.spread("users"), str(user_id), 0), *theirs.counts]
        gone = [Change(user, None, PURGED), *also, *theirs.changes]
        self._save(Purge(gone, counts), {rules.user_goes(user_id)})
        self.users.add(user_id)
        while part and not self._is_late() and (part := self._part_of(user_id, part[-1].id)):
            self._save(purge_of(self.store, SYSTEM, part))

    def _part_of(self, user_id: int, after: int) -> Sequence[Task]:
        """The next of the user's tasks in the trash; none at the end."""
        failpoints.reach("emptying.listed")
        name = rules.user_goes(user_id)
        return next(
            self._parts(leaving.tasks_of(self.store, name, trash=True, after=after, count=AT_ONCE)), []
        )

    def _parts(self, tasks: Sequence[Task]) -> Iterator[list[Task]]:
        """The tasks in parts that a save is soon done with, each task with all of its files."""
        sizes = ask(self.store, SYSTEM, Question(sizes=[keys.files(task.id) for task in tasks])).sizes
        part: list[Task] = []
        room = AT_ONCE
        for task, files in zip(tasks, sizes, strict=True):
            if part and files >= room:
                yield part
                part, room = [], AT_ONCE
            part.append(task)
            room -= 1 + files
        if part:
            yield part

    def _purge_group(self, group_id: int) -> None:
        """Its tasks are due on their own once it has gone."""
        seen = self._ask([keys.trashed(GROUP.name, group_id)])
        group: Group | None = seen.trashed(GROUP, group_id)
        if group is not None and self.term.is_over(group):
            rules.require_at_rest(seen.leaving, (), [group_id])
            self._save(Purge([Change(group, None, PURGED)], []), {rules.group_goes(group_id)})

    def _purge_tasks(self, names: Sequence[str]) -> int:
        """Purges those of them that are tasks, and due; returns how many are not there any more."""
        ids = [int(name.partition(":")[2]) for name in names if name.startswith(f"{TASK.name}:")]
        seen = self._ask([keys.trashed(TASK.name, number) for number in ids])
        found: list[Task | None] = [seen.trashed(TASK, number) for number in ids]
        due = [task for task in found if task and self._is_due(task, seen.leaving)]
        waiting = self._waiting(due)
        going = [task for task in due if task.deleted_with not in waiting]
        for part in self._parts(going):
            at_rest = {name for task in part for name in rules.names_over(task)}
            self._save(purge_of(self.store, SYSTEM, part), at_rest)
        return 0 if self.dry_run else len(going)

    def _is_due(self, task: Task, names: frozenset[str]) -> bool:
        return self.term.is_over(task) and not rules.is_left(names, task) and task.user_id not in self.users

    def _waiting(self, tasks: Collection[Task]) -> set[str]:
        """Users and groups, by name, that these tasks went with and that still lie in the trash."""
        names = sorted({task.deleted_with for task in tasks if task.deleted_with})
        seen = self._ask([keys.TRASH + name for name in names])
        return {name for name in names if seen.found[keys.TRASH + name] is not None}

    def _ask(self, wanted: Sequence[str]) -> Seen:
        return ask(self.store, SYSTEM, Question(wanted))

    def _save(self, purge: Purge, at_rest: Collection[str] = ()) -> None:
        if not self.dry_run:
            save(self.store, SYSTEM, purge.changes, counts=purge.counts, not_leaving=sorted(at_rest))
            failpoints.reach("emptying.purged")
            time.sleep(PAUSE_SECONDS)
        self.purged.update(change.kind.plural for change in purge.changes if change.kind is not CREDENTIAL)
        self.progress(min(1.0, self.purged.total() / max(1, self.total)))

    def _is_late(self) -> bool:
        return time.monotonic() > self.until
