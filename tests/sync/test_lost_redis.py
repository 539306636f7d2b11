"""Redis's data deleted, and older ones put back, while processes write: what is gone is told exactly."""

import subprocess
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from taskapi.db.engine import Engine, transaction
from taskapi.embedded.servers import Servers
from taskapi.store import dirty, syncs
from taskapi.store.client import Store
from taskapi.store.scrub import differences
from taskapi.sync.catching_up import catch_up
from taskapi.sync.compare import compare
from tests.sync.conftest import new_task
from tests.sync.writing import scribes, wait_for_more, workers
from worker.schedule import FLUSH_SECONDS

Rows = dict[int, tuple[int, str | None]]


def rows_now(engine: Engine) -> Rows:
    with transaction(engine) as connection:
        return {row.id: (row.version, row.title) for row in connection.execute(text("SELECT * FROM tasks"))}


def folder_of(servers: Servers) -> Path:
    return servers.home.server_folder("redis")


def copy(source: Path, target: Path) -> None:
    subprocess.run(["cp", "-a", str(source), str(target)], check=True)


def delete(folder: Path) -> None:
    subprocess.run(["rm", "-rf", str(folder)], check=True)


def deletes_everything(servers: Servers) -> Callable[[], None]:
    """Its directory is gone; its settings, which are no data, are not."""
    return lambda: delete(folder_of(servers) / "appendonlydir")


def puts_an_older_one_back(servers: Servers) -> Callable[[], None]:
    data = folder_of(servers) / "appendonlydir"
    older = folder_of(servers) / "older"
    copy(data, older)

    def put_back() -> None:
        delete(data)
        older.rename(data)

    return put_back


@pytest.mark.parametrize("disaster", [deletes_everything, puts_an_older_one_back])
def test_what_was_lost_under_load_is_told_exactly_and_nothing_else_is_touched(
    opened: Store, engine: Engine, servers: Servers, disaster: Callable[[Servers], Callable[[], None]]
):
    with workers(opened, engine), scribes(servers, 3) as writing:
        wait_for_more(writing, 150)
        strike = disaster(servers)
        wait_for_more(writing, 150)
        # A worker that does not come for a moment: there is something to be lost.
        with stalled(engine):
            wait_for_more(writing, 60)
            servers.kill("redis")
        committed = rows_now(engine)
        strike()
        servers.start("redis")
        wait_for_more(writing, 150)
    catch_up(opened, engine, 20)

    answers = [answer for each in writing for answer in each.answers]
    require_equal_and_exact(opened, engine)
    require_nothing_went_back(committed, rows_now(engine))
    lost = require_told_exactly(opened, engine, answers)
    require_nothing_twice(engine, answers, lost)
    assert lost, "nothing was lost: the test shows nothing"


@contextmanager
def stalled(engine: Engine) -> Iterator[None]:
    """No flush gets on within the block, as if PostgreSQL were slow."""
    with engine.connect() as connection:
        connection.execute(text("LOCK TABLE change IN ACCESS EXCLUSIVE MODE"))
        yield


def require_equal_and_exact(store: Store, engine: Engine) -> None:
    found = compare(store, engine)
    assert found.is_equal, found
    assert (differences(store), dirty.count(store)) == ([], 0)


def require_nothing_went_back(before: Rows, now: Rows) -> None:
    """Each row is what it was, or newer."""
    for number, (version, title) in before.items():
        assert now[number][0] >= version
        assert now[number][0] > version or now[number][1] == title


def require_told_exactly(store: Store, engine: Engine, answers: list[dict[str, Any]]) -> set[int]:
    """Every write that is missing lies in a range, and none that is there does; returns what is missing."""
    losses = [loss for loss in syncs.losses_of(store) if loss.store == "redis" and not loss.healed]
    assert all(loss.up_to is not None for loss in losses), losses
    with transaction(engine) as connection:
        there = set(connection.scalars(text("SELECT version FROM change UNION SELECT version FROM tasks")))
    acknowledged = {answer["version"] for answer in answers}
    told = {
        version
        for version in acknowledged
        if any(loss.above < version <= (loss.up_to or 0) for loss in losses)
    }
    assert told == acknowledged - there
    return told


def require_nothing_twice(engine: Engine, answers: list[dict[str, Any]], lost: set[int]) -> None:
    """No id, no version and no write; what was done anew under its name was lost before."""
    fresh = [answer for answer in answers if not answer["again"]]
    assert max(Counter(answer["version"] for answer in fresh).values()) == 1
    made: dict[str, list[dict[str, Any]]] = {}
    for answer in fresh:
        made.setdefault(answer["operation"], []).append(answer)
    for done in made.values():
        assert {answer["version"] for answer in done[:-1]} <= lost
    with transaction(engine) as connection:
        born = list(connection.scalars(text("SELECT information FROM tasks WHERE purged IS NOT TRUE")))
        births = list(connection.scalars(text("SELECT record_id FROM change WHERE action = 'created'")))
    assert max(Counter(born).values()) == 1
    assert max(Counter(number for number in births if number != 1).values()) == 1


def test_a_postgresql_of_yesterday_under_a_running_redis_is_found_and_gets_everything_again(
    opened: Store, engine: Engine, servers: Servers
):
    data = servers.home.server_folder("postgres") / "18"
    yesterday = data.with_name("yesterday")
    with scribes(servers, 2) as writing:
        wait_for_more(writing, 100)
        catch_up(opened, engine, 5)
        engine.dispose()
        servers.stop("postgres")
        copy(data, yesterday)
        servers.start("postgres")
        wait_for_more(writing, 100)
        catch_up(opened, engine, 5)
        servers.stop("postgres")
        delete(data)
        yesterday.rename(data)
        servers.start("postgres")
        wait_for_more(writing, 50)

        catch_up(opened, engine, 20)  # rung by the beat
        wait_for_more(writing, 50)
    catch_up(opened, engine, 20)

    assert FLUSH_SECONDS <= 60
    require_equal_and_exact(opened, engine)
    losses = syncs.losses_of(opened)
    assert [(loss.store, loss.healed) for loss in losses] == [("postgresql", True)]
    answers = [answer for each in writing for answer in each.answers]
    assert require_told_exactly(opened, engine, answers) == set()
    require_nothing_twice(engine, answers, set())
    new_task(opened)
