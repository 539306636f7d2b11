"""The half of the machine that reads: whatever the services show is what the model knows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson
from hypothesis import strategies as st
from hypothesis.stateful import invariant, rule

from taskapi.domain.errors import Forbidden, NotFound
from taskapi.domain.filters import Order, Page, TaskFilter, TaskSearch
from taskapi.domain.rights import Right
from taskapi.services import groups, members, statistics, sweeping, task_lists, users
from taskapi.services.results import Listed
from taskapi.store import scrub
from taskapi.store.client import Store
from tests.services.conftest import claim
from tests.services.machine import PEOPLE, SOME_DAY, TAGS, TEAMS
from tests.services.machine_of_numbers import CountingMachine
from tests.services.model import OWNER, USER, Answer, Fields, arranged

FILTERS = st.fixed_dictionaries(
    {},
    optional={
        "status": st.booleans(),
        "priorities": st.sets(st.integers(1, 3), min_size=1, max_size=2).map(tuple),
        "tags": st.lists(TAGS, unique=True, max_size=2).map(tuple),
        "overdue_on": st.just(SOME_DAY),
        "not_overdue_on": st.just(SOME_DAY),
        "deadline_from": st.just("2025-12-31"),
        "words": st.sampled_from([("rep",), ("ada", "report"), ("nowhere",)]),
    },
)
SORTED_BY = ["id", "id", "title", "deadline", "priority", "group_id", "estimate_hours"]
ORDERS = st.builds(Order, st.sampled_from(SORTED_BY), st.booleans())
CONDITIONS: dict[str, Callable[[Fields, Any], bool]] = {
    "status": lambda task, value: task["status"] == value,
    "priorities": lambda task, value: task["priority"] in value,
    "tags": lambda task, value: set(value) <= set(task["tags"]),
    "overdue_on": lambda task, value: not task["status"] and (task["deadline"] or "9999") < value,
    "not_overdue_on": lambda task, value: task["status"] or (task["deadline"] or "9999") >= value,
    "deadline_from": lambda task, value: (task["deadline"] or "") >= value,
    "words": lambda task, value: all(
        any(word.startswith(each) for word in task["title"].casefold().split()) for each in value
    ),
}


def as_known(task: Fields) -> Fields:
    """Without what a cascade has changed of it in passing."""
    return task | {"version": 0, "updated_at": ""}


class Machine(CountingMachine):
    """The half that reads."""

    @rule(
        who=PEOPLE, chosen=FILTERS, order=ORDERS, size=st.sampled_from([1, 2, 5]), by_cursor=st.booleans(),
        group_id=st.one_of(st.none(), TEAMS), user_id=st.one_of(st.none(), PEOPLE), mine=st.booleans(),
    )  # fmt: skip
    def list_tasks(
        self, who: int, chosen: Fields, order: Order, size: int, by_cursor: bool,
        group_id: int | None, user_id: int | None, mine: bool,
    ) -> None:  # fmt: skip
        def expected() -> Answer:
            caller = self.model.users[who]
            outside = group_id is not None and caller.role != OWNER and group_id not in caller.groups
            unreached = user_id is not None and not self.model.reaches(who, user_id)
            return Forbidden if outside or unreached else None

        def service(store: Store, caller: Any, page: Page) -> Listed:
            search = TaskSearch(TaskFilter(**chosen), order, page, group_id, user_id, mine)
            return task_lists.list_tasks(store, caller, search)

        wanted = self.wanted(who, chosen, order) if self.model.is_alive(who) else []
        wanted = [task for task in wanted if group_id in (None, task["group_id"])]
        wanted = [task for task in wanted if user_id in (None, task["user_id"])]
        wanted = [task for task in wanted if not mine or task["user_id"] == who]
        self.compare_pages(who, expected, service, wanted, size, by_cursor)

    def wanted(self, who: int, chosen: Fields, order: Order) -> list[Fields]:
        """What the caller must find, in order."""
        tasks = self.model.visible(who)
        for name, value in chosen.items():
            tasks = [task for task in tasks if CONDITIONS[name](task, value)]
        return arranged(tasks, order.field, descending=order.descending)

    def compare_pages(
        self,
        who: int,
        expected: Callable[[], Answer],
        service: Any,
        wanted: list[Fields],
        size: int,
        by_cursor: bool,
    ) -> None:
        """All pages together are what is wanted, and each total is right."""
        page, found = Page(size), []
        while listed := self.attempt(who, expected, service, Right.FIND_TASKS, page):
            found += [orjson.loads(blob) for blob in listed.items]
            assert self.model.leaving or listed.total == len(wanted)
            if listed.next_cursor is None:
                assert [as_known(task) for task in found] == [as_known(task) for task in wanted]
                return
            page = Page(size, cursor=listed.next_cursor) if by_cursor else Page(size, page.page + 1)

    @rule(who=PEOPLE, user_id=PEOPLE)
    def list_tasks_of_user(self, who: int, user_id: int) -> None:
        def expected() -> Answer:
            if not self.model.reaches(who, user_id):
                return Forbidden
            return None if user_id in self.model.users else NotFound

        search = TaskSearch(page=Page(200))
        listed = self.attempt(who, expected, task_lists.list_tasks_of, Right.READ_TASKS_OF, user_id, search)
        if listed:
            self.compare(listed, [task for task in self.model.visible(who) if task["user_id"] == user_id])

    @rule(who=PEOPLE, group_id=TEAMS)
    def list_tasks_of_group(self, who: int, group_id: int) -> None:
        search = TaskSearch(page=Page(200))
        listed = self.attempt(
            who,
            lambda: self.model.in_group(who, group_id),
            task_lists.list_tasks_of_group,
            Right.READ_GROUP,
            group_id,
            search,
        )
        if listed:
            self.compare(listed, [task for task in self.model.visible(who) if task["group_id"] == group_id])

    @rule(who=PEOPLE)
    def list_trash(self, who: int) -> None:
        listed = self.attempt(who, lambda: None, task_lists.list_trash, Right.FIND_TASKS, Page(200))
        if listed and not self.model.leaving:
            ids = [orjson.loads(blob)["id"] for blob in listed.items]
            assert ids == [
                each for each, task in sorted(self.model.trash.items()) if self.model.sees(who, task)
            ]

    @rule(who=PEOPLE)
    def list_people_and_groups(self, who: int) -> None:
        user = self.model.users.get(who)
        reach = Forbidden if user and user.role == USER else None
        listed = self.attempt(who, lambda: reach, users.list_users, Right.LIST_USERS, Page(200))
        if listed:
            self.compare(listed, [{"id": each} for each in self.named_to(who) - ({who} - self.in_team(who))])
        listed = self.attempt(who, lambda: None, groups.list_groups, Right.READ_GROUP, Page(200))
        if listed:
            seen = self.model.groups if user.role == OWNER else user.groups
            self.compare(listed, [{"id": each} for each in seen])

    @rule(who=PEOPLE, group_id=TEAMS)
    def read_group(self, who: int, group_id: int) -> None:
        def expected() -> Answer:
            return self.model.in_group(who, group_id)

        shown = self.attempt(who, expected, groups.read_group, Right.READ_GROUP, group_id)
        listed = self.attempt(who, expected, members.list_members, Right.READ_GROUP, group_id, Page(200))
        if shown:
            team, inside = self.model.groups[group_id], self.members_of(group_id)
            tasks = [task for task in self.model.visible(1) if task["group_id"] == group_id]
            told = orjson.loads(shown.body)
            assert (told["name"], told["admin_id"]) == (team.name, team.admin)
            assert (told["users_count"], told["tasks_count"]) == (len(inside), len(tasks))
            self.compare(listed, [{"id": each} for each in inside])

    @rule(who=PEOPLE, group_id=TEAMS)
    def read_statistics(self, who: int, group_id: int) -> None:
        shown = self.attempt(who, lambda: None, statistics.read_statistics, Right.FIND_TASKS)
        if shown:
            self.compare_numbers(orjson.loads(shown.body), self.model.visible(who), self.named_to(who))
        shown = self.attempt(
            who,
            lambda: self.model.in_group(who, group_id),
            statistics.read_group_statistics,
            Right.READ_GROUP,
            group_id,
        )
        if shown:
            told, inside = orjson.loads(shown.body), self.members_of(group_id)
            tasks = [task for task in self.model.visible(1) if task["group_id"] == group_id]
            assert (told["total_tasks"], told["users_count"]) == (len(tasks), len(inside))
            assert told["user_task_counts"] == self.by_name(tasks, inside)

    def compare(self, listed: Listed, expected: Any) -> None:
        ids = sorted(each["id"] for each in expected)
        assert [orjson.loads(blob)["id"] for blob in listed.items] == ids
        assert self.model.leaving or listed.total == len(ids)

    @invariant()
    def nothing_that_leaves_is_seen(self) -> None:
        """While something is being swept, the owner looks at everything after each step."""
        if self.model.leaving:
            visible, search = self.model.visible(1), TaskSearch(page=Page(200))
            listed = task_lists.list_tasks(self.store, claim(1, Right.FIND_TASKS), search)
            assert [orjson.loads(blob)["id"] for blob in listed.items] == [task["id"] for task in visible]
            told = statistics.read_statistics(self.store, claim(1, Right.FIND_TASKS))
            self.compare_numbers(orjson.loads(told.body), visible, self.named_to(1))

    def teardown(self) -> None:
        sweeping.sweep(self.store, 10)
        self.model.sweep()
        assert scrub.differences(self.store) == []
        for prefix, tasks in (("task:", self.model.live), ("trash:task:", self.model.trash)):
            found = {
                key.decode(): orjson.loads(self.store.redis.get(key))
                for key in self.store.redis.keys(f"{prefix}*")
            }
            assert {key: place(task) for key, task in found.items()} == {
                f"{prefix}{task_id}": place(task) for task_id, task in tasks.items()
            }


def place(task: Fields) -> tuple[int, int | None, bool]:
    """Where a task lies, and whether it is done."""
    return task["user_id"], task["group_id"], task["status"]
