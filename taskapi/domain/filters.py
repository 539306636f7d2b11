"""Which tasks are meant: a scope, a filter, an order and a page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from taskapi.domain import words
from taskapi.domain.records import Task

SORTABLE = (
    "id", "title", "status", "priority", "deadline", "information", "user_id", "group_id",
    "estimate_hours", "completed_at", "created_at", "updated_at", "version",
)  # fmt: skip


COMPARED_CHARACTERS = 100


@dataclass(frozen=True, slots=True)
class Scope:
    """A set of tasks as a union of (user, group) pairs.

    `everything`, or: every task in `groups`, every task of `user`, and the tasks in `pairs`
    (user id, group id). A task that is in two of them is there once.
    """

    everything: bool = False
    groups: tuple[int, ...] = ()
    user: int | None = None
    pairs: tuple[tuple[int, int], ...] = ()

    def covers(self, task: Task) -> bool:
        """Whether the task is in it."""
        return (
            self.everything
            or task.user_id == self.user
            or task.group_id in self.groups
            or (task.user_id, task.group_id) in self.pairs
        )

    def within_group(self, group_id: int) -> Scope:
        """The part of it that lies in one group."""
        if self.everything or group_id in self.groups:
            return Scope(groups=(group_id,))
        kept = tuple(pair for pair in self.pairs if pair[1] == group_id)
        return Scope(pairs=kept if self.user is None else (*kept, (self.user, group_id)))


@dataclass(frozen=True, slots=True)
class TaskFilter:
    """Conditions that all must hold; an empty one holds for every task. Dates are inclusive.

    `on_day` is the date of a task's making, of its deadline or of its being done.
    `words`, as a query was cut into them, each begin a word of the title or the information.
    """

    status: bool | None = None
    priorities: tuple[int, ...] = ()
    tags: tuple[str, ...] = ()
    overdue_on: str | None = None
    not_overdue_on: str | None = None
    deadline_from: str | None = None
    deadline_to: str | None = None
    created_from: str | None = None
    created_to: str | None = None
    on_day: str | None = None
    words: tuple[str, ...] = ()

    @property
    def is_indexed(self) -> bool:
        """Whether status and priority say it all, for which the store has ready lists."""
        return self == TaskFilter(status=self.status, priorities=self.priorities)

    def matches(self, task: Task) -> bool:
        """Whether all conditions hold."""
        return (
            self.status in (None, task.status)
            and (not self.priorities or task.priority in self.priorities)
            and set(self.tags) <= set(task.tags)
            and self._deadline_matches(task)
            and self._created_matches(task.created_at[:10])
            and self.on_day in (None, *task.days)
            and self._words_match(task)
        )

    def _words_match(self, task: Task) -> bool:
        return not self.words or words.begins_all(self.words, words.of_task(task.title, task.information))

    def _deadline_matches(self, task: Task) -> bool:
        if self.overdue_on and not task.is_overdue(self.overdue_on):
            return False
        if self.not_overdue_on and task.is_overdue(self.not_overdue_on):
            return False
        if task.deadline is None:
            return not (self.deadline_from or self.deadline_to)
        return (self.deadline_from or "") <= task.deadline <= (self.deadline_to or "9999-12-31")

    def _created_matches(self, day: str) -> bool:
        return (self.created_from or "") <= day <= (self.created_to or "9999-12-31")


@dataclass(frozen=True, slots=True)
class Order:
    """By one field; ties by id ascending; tasks without a value come last either way."""

    field: str = "id"
    descending: bool = False

    def arranged(self, tasks: list[Task]) -> list[Task]:
        """The tasks in this order."""
        tasks = sorted(tasks, key=lambda task: task.id)
        filled = [task for task in tasks if self.value(task) is not None]
        empty = [task for task in tasks if self.value(task) is None]
        return sorted(filled, key=self.value, reverse=self.descending) + empty

    def value(self, task: Task) -> Any:
        """What is compared: of text the first hundred characters, without regard to case."""
        found = getattr(task, self.field)
        return found[:COMPARED_CHARACTERS].casefold() if isinstance(found, str) else found

    def is_after(self, task: Task, value: Any, task_id: int) -> bool:
        """Whether the task comes after the one of that value and id."""
        mine = self.value(task)
        if mine is None or value is None:
            return (mine is None, task.id) > (value is None, task_id)
        if mine == value:
            return task.id > task_id
        return bool(mine < value if self.descending else mine > value)


@dataclass(frozen=True, slots=True)
class Page:
    """`per_page` records after `cursor` (text that the page before gave), or page number `page` from 1."""

    per_page: int = 50
    page: int = 1
    cursor: str | None = None

    @property
    def offset(self) -> int:
        """How many records come before, when counted by page number."""
        return 0 if self.cursor is not None else (self.page - 1) * self.per_page


@dataclass(frozen=True, slots=True)
class TaskQuery:
    """Everything that a list of tasks depends on."""

    scope: Scope
    filter: TaskFilter = TaskFilter()
    order: Order = Order()
    page: Page = Page()


@dataclass(frozen=True, slots=True)
class TaskSearch:
    """What a caller asks for: within what they may see, only that group, that user, or what is theirs."""

    filter: TaskFilter = TaskFilter()
    order: Order = Order()
    page: Page = Page()
    group_id: int | None = None
    user_id: int | None = None
    mine: bool = False
