"""What the services promise, in plain Python: dictionaries, and the rules written once more."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from taskapi.domain.errors import Forbidden, Invalid, NotFound

OWNER, GROUP_ADMIN, USER = "owner", "group_admin", "user"

Fields = dict[str, Any]
Answer = type[Exception] | None
"""How a call is refused; None: it is not."""


@dataclass
class Person:
    """A user."""

    name: str
    role: str
    groups: set[int] = field(default_factory=set)


@dataclass
class Team:
    """A group; `members` are those whom it had when it was deleted."""

    name: str
    admin: int | None = None
    members: set[int] = field(default_factory=set)


@dataclass
class Model:
    """All that there is. A large cascade is under way while its name is in `leaving`."""

    most_at_once: int
    users: dict[int, Person] = field(default_factory=dict)
    gone_users: dict[int, Person] = field(default_factory=dict)
    groups: dict[int, Team] = field(default_factory=dict)
    gone_groups: dict[int, Team] = field(default_factory=dict)
    live: dict[int, Fields] = field(default_factory=dict)
    trash: dict[int, Fields] = field(default_factory=dict)
    leaving: dict[str, str] = field(default_factory=dict)

    # Who may what

    def is_alive(self, who: int) -> bool:
        """Whether they can call at all."""
        return who in self.users

    def sees(self, who: int, task: Fields) -> bool:
        """Whether a task is within their reach."""
        caller = self.users[who]
        leads = caller.role == GROUP_ADMIN and task["group_id"] in caller.groups
        return caller.role == OWNER or task["user_id"] == who or leads

    def reaches(self, who: int, user_id: int) -> bool:
        """Whether they may deal with that user's tasks."""
        caller = self.users[who]
        if caller.role == OWNER or who == user_id:
            return True
        shares = user_id in self.users and caller.groups & self.users[user_id].groups
        return caller.role == GROUP_ADMIN and bool(shares)

    def in_group(self, who: int, group_id: int) -> Answer:
        """Whether they may look into a group."""
        if self.users[who].role != OWNER and group_id not in self.users[who].groups:
            return Forbidden
        return None if group_id in self.groups else NotFound

    def is_hidden(self, task: Fields) -> bool:
        """Whether a cascade has taken it along and has yet to sweep it."""
        user_id, group_id = task["user_id"], task["group_id"]
        return bool(
            {f"user:{user_id}", f"group:{group_id}", f"member:{user_id}:{group_id}"} & self.leaving.keys()
        )

    def visible(self, who: int) -> list[Fields]:
        """Their tasks, by id."""
        return [
            task for _, task in sorted(self.live.items()) if self.sees(who, task) and not self.is_hidden(task)
        ]

    def found(self, who: int, task_id: int, tasks: dict[int, Fields]) -> Fields | None:
        """That task of the live ones or of the trash, if it exists for them."""
        task = tasks.get(task_id)
        is_there = task and self.sees(who, task) and not (tasks is self.live and self.is_hidden(task))
        return task if is_there else None

    # What becomes of a task

    def placed(self, who: int, user_id: int, fields: Fields) -> tuple[Answer, int | None]:
        """Whether they may create that task for a user, and in which group it then lies."""
        if not self.reaches(who, user_id):
            return Forbidden, None
        if user_id not in self.users:
            return NotFound, None
        caller, theirs = self.users[who], self.users[user_id].groups
        choice = theirs if caller.role == OWNER or who == user_id else theirs & caller.groups
        group_id = fields.get("group_id", min(choice) if len(choice) == 1 else None)
        task = {"user_id": user_id, "group_id": group_id}
        fits = self.sees(who, task) and (group_id is None or group_id in theirs)
        return (None if fits else Invalid), group_id

    def changed(self, who: int, task_id: int, changes: Fields) -> tuple[Answer, Fields]:
        """Whether they may change a task so, and what it is then."""
        was = self.found(who, task_id, self.live)
        if was is None:
            return NotFound, {}
        now = was | {
            name: list(value) if isinstance(value, tuple) else value for name, value in changes.items()
        }
        moved = [name for name in ("user_id", "group_id") if now[name] != was[name]]
        return (self._moved(who, now, moved) if moved else None), now

    def _moved(self, who: int, now: Fields, moved: list[str]) -> Answer:
        user_id, group_id, is_owner = now["user_id"], now["group_id"], self.users[who].role == OWNER
        if user_id not in self.users and is_owner:
            return Invalid
        if not self.reaches(who, user_id):
            return Forbidden
        fits = self.sees(who, now) and (group_id is None or group_id in self.users[user_id].groups)
        is_lost = "user_id" in moved and group_id is None and not is_owner
        return Invalid if is_lost or not fits else None

    def restored(self, who: int, task_id: int) -> tuple[Answer, Fields]:
        """Whether they may take it back from the trash, and what it is then."""
        was = self.found(who, task_id, self.trash)
        if was is None or was["user_id"] not in self.users:
            return NotFound, {}
        now = self._back(was)
        return (None if self.sees(who, now) else NotFound), now

    def _back(self, task: Fields) -> Fields:
        groups = self.users[task["user_id"]].groups
        kept = task["group_id"] if task["group_id"] in groups else None
        return {name: value for name, value in task.items() if name != "with"} | {"group_id": kept}

    # What happens to what

    def delete_user(self, user_id: int) -> None:
        """Their tasks go, and their place as an admin."""
        self.gone_users[user_id] = self.users.pop(user_id)
        self._end_places(user_id)
        count = sum(task["user_id"] == user_id for task in self.live.values())
        self._cascade({f"user:{user_id}": "gone"}, count)

    def restore_user(self, user_id: int) -> None:
        """They are back in the groups that are there, with the tasks that went with them."""
        user = self.users[user_id] = self.gone_users.pop(user_id)
        user.groups &= self.groups.keys()
        self._cascade(
            {f"user:{user_id}": "back"}, sum(task["user_id"] == user_id for task in self.trash.values())
        )

    def delete_group(self, group_id: int) -> None:
        """It leaves all its users, and its tasks go."""
        group = self.gone_groups[group_id] = self.groups.pop(group_id)
        group.members = {user_id for user_id, user in self.users.items() if group_id in user.groups}
        for user_id in group.members:
            self.users[user_id].groups.discard(group_id)
        count = sum(task["group_id"] == group_id for task in self.live.values())
        self._cascade({f"group:{group_id}": "gone"}, count)

    def restore_group(self, group_id: int) -> None:
        """Its users are in it again, as far as they are there, and have their tasks in it."""
        group = self.groups[group_id] = self.gone_groups.pop(group_id)
        for user_id in group.members & self.users.keys():
            self.users[user_id].groups.add(group_id)
        if group.admin is not None and not self._can_lead(group.admin, group_id):
            group.admin = None
        count = sum(task["group_id"] == group_id for task in self.trash.values())
        self._cascade({f"group:{group_id}": "back"}, count)

    def set_user(self, user_id: int, groups: set[int], role: str) -> None:
        """Other groups or another role: tasks in groups that they leave move on, or go."""
        user = self.users[user_id]
        left, user.groups, user.role = user.groups - groups, set(groups), role
        self._end_places(user_id)
        count = sum(task["user_id"] == user_id and task["group_id"] in left for task in self.live.values())
        self._cascade({f"member:{user_id}:{group_id}": "moved" for group_id in left}, count)

    def sweep(self) -> None:
        """What is under way comes to its end."""
        for name, way in list(self.leaving.items()):
            self._finish(name, way)
        self.leaving.clear()

    def _can_lead(self, user_id: int, group_id: int) -> bool:
        user = self.users.get(user_id)
        return bool(user and user.role in (OWNER, GROUP_ADMIN) and group_id in user.groups)

    def _end_places(self, user_id: int) -> None:
        for group_id, group in self.groups.items():
            if group.admin == user_id and not self._can_lead(user_id, group_id):
                group.admin = None

    def _cascade(self, names: dict[str, str], count: int) -> None:
        self.leaving |= names
        if count <= self.most_at_once:
            for name, way in names.items():
                self._finish(name, way)
                del self.leaving[name]

    def _finish(self, name: str, way: str) -> None:
        if way == "back":
            for task_id, task in [each for each in self.trash.items() if each[1].get("with") == name]:
                self._come_back(name, task_id, task)
            return
        for task_id, task in [each for each in self.live.items() if name in names_of(each[1])]:
            user = self.users.get(task["user_id"])
            if way == "moved" and user and user.groups:
                task["group_id"] = min(user.groups)
            else:
                self.trash[task_id] = self.live.pop(task_id) | {"with": name}

    def _come_back(self, name: str, task_id: int, task: Fields) -> None:
        user = self.users.get(task["user_id"])
        if user and not (name.startswith("group:") and task["group_id"] not in user.groups):
            del self.trash[task_id]
            self.live[task_id] = self._back(task)


def names_of(task: Fields) -> set[str]:
    """The cascades that take the task along."""
    user_id, group_id = task["user_id"], task["group_id"]
    return {f"user:{user_id}", f"group:{group_id}", f"member:{user_id}:{group_id}"}


def arranged(tasks: Iterable[Fields], by: str, *, descending: bool) -> list[Fields]:
    """By one field, ties by id, what has none last."""
    known = [task for task in tasks if task[by] is not None]

    def value(task: Fields) -> Any:
        return task[by].casefold() if isinstance(task[by], str) else task[by]

    return sorted(known, key=value, reverse=descending) + [task for task in tasks if task[by] is None]
