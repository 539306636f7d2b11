"""What the model says of statistics, and who is named in them."""

from __future__ import annotations

from collections import Counter

from taskapi.domain.clock import today
from tests.services.machine_of_teams import WritingMachine
from tests.services.model import GROUP_ADMIN, OWNER, Fields


class CountingMachine(WritingMachine):
    """The numbers, counted one by one."""

    def compare_numbers(self, told: Fields, tasks: list[Fields], people: set[int]) -> None:
        late = [
            task for task in tasks if task["deadline"] and task["deadline"] < today() and not task["status"]
        ]
        done = sum(task["status"] for task in tasks)
        assert told == {
            "total_tasks": len(tasks),
            "completed_tasks": done,
            "pending_tasks": len(tasks) - done,
            "completion_rate": round(100 * done / len(tasks), 2) if tasks else 0.0,
            "overdue_tasks": len(late),
            "priority_counts": {
                str(each): sum(task["priority"] == each for task in tasks) for each in (1, 2, 3)
            },
            "tag_counts": Counter(tag for task in tasks for tag in task["tags"]),
            "user_task_counts": self.by_name(tasks, people),
            "group_task_counts": Counter(str(task["group_id"]) for task in tasks if task["group_id"]),
            "total_users": len(people),
        }

    def by_name(self, tasks: list[Fields], people: set[int]) -> dict[str, int]:
        return {
            self.model.users[each].name: sum(task["user_id"] == each for task in tasks) for each in people
        }

    def named_to(self, who: int) -> set[int]:
        """Whose names are in the caller's statistics."""
        caller = self.model.users[who]
        if caller.role == OWNER:
            return set(self.model.users)
        return {who} | (self.in_team(who) if caller.role == GROUP_ADMIN else set())

    def in_team(self, who: int) -> set[int]:
        """All who share a group with them, and they themselves if they are in one."""
        if self.model.users[who].role == OWNER:
            return set(self.model.users)
        return {each for group_id in self.model.users[who].groups for each in self.members_of(group_id)}

    def members_of(self, group_id: int) -> set[int]:
        return {each for each, user in self.model.users.items() if group_id in user.groups}
