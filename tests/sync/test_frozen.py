"""The sync beside a PostgreSQL that answers nothing."""

import time

import pytest

from taskapi.db import waiting
from taskapi.db.engine import Engine
from taskapi.db.errors import PostgresAway
from taskapi.store import dirty
from taskapi.store.client import Store
from taskapi.sync.closing import close
from taskapi.sync.flush import drain
from tests.db.test_frozen import LONG, frozen
from tests.sync.conftest import new_task
from tests.sync.test_admission import require_settled


def test_a_flush_gives_up_and_loses_nothing(opened: Store, engine: Engine, monkeypatch: pytest.MonkeyPatch):
    new_task(opened)
    with monkeypatch.context() as patch, frozen(engine):
        patch.setattr(waiting, "ANSWER_SECONDS", 0.5)
        with pytest.raises(PostgresAway):
            drain(opened, engine, 5)
    assert dirty.count(opened) == 2
    require_settled(opened, engine)


def test_a_stop_gives_up_in_the_time_that_it_was_given(opened: Store, engine: Engine):
    new_task(opened)
    begun = time.monotonic()
    with frozen(engine), pytest.raises(PostgresAway):
        close(opened, engine, seconds=0)
    assert time.monotonic() - begun < LONG
    require_settled(opened, engine)
