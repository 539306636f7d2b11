"""What must be there: every record as the acknowledged writes of its one writer have left it."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

TASK, USER, GROUP = "task", "user", "group"
LIVE, TRASH, PURGED = "live", "trash", "purged"
Name = tuple[str, int]
NEW_TASK = {
    "status": False,
    "priority": 2,
    "deadline": None,
    "information": "",
    "tags": [],
    "estimate_hours": None,
}
"""What a task has of which nothing was said."""


@dataclass(slots=True)
class Known:
    """One record. `version` is the highest that was seen, `is_exact` whether the last change has it;
    `entries` is how many changes the journal must tell of."""

    kind: str
    id: int
    fields: dict[str, Any]
    version: int
    is_exact: bool = True
    state: str = LIVE
    gone_with: str | None = None
    members: tuple[int, ...] = ()
    entries: int = 1

    @property
    def name(self) -> str:
        return f"{self.kind} {self.id}"

    def became(self, version: int | None = None, **fields: Any) -> None:
        """It was changed so; the version is known if the answer told it."""
        self.fields |= fields
        self.entries += 1
        self.is_exact = version is not None
        self.version = version or self.version

    def went(self, state: str, gone_with: str | None = None) -> None:
        """It was deleted, alone or with something, or purged."""
        self.became()
        self.state, self.gone_with = state, gone_with

    def came_back(self, version: int | None = None, **fields: Any) -> None:
        """It was taken back."""
        self.became(version, **fields)
        self.state, self.gone_with = LIVE, None


@dataclass
class World:
    """The records of one writer, and the versions of which its answers told."""

    records: dict[Name, Known] = field(default_factory=dict)
    purged: dict[Name, Known] = field(default_factory=dict)
    versions: dict[int, Name] = field(default_factory=dict)
    given: list[Name] = field(default_factory=list)

    @property
    def everything(self) -> list[Known]:
        """Every record that there ever was."""
        return [*self.records.values(), *self.purged.values()]

    def made(self, kind: str, record: dict[str, Any], fields: dict[str, Any]) -> Known:
        """A new record that was acknowledged."""
        known = Known(kind, record["id"], fields | {"created_at": record["created_at"]}, record["version"])
        self.records[kind, known.id] = known
        self.given.append((kind, known.id))
        return known

    def live(self, kind: str) -> list[Known]:
        return self._in(kind, LIVE)

    def trashed(self, kind: str) -> list[Known]:
        return self._in(kind, TRASH)

    def purge(self, known: Known) -> None:
        known.went(PURGED)
        self.purged[known.kind, known.id] = self.records.pop((known.kind, known.id))

    def user_goes(self, user: Known) -> None:
        user.went(TRASH)
        for task in self._tasks(LIVE, user_id=user.id):
            task.went(TRASH, f"user:{user.id}")

    def user_comes_back(self, user: Known, version: int) -> None:
        groups = [each for each in user.fields["group_ids"] if self.records[GROUP, each].state == LIVE]
        user.came_back(version, group_ids=groups)
        for task in self._gone_with(f"user:{user.id}"):
            kept = task.fields["group_id"] if task.fields["group_id"] in groups else None
            task.came_back(group_id=kept)

    def group_goes(self, group: Known) -> None:
        members = [user for user in self.live(USER) if group.id in user.fields["group_ids"]]
        group.went(TRASH)
        group.members = tuple(user.id for user in members)
        for user in members:
            user.became(group_ids=[each for each in user.fields["group_ids"] if each != group.id])
        for task in self._tasks(LIVE, group_id=group.id):
            task.went(TRASH, f"group:{group.id}")

    def group_comes_back(self, group: Known, version: int) -> None:
        group.came_back(version)
        back = [user for user in self.live(USER) if user.id in group.members]
        for user in back:
            user.became(group_ids=sorted({*user.fields["group_ids"], group.id}))
        for task in self._gone_with(f"group:{group.id}"):
            if task.fields["user_id"] in {user.id for user in back}:
                task.came_back()
            else:
                task.went(TRASH)

    def member_leaves(self, user: Known, group_id: int) -> None:
        kept = [each for each in user.fields["group_ids"] if each != group_id]
        user.became(group_ids=kept)
        for task in self._tasks(LIVE, user_id=user.id, group_id=group_id):
            if kept:
                task.became(group_id=min(kept))
            else:
                task.went(TRASH, f"member:{user.id}:{group_id}")

    def task_comes_back(self, task: Known, version: int) -> None:
        owner = self.records[USER, task.fields["user_id"]]
        kept = task.fields["group_id"] if task.fields["group_id"] in owner.fields["group_ids"] else None
        task.came_back(version, group_id=kept)

    def _in(self, kind: str, state: str) -> list[Known]:
        return [each for each in self.records.values() if each.kind == kind and each.state == state]

    def _tasks(self, state: str, **where: Any) -> list[Known]:
        found: Iterable[Known] = self._in(TASK, state)
        return [task for task in found if all(task.fields[name] == value for name, value in where.items())]

    def _gone_with(self, name: str) -> list[Known]:
        return [task for task in self._in(TASK, TRASH) if task.gone_with == name]
