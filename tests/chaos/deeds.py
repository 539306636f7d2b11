"""What a writer does: to users, groups and tasks of its own, with every cascade that follows."""

from collections.abc import Callable
from typing import Any

from tests.chaos.model import GROUP, NEW_TASK, TASK, USER, Known
from tests.chaos.writer import Impossible, Writer

PASSWORD = "a password of theirs"
TAGS = tuple("abcdef")


class Deeds:
    """All that one writer can do, each as often as its weight says."""

    most_tasks, most_users, most_groups = 300, 12, 5

    def __init__(self, writer: Writer) -> None:
        self.writer, self.world, self.dice = writer, writer.world, writer.dice
        weights = self._weights()
        self._deeds, self._shares = list(weights), list(weights.values())

    def one(self) -> None:
        """Something, by chance. Raises Impossible if it cannot be done now."""
        self.dice.choices(self._deeds, self._shares)[0]()

    def prepare(self) -> None:
        """A group and two users to begin with."""
        self.make_group()
        self.make_user()
        self.make_user()

    def _weights(self) -> dict[Callable[[], None], int]:
        return {
            self.make_task: 26,
            self.change_task: 20,
            self.retag: 6,
            self.finish: 5,
            self.move: 6,
            self.trash_task: 8,
            self.restore_task: 6,
            self.purge_task: 7,
            self.batch: 6,
            self.read_task: 6,
            self.be_refused: 5,
            self.writer.repeat_an_old_one: 4,
            self.make_user: 2,
            self.change_user: 3,
            self.trash_user: 1,
            self.restore_user: 2,
            self.make_group: 1,
            self.rename_group: 2,
            self.trash_group: 1,
            self.restore_group: 2,
            self.join: 3,
            self.leave: 2,
        }

    # Tasks

    def make_task(self) -> None:
        if sum(kind == TASK for kind, _ in self.world.records) >= self.most_tasks:
            raise Impossible
        user = self._user()
        sent = self._task_fields() | {"group_id": self._group_of(user)}
        path, beside = (
            ("/tasks", {"user_id": user.id}) if self._likely(0.5) else (f"/users/{user.id}/tasks", {})
        )
        record = self.writer.ok("POST", path, sent | beside)
        self.writer.made(TASK, record, NEW_TASK | sent | {"user_id": user.id})

    def change_task(self) -> None:
        self._change(self._task(), self._task_fields())

    def retag(self) -> None:
        task = self._task()
        tags = sorted({*task.fields["tags"]} ^ {self.dice.choice(TAGS)})
        self._change(task, {"tags": tags})

    def finish(self) -> None:
        task = self.writer.one_of([task for task in self.world.live(TASK) if not task.fields["status"]])
        record = self.writer.ok("PUT", f"/tasks/{task.id}/done", keep=True)
        self.writer.changed(task, record, status=True)

    def move(self) -> None:
        """To another user, another group, or none."""
        task, user = self._task(), self._user()
        place = {"user_id": user.id, "group_id": self._group_of(user)}
        if place.items() <= task.fields.items():
            raise Impossible
        self._change(task, place)

    def trash_task(self) -> None:
        task = self._task()
        self.writer.ok("DELETE", f"/tasks/{task.id}", keep=True)
        task.went("trash")

    def restore_task(self) -> None:
        task = self.writer.one_of([task for task in self.world.trashed(TASK) if self._owner_lives(task)])
        before = task.version
        record = self.writer.ok("POST", f"/tasks/{task.id}/restore", keep=True)
        self.world.task_comes_back(task, record["version"])
        self.writer.risen_to(task, record, before)

    def purge_task(self) -> None:
        tasks = self.world.trashed(TASK) if self._likely(0.7) else self.world.live(TASK)
        task = self.writer.one_of(tasks)
        self.writer.ok("DELETE", f"/tasks/{task.id}?permanent=true")
        self.world.purge(task)

    def batch(self) -> None:
        tasks = self.dice.sample(live := self.world.live(TASK), min(len(live), self.dice.randint(2, 25)))
        if not tasks:
            raise Impossible
        sent: dict[str, Any] = {"task_ids": [task.id for task in tasks]}
        action = self.dice.choice(("update", "mark_done", "delete"))
        updates = {"title": self.writer.name("batch")} if action == "update" else {}
        answer = self.writer.ok(
            "POST", "/tasks/batch", sent | {"action": action} | ({"updates": updates} if updates else {})
        )
        if (answer["updated"], answer["failed"]) != (len(tasks), 0):
            self.writer.findings.add("wrong", f"a batch of {len(tasks)}: {answer}")
        for task in tasks:
            self._batched(task, action, updates)

    def _batched(self, task: Known, action: str, updates: dict[str, Any]) -> None:
        if action == "delete":
            task.went("trash")
        elif updates or not task.fields["status"]:
            task.became(**(updates or {"status": True}))

    def read_task(self) -> None:
        self.writer.read(self._task())

    def be_refused(self) -> None:
        """What is in the trash, or not at the version that is named, is not changed."""
        if (trashed := self.world.trashed(TASK)) and self._likely(0.5):
            return self.writer.refused(
                404, "PUT", f"/tasks/{self.dice.choice(trashed).id}", {"title": "risen"}
            )
        task = self._task()
        return self.writer.refused(412, "PUT", f"/tasks/{task.id}", {"title": "stale"}, If_Match='"1"')

    # Users

    def make_user(self) -> None:
        if len(self.world.live(USER)) >= self.most_users:
            raise Impossible
        groups = self.dice.sample(found := self._group_ids(), min(len(found), self.dice.randint(0, 2)))
        name = self.writer.name("user")
        sent = {"username": name, "full_name": name, "group_ids": sorted(groups)}
        record = self.writer.ok("POST", "/users", sent | {"password": PASSWORD})
        self.writer.made(USER, record, sent | {"role": "user", "email": None, "number": None})

    def change_user(self) -> None:
        user, sent = self._user(), {"full_name": self.writer.name("renamed"), "number": self.writer.name("n")}
        self.writer.changed(user, self.writer.ok("PUT", f"/users/{user.id}", sent), **sent)

    def trash_user(self) -> None:
        user = self._user()
        self.writer.ok("DELETE", f"/users/{user.id}")
        self.world.user_goes(user)

    def restore_user(self) -> None:
        user = self.writer.one_of(self.world.trashed(USER))
        before = user.version
        record = self.writer.ok("POST", f"/users/{user.id}/restore")
        self.world.user_comes_back(user, record["version"])
        self.writer.risen_to(user, record, before)

    # Groups

    def make_group(self) -> None:
        if len(self.world.live(GROUP)) >= self.most_groups:
            raise Impossible
        sent = {"name": self.writer.name("group")}
        self.writer.made(GROUP, self.writer.ok("POST", "/groups", sent), sent | {"admin_id": None})

    def rename_group(self) -> None:
        group, sent = self.writer.one_of(self.world.live(GROUP)), {"name": self.writer.name("team")}
        self.writer.changed(group, self.writer.ok("PUT", f"/groups/{group.id}", sent), **sent)

    def trash_group(self) -> None:
        self._trash_group(self.writer.one_of(self.world.live(GROUP)))

    def restore_group(self) -> None:
        group = self.writer.one_of(self.world.trashed(GROUP))
        before = group.version
        record = self.writer.ok("POST", f"/groups/{group.id}/restore")
        self.world.group_comes_back(group, record["version"])
        self.writer.risen_to(group, record, before)

    def join(self) -> None:
        user = self._user()
        others = [each for each in self._group_ids() if each not in user.fields["group_ids"]]
        if not others:
            raise Impossible
        group_id = self.dice.choice(others)
        record = self.writer.ok("POST", f"/groups/{group_id}/users", {"user_id": user.id})
        groups = sorted([*user.fields["group_ids"], group_id])
        self.writer.changed(user, record, group_ids=groups)

    def leave(self) -> None:
        user = self.writer.one_of([user for user in self.world.live(USER) if user.fields["group_ids"]])
        self._leave(user, self.dice.choice(user.fields["group_ids"]))

    def _trash_group(self, group: Known) -> None:
        self.writer.ok("DELETE", f"/groups/{group.id}")
        self.world.group_goes(group)

    def _leave(self, user: Known, group_id: int) -> None:
        self.writer.ok("DELETE", f"/groups/{group_id}/users/{user.id}")
        self.world.member_leaves(user, group_id)

    def _change(self, task: Known, sent: dict[str, Any]) -> None:
        method = self.dice.choice(("PUT", "PATCH"))
        self.writer.changed(task, self.writer.ok(method, f"/tasks/{task.id}", sent, keep=True), **sent)

    def _task_fields(self) -> dict[str, Any]:
        day = self.dice.choice((None, f"2030-0{self.dice.randint(1, 9)}-11"))
        tags = sorted(self.dice.sample(TAGS, self.dice.randint(0, 3)))
        own = {
            "title": self.writer.name("task"),
            "priority": self.dice.randint(1, 3),
            "deadline": day,
            "tags": tags,
        }
        return own | {"information": "x" * self.dice.randint(0, 300)}

    def _task(self) -> Known:
        return self.writer.one_of(self.world.live(TASK))

    def _user(self) -> Known:
        return self.writer.one_of(self.world.live(USER))

    def _group_ids(self) -> list[int]:
        return [group.id for group in self.world.live(GROUP)]

    def _group_of(self, user: Known) -> int | None:
        groups = user.fields["group_ids"]
        return self.dice.choice(groups) if groups and self._likely(0.8) else None

    def _owner_lives(self, task: Known) -> bool:
        return self.world.records[USER, task.fields["user_id"]].state == "live"

    def _likely(self, share: float) -> bool:
        return self.dice.random() < share
