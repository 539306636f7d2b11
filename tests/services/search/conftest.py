"""Both real stores, admitted, and a caller who looks for words."""

from collections.abc import Iterator

import orjson
import pytest
from redis import Redis

from taskapi.db.engine import Engine, connect
from taskapi.db.index import TaskIndex
from taskapi.domain.callers import Claim
from taskapi.domain.clock import timestamp
from taskapi.domain.filters import Page, TaskFilter, TaskSearch
from taskapi.domain.records import Task
from taskapi.domain.rights import Right
from taskapi.domain.words import asked
from taskapi.embedded.servers import Servers
from taskapi.services import search, task_lists
from taskapi.services.by_date import Sources
from taskapi.services.finding import Index
from taskapi.store import cache, client
from taskapi.store.client import Store
from taskapi.store.plans import Change
from taskapi.store.records import save
from taskapi.sync.admission import admit
from tests.services.conftest import OWNER, House, claim
from tests.services.search.days import Calendar

FIRST = Page()
AWAY = "postgresql+psycopg2://nobody@127.0.0.1:1/nothing"


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    engine = connect(database_url)
    yield engine
    engine.dispose()


@pytest.fixture
def store(servers: Servers, redis_data: Redis, engine: Engine) -> Iterator[Store]:
    opened = client.connect(servers.urls["redis"])
    admit(opened, engine)
    opened.redis.hset("ids", "user", 0)  # a house makes its owner like anybody else
    yield opened
    opened.redis.close()


@pytest.fixture
def index(engine: Engine) -> Index:
    return TaskIndex(lambda: engine).by_words


@pytest.fixture
def away() -> Index:
    return TaskIndex(lambda: connect(AWAY)).by_words


class Finder:
    """Searches as one caller or another, both ways: in all tasks, and in their list."""

    def __init__(self, store: Store, index: Index | None) -> None:
        self.store, self.index = store, index

    def ids(self, query: str, caller: int = OWNER, **wanted) -> list[int]:
        return [orjson.loads(item)["id"] for item in self.listed(query, caller, **wanted).items]

    def listed(self, query: str, caller: int = OWNER, narrow: dict | None = None, **wanted):
        narrowed = TaskFilter(words=asked(query, "search"), **(narrow or {}))
        find = claim(caller, Right.FIND_TASKS)
        return task_lists.list_tasks(self.store, find, TaskSearch(filter=narrowed, **wanted), self.index)

    def answer(self, query: str, caller: int = OWNER, page: Page = FIRST):
        return search.search_tasks(self.store, claim(caller, Right.SEARCH_ALL_TASKS), self.index, query, page)


@pytest.fixture
def finder(house: House, index: Index) -> Finder:
    return Finder(house.store, index)


def many_tasks(store: Store, count: int, **values) -> None:
    """That many alike, in one save."""
    task = Task(**values, created_at=timestamp(), updated_at=timestamp())
    save(store, Claim(0), [Change(None, task, "created")] * count)


@pytest.fixture
def sources(house: House, engine: Engine, servers: Servers, redis_broker: Redis) -> Iterator[Sources]:
    kept = cache.connect(servers.urls["broker"])
    yield Sources(house.store, TaskIndex(lambda: engine).by_day, kept)
    kept.redis.close()


@pytest.fixture
def calendar(sources: Sources) -> Calendar:
    return Calendar(sources)
