"""Days, and who asks for them."""

from dataclasses import replace

import orjson

from taskapi.domain.errors import NotFound
from taskapi.domain.filters import Page
from taskapi.domain.rights import Right
from taskapi.services import by_date
from taskapi.services.by_date import Sources
from taskapi.services.results import Listed
from tests.services.conftest import OWNER, claim

DAY, OTHER_DAY = "2026-02-28", "2026-03-01"
FIRST = Page()


class Calendar:
    """Asks for days as one caller or another, and counts how often PostgreSQL was asked."""

    def __init__(self, sources: Sources) -> None:
        self.looks = 0
        self._find = sources.index
        self.sources = replace(sources, index=self._counted)

    def _counted(self, *asked) -> list[int]:
        self.looks += 1
        return self._find(*asked)

    def ids(self, caller: int = OWNER, day: str = DAY) -> list[int]:
        try:
            listed = self.listed(caller, day)
        except NotFound:
            return []
        assert listed.total == len(listed.items)
        assert listed.beside == {"date": day, "complete": True}
        return [orjson.loads(item)["id"] for item in listed.items]

    def listed(self, caller: int = OWNER, day: str = DAY, page: Page = FIRST) -> Listed:
        return by_date.list_tasks_on(self.sources, claim(caller, Right.FIND_TASKS), day, page)
