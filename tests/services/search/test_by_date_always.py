"""Whatever happens, in whatever order: a day is answered as a look at every record would answer it."""

import random
from collections.abc import Callable, Iterator
from datetime import date, timedelta

import orjson
import pytest
from redis import Redis

from taskapi.db.engine import Engine
from taskapi.db.index import TaskIndex
from taskapi.domain.errors import NotFound, Refused
from taskapi.domain.filters import Page
from taskapi.domain.rights import Right
from taskapi.embedded.servers import Servers
from taskapi.services import batch, by_date, cascades, groups, members, sweeping, tasks, users
from taskapi.services.by_date import Sources
from taskapi.store import cache
from taskapi.store.client import Store
from taskapi.sync.flush import drain
from tests.services.conftest import ADMIN, ANN, BOB, EVE, OWNER, House, claim

FIRST = date(2026, 2, 26)
DAYS = [(FIRST + timedelta(days=number)).isoformat() for number in range(3)]
PAIRS = [(ANN, 1), (ANN, 2), (BOB, 1), (EVE, 2)]
CALLERS = (OWNER, ADMIN, ANN, BOB, EVE)
STEPS = 60


class Story:
    """Does one thing after the other, and knows by looking at all records what must be answered."""

    def __init__(self, house: House, engine: Engine, sources: Sources, chance: random.Random) -> None:
        self.house, self.engine, self.sources, self.chance = house, engine, sources, chance
        self.told: list[str] = []

    @property
    def store(self) -> Store:
        return self.house.store

    def step(self) -> None:
        often: list[Callable[[], object]] = [self.make, self.change, self.move, self.flush, self.sweep]
        seldom = [self.finish, self.trash, self.bring_back, self.purge, self.many]
        deed = self.chance.choice(
            [*often, *often, *seldom, self.lose_user, self.lose_group, self.join_or_leave]
        )
        self.told.append(deed.__name__)
        try:
            deed()
        except Refused as refusal:
            self.told[-1] += f" ({refusal})"

    def make(self) -> None:
        user_id, group_id = self.chance.choice([(ADMIN, None), *PAIRS, (BOB, None)])
        alive = f"user:{user_id}", *([f"group:{group_id}"] if group_id else [])
        if self.store.redis.exists(*alive) == len(alive):
            moment = f"{self.chance.choice(DAYS)}T12:00:00.000Z"
            self.house.task(user_id, group_id, created_at=moment, deadline=self.chance.choice([None, *DAYS]))

    def change(self) -> None:
        tasks.change_task(
            self.store, self.work, self.any_task(), {"deadline": self.chance.choice([None, *DAYS])}
        )

    def finish(self) -> None:
        tasks.finish_task(self.store, self.work, self.any_task())

    def trash(self) -> None:
        tasks.remove_task(self.store, self.work, self.any_task())

    def bring_back(self) -> None:
        tasks.restore_task(self.store, self.work, self.chance.randint(1, 40), None)

    def purge(self) -> None:
        tasks.remove_task(self.store, self.work, self.any_task(), permanent=True)

    def move(self) -> None:
        user_id, group_id = self.chance.choice(PAIRS)
        fields = {"user_id": user_id, "group_id": group_id}
        if self.store.redis.exists(f"user:{user_id}", f"group:{group_id}") == 2:
            tasks.change_task(self.store, self.work, self.any_task(), fields)

    def many(self) -> None:
        ids = sorted({self.any_task() for _ in range(3)})
        batch.change_tasks(self.store, self.work, ids, {"deadline": self.chance.choice(DAYS)})

    def flush(self) -> None:
        drain(self.store, self.engine, 5)

    def lose_user(self) -> None:
        right, user_id = claim(OWNER, Right.DELETE_USER), self.chance.choice([BOB, EVE])
        lost = self.store.redis.exists(f"trash:user:{user_id}")
        (users.restore_user if lost else users.delete_user)(self.store, right, user_id)

    def lose_group(self) -> None:
        right = claim(OWNER, Right.MANAGE_GROUPS)
        lost = self.store.redis.exists("trash:group:2")
        (groups.restore_group if lost else groups.delete_group)(self.store, right, 2)

    def join_or_leave(self) -> None:
        right, user_id = claim(OWNER, Right.MANAGE_MEMBERS), self.chance.choice([ADMIN, ANN, BOB])
        joined = self.store.redis.zscore("members:1", user_id) is not None
        (members.remove_member if joined else members.add_member)(self.store, right, 1, user_id)

    def sweep(self) -> None:
        sweeping.sweep(self.store, self.chance.choice([0, 10]))

    @property
    def work(self):
        return claim(OWNER, Right.WORK_ON_TASKS)

    def any_task(self) -> int:
        names = self.store.redis.keys("task:*")
        return int(self.chance.choice(sorted(names)).split(b":")[1]) if names else 1

    def expected(self, caller: int, day: str) -> list[int]:
        """By looking at each live record, with what is still to be swept left out."""
        user = self.house.stored(f"user:{caller}")
        leaving = {name.decode() for name in self.store.redis.hkeys("leaving")}
        live = [self.house.stored(name.decode()) for name in self.store.redis.keys("task:*")]
        return sorted(
            task["id"]
            for task in live
            if day in {str(task[name])[:10] for name in ("created_at", "deadline", "completed_at")}
            and (
                caller in (OWNER, task["user_id"])
                or (user["role"] == "group_admin" and task["group_id"] in user["group_ids"])
            )
            and not leaving
            & {
                f"user:{task['user_id']}",
                f"group:{task['group_id']}",
                f"member:{task['user_id']}:{task['group_id']}",
            }
        )

    def answered(self, caller: int, day: str) -> list[int]:
        try:
            listed = by_date.list_tasks_on(self.sources, claim(caller, Right.FIND_TASKS), day, Page(200))
        except NotFound:
            return []
        assert listed.beside["complete"] is True
        assert listed.total == len(listed.items)
        return [orjson.loads(item)["id"] for item in listed.items]


@pytest.fixture
def sources(house: House, engine: Engine, servers: Servers, redis_broker: Redis) -> Iterator[Sources]:
    kept = cache.connect(servers.urls["broker"])
    yield Sources(house.store, TaskIndex(lambda: engine).by_day, kept)
    kept.redis.close()


@pytest.mark.parametrize("seed", range(3))
def test_a_day_is_always_answered_as_a_look_at_every_record_would(
    house: House, engine: Engine, sources: Sources, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    monkeypatch.setattr(cascades, "MOST_AT_ONCE", 3)
    monkeypatch.setattr(sweeping, "AT_ONCE", 2)
    story = Story(house, engine, sources, random.Random(seed))
    for _ in range(STEPS):
        story.step()
        for caller in CALLERS:
            if house.stored(f"user:{caller}") is None:
                continue
            for day in DAYS:
                assert story.answered(caller, day) == story.expected(caller, day), (caller, day, story.told)
    assert redis_keys(sources) > 0


def redis_keys(sources: Sources) -> int:
    """How many answers are remembered."""
    return len(sources.cache.redis.keys("task:*"))
