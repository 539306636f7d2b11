"""How lists of tasks are filtered and sorted."""

from __future__ import annotations

import unicodedata
from typing import Any

from marshmallow import ValidationError

from taskapi.api.schemas.fields import Day
from taskapi.api.schemas.query import (
    Choice,
    Choices,
    Flag,
    PageQuery,
    Parameter,
    Query,
    WholeParameter,
    Words,
    page_of,
)
from taskapi.api.schemas.said import meaning, such_as
from taskapi.api.schemas.tasks import PRIORITIES, TaskChanges
from taskapi.domain import words
from taskapi.domain.clock import today
from taskapi.domain.filters import SORTABLE, Order, TaskFilter, TaskSearch

_DATES = ("deadline_from", "deadline_to", "created_from", "created_to")
MOST_TAGS = 20
_SORTED = {name: name for name in SORTABLE} | TaskChanges.aliases
"""What may be sorted by, under each name that it has where tasks are sent."""


class DayParameter(Parameter):
    """A date, `YYYY-MM-DD`."""

    _day = Day()

    def read(self, text: str) -> str:
        """The date."""
        return self._day.deserialize(text)


class Tag(Parameter):
    """A tag; repeated, a task must have all of them."""

    repeatable = True

    def read(self, text: Any) -> tuple[str, ...]:
        """The tags, in NFC as they are kept."""
        tags = tuple(unicodedata.normalize("NFC", each) for each in text)
        if len(set(tags)) != len(tags) or not all(tags) or len(tags) > MOST_TAGS:
            raise ValidationError(f"Must be different tags, {MOST_TAGS} at most, and none empty.")
        return tags


class Sort(Choice):
    """A field to sort by."""

    def read(self, text: str) -> Any:
        """What the word stands for."""
        if text.removeprefix("-") == "tags":
            raise ValidationError("A task has several tags, which have no order: filter with tag instead.")
        return super().read(text)


@such_as(
    priority=["1", "2"],
    tag=["paper"],
    search="report",
    group_id=1,
    user_id=2,
    deadline_from="2030-01-01",
    deadline_to="2030-12-31",
    created_from="2024-01-01",
    created_to="2030-12-31",
    sort="-deadline",
    sort_by="deadline",
    order="desc",
)
class TaskListQuery(PageQuery):
    """What may be asked of a list of tasks; all conditions combine."""

    status = Choice(
        {"completed": True, "pending": False, "all": None},
        metadata=meaning("Which tasks: those that are done, those that are not, or all (the default)."),
    )
    completed = Flag(metadata=meaning("true: only tasks that are done; false: only those that are not."))
    priority = Choices(
        {"1": 1, "2": 2, "3": 3} | PRIORITIES,
        metadata=meaning("Only tasks of these priorities, parted by commas: 1 high, 2 medium, 3 low."),
    )
    tag = Tag(metadata=meaning(f"A tag that tasks must have; given again, all of them, {MOST_TAGS} at most."))
    overdue = Flag(
        metadata=meaning(
            "true: only tasks whose deadline (UTC) is past and that are not done; false: only the others."
        )
    )
    search = Words()
    group_id = WholeParameter(metadata=meaning("Only tasks of the group with this id."))
    user_id = WholeParameter(metadata=meaning("Only tasks of the user with this id."))
    deadline_from = DayParameter(metadata=meaning("Only tasks due on this date (YYYY-MM-DD) or later."))
    deadline_to = DayParameter(metadata=meaning("Only tasks due on this date (YYYY-MM-DD) or earlier."))
    created_from = DayParameter(metadata=meaning("Only tasks made on this date (UTC, YYYY-MM-DD) or later."))
    created_to = DayParameter(metadata=meaning("Only tasks made on this date (UTC, YYYY-MM-DD) or earlier."))
    scope = Choice(
        {"mine": True, "all": False},
        metadata=meaning("mine: the caller's own tasks; all (the default): all that the caller may see."),
    )
    sort = Sort(
        {sign + word: (name, bool(sign)) for word, name in _SORTED.items() for sign in ("", "-")},
        metadata=meaning("The field to sort by, with `-` before it from the largest down. By default `id`."),
    )
    sort_by = Sort(
        _SORTED, metadata=meaning("The field to sort by, in the direction of `order`. By default `id`.")
    )
    order = Choice(
        {"asc": False, "desc": True},
        metadata=meaning("The direction of `sort_by`: asc (the default), from the smallest up, or desc."),
    )

    def wanted(self, values: dict[str, Any]) -> TaskSearch:
        """The search."""
        return TaskSearch(
            filter=_filter(values),
            order=_order(values),
            page=page_of(values),
            group_id=values.get("group_id"),
            user_id=values.get("user_id"),
            mine=values.get("scope", False),
        )


class UserTaskListQuery(TaskListQuery):
    """The same where the path names the user."""

    class Meta:
        exclude = ("user_id", "scope")


class RemovalQuery(Query):
    """Whether a task goes to the trash or for good."""

    has_wanted = True

    permanent = Flag(metadata=meaning("true: remove it for good, past the trash."))

    def wanted(self, values: dict[str, Any]) -> bool:
        """Whether it goes for good."""
        return bool(values.get("permanent", False))


def _filter(values: dict[str, Any]) -> TaskFilter:
    return TaskFilter(
        status=_status(values),
        priorities=values.get("priority", ()),
        tags=values.get("tag", ()),
        words=words.asked(values["search"], "search") if "search" in values else (),
        **_overdue(values),
        **{name: values[name] for name in _DATES if name in values},
    )


def _overdue(values: dict[str, Any]) -> dict[str, str]:
    return {"overdue_on" if values["overdue"] else "not_overdue_on": today()} if "overdue" in values else {}


def _status(values: dict[str, Any]) -> bool | None:
    status, completed = values.get("status"), values.get("completed")
    if None not in (status, completed) and status != completed:
        raise ValidationError({"completed": ["Contradicts status."]})
    return completed if status is None else status


def _order(values: dict[str, Any]) -> Order:
    if "sort" in values:
        if "sort_by" in values or "order" in values:
            raise ValidationError({"sort": ["Give sort, or sort_by and order, not both."]})
        return Order(*values["sort"])
    return Order(values.get("sort_by", "id"), values.get("order", False))
