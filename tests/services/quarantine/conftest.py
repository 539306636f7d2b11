"""Both real stores, a house of people, and a way to have PostgreSQL refuse what is written."""

from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest
from redis import Redis
from sqlalchemy import text

from taskapi.db import queries
from taskapi.db.engine import Engine, connect, transaction
from taskapi.domain.callers import Claim
from taskapi.domain.records import Credential, Record
from taskapi.domain.rights import Right
from taskapi.embedded.servers import Servers
from taskapi.services import quarantine
from taskapi.store import client, contents
from taskapi.store import quarantine as kept
from taskapi.store.client import Store
from taskapi.store.kinds import KINDS
from taskapi.store.plans import Change
from taskapi.store.records import save
from taskapi.store.scrub import differences
from taskapi.sync.admission import admit
from taskapi.sync.compare import compare
from taskapi.sync.flush import drain
from tests.services.conftest import OWNER, House, said
from tests.store.conftest import SYSTEM

BAD = "\x00"
"""Text that PostgreSQL never takes."""

CALLER = Claim(OWNER, Right.ADMINISTER)


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


class Ward:
    """The owner before the records that PostgreSQL refuses."""

    def __init__(self, house: House, engine: Engine) -> None:
        self.house, self.store, self.engine = house, house.store, engine
        self.make = house.make

    @property
    def names(self) -> list[str]:
        return kept.names(self.store)

    def carry(self) -> None:
        drain(self.store, self.engine, 5)

    def carried(self, record: Any) -> Any:
        """The record, when PostgreSQL has it."""
        self.carry()
        assert self.names == []
        return record

    def refused(self, record: Any) -> Any:
        """The record, when PostgreSQL has refused it."""
        self.carry()
        assert f"{type(record).__name__.lower()}:{record.id}" in self.names
        return record

    def credential(self, user_id: int, password_hash: str = "$hash") -> Credential:
        """A new one."""
        made = Credential(password_hash=password_hash, updated_at="2026-11-20T23:06:27.123Z")
        found: Credential = save(
            self.store, SYSTEM, [Change(None, made, "created", str(user_id))]
        ).first.record
        return found

    def retry(self, kind: str, record_id: int, caller: Claim = CALLER) -> Any:
        return quarantine.retry_refused(self.store, caller, kind, record_id)

    def discard(
        self, kind: str, record_id: int, if_match: int | None = None, caller: Claim = CALLER, read: Any = None
    ) -> Any:
        return quarantine.discard_refused(
            self.store, caller, read or partial(queries.record, self.engine), kind, record_id, if_match
        )

    def given_up(self, kind: str, record_id: int) -> Any:
        """The record, when its refused change was given up and both stores are one again."""
        found = self.given_up_together(kind, record_id)
        self.settle()
        return found

    def given_up_together(self, kind: str, record_id: int) -> Any:
        """The same while others are refused still."""
        answer = said(self.discard(kind, record_id))
        found = self.now(kind, record_id)
        assert answer == {
            "kind": kind,
            "id": record_id,
            "state": "discarded",
            "version": answer["version"],
            "purged": found is None,
        }
        assert found is None or found.version == answer["version"]
        return found

    def now(self, kind: str, record_id: int) -> Any:
        """The record as Redis has it, live or in the trash."""
        return contents.present(self.store, KINDS[kind], [record_id])[0]

    def settle(self) -> None:
        """Nothing is refused or waits any more, and all is as it should be."""
        self.carry()
        assert self.names == []
        found = compare(self.store, self.engine)
        assert found.is_equal, found
        assert found.is_sound, found
        assert found.waiting == []
        assert differences(self.store) == []
        with transaction(self.engine) as connection:
            assert connection.scalar(text("SELECT count(*) FROM refused")) == 0

    def sql(self, statement: str) -> None:
        with transaction(self.engine) as connection:
            connection.execute(text(statement))


def same(now: Record | None, was: Record) -> bool:
    """Whether it is the same in all but its version."""
    return now is not None and now.changed(version=was.version) == was


@pytest.fixture
def ward(house: House, engine: Engine) -> Ward:
    found = Ward(house, engine)
    found.carry()
    return found
