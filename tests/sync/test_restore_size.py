"""What a restore costs: a figure, printed."""

import time

import pytest

from taskapi.db.engine import Engine
from taskapi.outside.shelf import Shelf
from taskapi.store.client import Store
from taskapi.store.scrub import differences
from taskapi.sync.admission import admit
from taskapi.sync.restoring import rebuild
from tests.sync.conftest import new_task, restart
from tests.sync.test_admission import tasks_in
from tests.sync.test_flush import run_sql

TASKS = 20_000


def test_twenty_thousand_tasks_are_rebuilt(
    opened: Store, engine: Engine, shelf: Shelf, capsys: pytest.CaptureFixture[str]
):
    new_task(opened)
    restart(opened)
    admit(opened, engine)
    run_sql(
        engine,
        "INSERT INTO tasks"
        " (id, version, title, user_id, status, priority, information, tags, created_at, updated_at)"
        " SELECT n + 1, 4294967300 + n, 'task ' || n, 1, n % 2 = 0, n % 3 + 1, '', '{}', now(), now()"
        f" FROM generate_series(1, {TASKS}) AS n",
    )
    begun = time.monotonic()

    report = rebuild(opened, engine, shelf)

    seconds = time.monotonic() - begun
    with capsys.disabled():
        print(f"\n{TASKS} tasks rebuilt in {seconds:.1f} s: {TASKS / seconds:.0f} a second.", end=" ")
    assert report["records"]["placed"] == TASKS + 2
    assert len(tasks_in(opened)) == TASKS + 1
    assert differences(opened) == []
