"""An open store with an owner, two groups and people in them."""

from collections.abc import Iterator
from typing import Any

import orjson
import pytest
from redis import Redis

from taskapi.domain.callers import Claim
from taskapi.domain.records import GROUP_ADMIN, Task, User
from taskapi.domain.rights import Right
from taskapi.embedded.servers import Servers
from taskapi.services.results import Shown
from taskapi.store import client
from taskapi.store.client import Store
from tests.store.conftest import Maker, open_anew

OWNER, ADMIN, ANN, BOB, EVE = 1, 2, 3, 4, 5


class House:
    """Owner 1; admin 2 of group 1; Ann 3 in groups 1 and 2; Bob 4 in group 1; Eve 5 in group 2."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.make = make = Maker(store)
        make.user(full_name="System Owner", role="owner", email="o@example.org")
        make.group(name="one"), make.group(name="two")
        self.admin: User = make.user(full_name="Adam", role=GROUP_ADMIN, group_ids=(1,))
        self.ann: User = make.user(full_name="Ann", username="ann", email="ann@example.org", group_ids=(1, 2))
        self.bob: User = make.user(full_name="Bob", group_ids=(1,))
        self.eve: User = make.user(full_name="Eve", group_ids=(2,))

    def task(self, user_id: int, group_id: int | None = None, **values: Any) -> Task:
        task: Task = self.make.task(user_id=user_id, group_id=group_id, **values)
        return task

    def stored(self, name: str) -> dict[str, Any] | None:
        blob = self.store.redis.get(name)
        return None if blob is None else orjson.loads(blob)


def claim(user_id: int, right: Right = Right.WORK_ON_TASKS) -> Claim:
    return Claim(user_id, right)


def said(shown: Shown) -> Any:
    return orjson.loads(shown.body)


@pytest.fixture
def store(servers: Servers, redis_data: Redis) -> Iterator[Store]:
    opened = client.connect(servers.urls["redis"])
    open_anew(opened)
    yield opened
    opened.redis.close()


@pytest.fixture
def house(store: Store) -> House:
    return House(store)
