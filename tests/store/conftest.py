"""An open store without PostgreSQL, and a way to make records in it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from redis import Redis

from taskapi.domain.callers import Claim
from taskapi.domain.clock import timestamp
from taskapi.domain.records import File, Group, Task, User
from taskapi.embedded.servers import Servers
from taskapi.store import client, scrub, state
from taskapi.store.client import Store
from taskapi.store.lines import Lines
from taskapi.store.plans import Change
from taskapi.store.records import save

SYSTEM = Claim(0)
IDS = {"user": (0, 1000), "group": (0, 1000), "task": (0, 1000), "file": (0, 1000)}


@pytest.fixture
def store(servers: Servers, redis_data: Redis) -> Iterator[Store]:
    """A store that was admitted in epoch 1, with ids from 1 to 1,000."""
    opened = client.connect(servers.urls["redis"])
    open_anew(opened)
    yield opened
    opened.redis.close()


def open_anew(store: Store) -> None:
    assert state.open_for(store, state.look(store).run, "test", 1, 0, IDS)


@contextmanager
def every_command_sent_twice() -> Iterator[None]:
    """As a client does whose first reply was lost."""
    once = Lines.exchange

    def twice(lines: Lines, *command: Any, **options: Any) -> Any:
        once(lines, *command, **options)
        return once(lines, *command, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Lines, "exchange", twice)
        yield


class Maker:
    """Makes records in a store and returns them as stored."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def user(self, **values: Any) -> User:
        fields = {"full_name": "Ada", "created_at": timestamp(), "updated_at": timestamp()} | values
        return self._saved(User(**fields))

    def group(self, **values: Any) -> Group:
        return self._saved(
            Group(**({"name": "Team", "created_at": timestamp(), "updated_at": timestamp()} | values))
        )

    def task(self, **values: Any) -> Task:
        fields = {
            "title": "Write",
            "user_id": 1,
            "created_at": timestamp(),
            "updated_at": timestamp(),
        } | values
        return self._saved(Task(**fields))

    def file(self, task_id: int, **values: Any) -> File:
        known = {"filename": "a.txt", "content_type": "text/plain", "size": 1, "sha256": "0" * 64}
        fields = {"task_id": task_id, "user_id": 1, "created_at": timestamp()} | known | values
        return self._saved(File(**fields))

    def _saved(self, record: Any) -> Any:
        return save(self.store, SYSTEM, [Change(None, record, "created")]).first.record

    def changed(self, was: Any, **values: Any) -> Any:
        return save(self.store, SYSTEM, [Change(was, was.changed(**values), "changed")]).first.record

    def purged(self, was: Any) -> None:
        save(self.store, SYSTEM, [Change(was, None, "purged")])


@pytest.fixture
def make(store: Store) -> Maker:
    return Maker(store)


@pytest.fixture
def filled(store: Store, make: Maker) -> Store:
    """A user in a group, a task of theirs and one in the trash."""
    group = make.group()
    user = make.user(username="Ada", group_ids=(group.id,))
    make.task(user_id=user.id, tags=("a",), deadline="2026-01-01")
    gone = make.task(user_id=user.id, group_id=group.id)
    make.changed(gone, deleted_at=timestamp())
    assert scrub.scrub(store).is_exact
    return store
