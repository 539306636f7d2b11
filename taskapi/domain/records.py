"""The kinds of record, as frozen values. Times are RFC 3339 UTC text with milliseconds, dates ISO text."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Self

OWNER_ID = 1

USER, GROUP_ADMIN, OWNER = "user", "group_admin", "owner"
ROLES = (USER, GROUP_ADMIN, OWNER)

MOST_TAGS = 20
"""That a task may have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """What every kind has. `id` and `version` are 0 until the store has given them.

    `deleted_at` is set while the record lies in the trash, and `deleted_with` names the parent
    (`user:3`) whose deletion took it there.
    """

    id: int = 0
    version: int = 0
    deleted_at: str | None = None
    deleted_with: str | None = None

    def changed(self, **values: Any) -> Self:
        """The same record with other values."""
        return replace(self, **values)

    def differs(self, other: Self) -> bool:
        """Whether the other says anything else, apart from its version and time of change."""
        same = {"version": 0, "updated_at": ""} if hasattr(self, "updated_at") else {"version": 0}
        return replace(self, **same) != replace(other, **same)


@dataclass(frozen=True, slots=True, kw_only=True)
class User(Record):
    """A person. `work_times` maps Monday … Sunday to hours from 0 to 24."""

    full_name: str
    email: str | None = None
    username: str | None = None
    number: str | None = None
    role: str = USER
    requested_role: str | None = None
    group_ids: tuple[int, ...] = ()
    work_times: dict[str, float] = field(default_factory=dict)
    created_at: str
    updated_at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Credential(Record):
    """A user's password hash, under the user's id; never sent, journaled without its value."""

    password_hash: str
    updated_at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Group(Record):
    """A team of users with at most one named admin.

    `member_ids` is set while it lies in the trash: who was in it, and comes back with it.
    """

    name: str
    admin_id: int | None = None
    created_at: str
    updated_at: str
    member_ids: tuple[int, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Task(Record):
    """Something to do. `status` is whether it is done; `priority` 1 is high, 2 medium, 3 low."""

    title: str
    status: bool = False
    priority: int = 2
    deadline: str | None = None
    information: str = ""
    tags: tuple[str, ...] = ()
    user_id: int
    group_id: int | None = None
    estimate_hours: float | None = None
    completed_at: str | None = None
    created_at: str
    updated_at: str

    @property
    def days(self) -> tuple[str, ...]:
        """The UTC dates on which it was made, is due, and was done, as far as there are any."""
        moments = (self.created_at, self.deadline, self.completed_at)
        return tuple(moment[:10] for moment in moments if moment is not None)

    def is_overdue(self, day: str) -> bool:
        """Whether it is not done on that date, and was due before."""
        return not self.status and self.deadline is not None and self.deadline < day


@dataclass(frozen=True, slots=True, kw_only=True)
class File(Record):
    """What is attached to a task: its bytes lie on a shelf, under a name made of `id` and `sha256`.

    `user_id` is who has sent it. It never changes, and is in no trash: it is there, or purged.
    """

    task_id: int
    filename: str
    content_type: str
    size: int
    sha256: str
    user_id: int
    created_at: str
