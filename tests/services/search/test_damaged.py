"""A search leaves out what cannot be read, whichever way it finds it."""

from structlog.testing import capture_logs

from taskapi.domain.callers import Claim
from taskapi.domain.filters import Page, TaskFilter, TaskSearch
from taskapi.services import task_lists
from taskapi.services.finding import Index
from taskapi.store.client import Store
from tests.store.conftest import Maker


def test_words_find_what_is_whole(store: Store, index: Index, away: Index) -> None:
    make = Maker(store)
    make.user(role="owner")
    first, second = make.task(title="plan"), make.task(title="plan b")
    for text in ("broken", '{"id":2,"nothing":1,"version":7}'):
        store.redis.set(f"task:{second.id}", text)
        search = TaskSearch(TaskFilter(words=("plan",)), page=Page())
        with capture_logs() as lines:
            found = task_lists.list_tasks(store, Claim(1), search, index)
        assert [item.startswith(b'{"id":%d,' % first.id) for item in found.items] == [True]
        assert [line["event"] for line in lines] == ["a damaged record is left out of a list"]
