"""The half of the machine that writes: every rule does the same to the services and to the plain model."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import orjson
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from taskapi.domain.errors import Conflict, Forbidden, Invalid, NotFound, Refused, Unauthorized
from taskapi.domain.rights import Right
from taskapi.services import batch, tasks
from taskapi.store.client import Store
from tests.services.conftest import House, claim
from tests.services.model import GROUP_ADMIN, OWNER, USER, Answer, Fields, Model, Person, Team
from tests.store.conftest import open_anew

MOST_AT_ONCE = 4
STATUS = {Invalid: 400, Forbidden: 403, NotFound: 404}
SOME_DAY = "2026-01-01"

PEOPLE = st.sampled_from([1, 1, 1, 1, 2, 2, 2, 3, 3, 4, 5, 6, 7])
TEAMS = st.sampled_from([1, 1, 2, 2, 3, 4])
MAYBE_TEAM = st.one_of(st.none(), TEAMS)
SETS_OF_TEAMS = st.sets(st.integers(1, 3), max_size=3)
TAGS = st.sampled_from(["a", "A", "b", "due", "0:1", "trash", "é"])
FIELDS = st.fixed_dictionaries(
    {},
    optional={
        "title": st.sampled_from(["Report", "report to Ada", "b\n", "\u2028"]),
        "status": st.booleans(),
        "priority": st.integers(1, 3),
        "deadline": st.sampled_from([None, "0001-01-01", "2025-12-31", SOME_DAY, "9999-12-31"]),
        "tags": st.lists(TAGS, unique=True, max_size=3).map(tuple),
        "group_id": MAYBE_TEAM,
        "estimate_hours": st.sampled_from([None, 0.1, 1.0]),
    },
)


def _called(service: Any, *args: Any) -> tuple[Any, Refused | None]:
    try:
        return service(*args), None
    except Refused as refusal:
        return None, refusal


class TaskMachine(RuleBasedStateMachine):
    """One installation; every rule does the same to the store and to the model, and compares."""

    store: Store

    def __init__(self) -> None:
        super().__init__()
        self.store.redis.flushall()
        self.store.familiar.clear()
        open_anew(self.store)
        House(self.store)
        self.model = Model(MOST_AT_ONCE)
        names = ["System Owner", "Adam", "Ann", "Bob", "Eve"]
        places = [(OWNER, ()), (GROUP_ADMIN, (1,)), (USER, (1, 2)), (USER, (1,)), (USER, (2,))]
        for user_id, (name, (role, teams)) in enumerate(zip(names, places, strict=True), 1):
            self.model.users[user_id] = Person(name, role, set(teams))
        self.model.groups = {1: Team("one"), 2: Team("two")}
        self.last_id = 0

        for user_id, group_id in [(1, None), (2, 1), (3, 1), (3, 2), (3, None), (4, 1), (5, 2)] * 2:
            self.create_task(user_id, user_id, {"group_id": group_id, "title": "Report"}, 1)

    def attempt(
        self, who: int, expected: Callable[[], Answer], service: Any, right: Right, *args: Any
    ) -> Any:
        """The service's answer, None if it refuses; it has to refuse as expected, and only then.

        While something is being swept, what rests on it may be refused for now.
        """
        answer: Answer = expected() if self.model.is_alive(who) else Unauthorized
        done, refusal = _called(service, self.store, claim(who, right), *args)
        if not (self.model.leaving and isinstance(refusal, Conflict)):
            found = None if refusal is None else type(refusal)
            assert found is answer, refusal
        return done

    def owners(self, who: int) -> Answer:
        return None if self.model.users[who].role == OWNER else Forbidden

    def pick(self, data: st.DataObject, *pools: Iterable[int]) -> int:
        """One that is there, or now and then one that is not."""
        there = sorted({number for pool in pools for number in pool})
        return data.draw(st.sampled_from([*there, *there, *there, 99]))

    # Tasks

    @rule(who=PEOPLE, of=st.one_of(st.none(), PEOPLE), fields=FIELDS, times=st.integers(1, 3))
    def create_task(self, who: int, of: int | None, fields: Fields, times: int) -> None:
        user_id = of or who
        sent = {"title": "t"} | fields

        def expected() -> Answer:
            return self.model.placed(who, user_id, sent)[0]

        for _ in range(times):
            done = self.attempt(who, expected, tasks.create_task, Right.WORK_ON_TASKS, sent, of)
            if done:
                task = orjson.loads(done.body)
                self.last_id += 1
                assert (task["id"], task["user_id"]) == (self.last_id, user_id)
                assert task["group_id"] == self.model.placed(who, user_id, sent)[1]
                self.model.live[task["id"]] = task

    @rule(who=PEOPLE, data=st.data(), fields=FIELDS, to=st.one_of(st.none(), PEOPLE))
    def change_task(self, who: int, data: st.DataObject, fields: Fields, to: int | None) -> None:
        task_id, sent = self.pick(data, self.model.live), fields | ({"user_id": to} if to else {})

        def expected() -> Answer:
            return self.model.changed(who, task_id, sent)[0]

        done = self.attempt(who, expected, tasks.change_task, Right.WORK_ON_TASKS, task_id, sent)
        if done:
            self.keep(who, task_id, sent)
            assert orjson.loads(done.body) == self.model.live[task_id]

    def keep(self, who: int, task_id: int, sent: Fields) -> None:
        """The model has the change, and what follows from it as the store says."""
        expected = self.model.changed(who, task_id, sent)[1]
        stored = orjson.loads(self.store.redis.get(f"task:{task_id}"))
        passing = {"version": 0, "updated_at": "", "completed_at": ""}
        assert stored | passing == expected | passing
        assert (stored["completed_at"] is not None) == stored["status"]
        self.model.live[task_id] = stored

    @rule(who=PEOPLE, data=st.data(), permanent=st.booleans())
    def remove_task(self, who: int, data: st.DataObject, permanent: bool) -> None:
        model = self.model
        task_id = self.pick(data, model.live, model.trash if permanent else {})
        pools = (model.live, model.trash) if permanent else (model.live,)

        def expected() -> Answer:
            return None if any(model.found(who, task_id, pool) for pool in pools) else NotFound

        if self.attempt(who, expected, tasks.remove_task, Right.WORK_ON_TASKS, task_id, None, permanent):
            task = model.live.pop(task_id, None) or model.trash.pop(task_id)
            if not permanent:
                model.trash[task_id] = task

    @rule(who=PEOPLE, data=st.data())
    def restore_task(self, who: int, data: st.DataObject) -> None:
        task_id = self.pick(data, self.model.trash)

        def expected() -> Answer:
            return self.model.restored(who, task_id)[0]

        done = self.attempt(who, expected, tasks.restore_task, Right.WORK_ON_TASKS, task_id)
        if done:
            task, expected = orjson.loads(done.body), self.model.restored(who, task_id)[1]
            assert task["group_id"] == expected["group_id"]
            del self.model.trash[task_id]
            self.model.live[task_id] = task

    @rule(
        who=PEOPLE, ids=st.lists(st.integers(1, 20), min_size=1, max_size=8), fields=FIELDS,
        to=st.one_of(st.none(), PEOPLE), action=st.sampled_from(["update", "mark_done", "delete"]),
        atomic=st.booleans(),
    )  # fmt: skip
    def change_tasks(
        self, who: int, ids: list[int], fields: Fields, to: int | None, action: str, atomic: bool
    ) -> None:
        sent = (fields | ({"user_id": to} if to else {})) if action == "update" else {}
        wish = {"status": True} if action == "mark_done" else sent

        def refusals() -> dict[int, Answer]:
            return {each: self.model.changed(who, each, wish)[0] for each in ids}

        def expected() -> Answer:
            return Conflict if atomic and any(refusals().values()) else None

        done = self.attempt(who, expected, batch.change_tasks, Right.WORK_ON_TASKS, ids, sent, action, atomic)
        if done:
            judged = refusals()
            told = {each["id"]: each["status"] for each in orjson.loads(done.body)["results"]}
            assert told == {each: STATUS[refused] if refused else 200 for each, refused in judged.items()}
            for task_id in (each for each, refused in judged.items() if refused is None):
                if action == "delete":
                    self.model.trash[task_id] = self.model.live.pop(task_id)
                else:
                    self.keep(who, task_id, wish)
