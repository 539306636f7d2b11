"""A user with more tasks than one step takes along: a sweep does the rest, and is struck too."""

from collections import Counter
from collections.abc import Callable

from tests.chaos.deeds import Deeds
from tests.chaos.model import GROUP, LIVE, TASK, USER, Known
from tests.chaos.writer import Impossible

MORE_THAN_ONE_STEP = 501


class Crowd(Deeds):
    """One user in two groups: once there are enough tasks, the user or a group goes, and comes back."""

    most_tasks, most_users, most_groups = 700, 1, 2

    def prepare(self) -> None:
        self.make_group()
        self.make_group()
        self.make_user()

    def _weights(self) -> dict[Callable[[], None], int]:
        return {
            self.make_task: 120,
            self.change_task: 4,
            self.finish: 4,
            self.join: 4,
            self.leave: 1,
            self.trash_user: 1,
            self.restore_user: 4,
            self.trash_group: 1,
            self.restore_group: 4,
        }

    def trash_user(self) -> None:
        self._require(len(self.world.live(TASK)))
        super().trash_user()

    def trash_group(self) -> None:
        user = self._user()
        group_id = self._largest_group(user)
        self._trash_group(self.world.records[GROUP, group_id])

    def restore_group(self) -> None:
        self._user()  # who is not there does not come back with it
        super().restore_group()

    def leave(self) -> None:
        user = self._user()
        if len(user.fields["group_ids"]) < self.most_groups:
            raise Impossible
        self._leave(user, self._largest_group(user))

    def _largest_group(self, user: Known) -> int:
        sizes = Counter(task.fields["group_id"] for task in self.world.live(TASK))
        group_ids = user.fields["group_ids"]
        self._require(max((sizes[each] for each in group_ids), default=0))
        return max(group_ids, key=lambda each: sizes[each])

    def _require(self, tasks: int) -> None:
        if tasks < MORE_THAN_ONE_STEP or self.world.records[USER, self._user().id].state != LIVE:
            raise Impossible

    def _group_of(self, user: Known) -> int | None:
        return min(user.fields["group_ids"], default=None)
