"""Writers, flushers and crashes, all at once: nothing acknowledged is lost, doubled or risen again."""

import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field

import pytest
from sqlalchemy import text

from taskapi.db.engine import Engine, transaction
from taskapi.domain import failpoints
from taskapi.domain.callers import Claim
from taskapi.domain.clock import timestamp
from taskapi.domain.errors import Moved, Unavailable
from taskapi.domain.records import Task
from taskapi.embedded.servers import Servers
from taskapi.store import contents, dirty, state
from taskapi.store.client import Store
from taskapi.store.kinds import TASK
from taskapi.store.plans import Change
from taskapi.store.records import save
from taskapi.store.scrub import differences
from taskapi.sync import flush
from taskapi.sync.admission import admit
from taskapi.sync.compare import compare
from taskapi.sync.errors import PostgresWentBack
from taskapi.sync.flush import drain, flush_batch
from taskapi.sync.judging import Finding
from tests.sync.conftest import Crash, crash, new_task
from tests.sync.test_flush import NO_TRIGGER, TRIGGER, run_sql
from tests.sync.writing import two_beside


@dataclass
class Writer:
    """Makes, edits, trashes, takes back and purges tasks of its own, and remembers every answer."""

    store: Store
    seed: int
    tasks: dict[int, Task | None] = field(default_factory=dict)
    versions: list[int] = field(default_factory=list)
    unanswered: set[int] = field(default_factory=set)

    def write(self, count: int) -> None:
        dice = random.Random(self.seed)
        for _ in range(count):
            self.once(dice)

    def once(self, dice: random.Random) -> None:
        alive = [task for task in self.tasks.values() if task and task.id not in self.unanswered]
        was = dice.choice(alive) if alive and dice.random() < 0.7 else None
        change = self._change(dice, was)
        try:
            saved = save(self.store, Claim(1), [change])
        except Unavailable:
            self.unanswered |= {was.id} if was else set()
            raise
        self.versions += saved.versions
        self.tasks[saved.ids[0]] = saved.first.record if change.now else None

    def _change(self, dice: random.Random, was: Task | None) -> Change:
        now = timestamp()
        if was is None:
            tags = tuple(dice.sample("abc", 2))
            return Change(
                None, Task(title="new", user_id=1, tags=tags, created_at=now, updated_at=now), "created"
            )
        if was.deleted_at:
            return Change(
                was, was.changed(deleted_at=None) if dice.random() < 0.5 else None, "left the trash"
            )
        if dice.random() < 0.2:
            return Change(was, was.changed(deleted_at=now), "trashed")
        if dice.random() < 0.1:
            return Change(was, None, "purged")
        return Change(was, was.changed(title=f"{dice.random()}", status=dice.random() < 0.5), "edited")


def write_to_one(store: Store, task_id: int, count: int) -> list[int]:
    """Edits one task that everybody edits; returns the versions that were acknowledged."""
    versions: list[int] = []
    while len(versions) < count:
        was = contents.present(store, TASK, [task_id])[0]
        assert was is not None
        try:
            versions += save(
                store, Claim(1), [Change(was, was.changed(title=f"{was.version}"), "edited")]
            ).versions
        except Moved:
            continue
    return versions


@contextmanager
def flushing(store: Store, engine: Engine, once: Callable[[Store, Engine], None]) -> Iterator[None]:
    """Two flushers, until the block ends."""
    with two_beside(lambda: once(store, engine)):
        yield


def in_threads(*works: Callable[[], object]) -> None:
    threads = [threading.Thread(target=work) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def drain_through_losses(store: Store, engine: Engine) -> None:
    try:
        drain(store, engine, 20)
    except PostgresWentBack:
        admit(store, engine, suspect=True)
        drain(store, engine, 20)


def require_all_there(store: Store, engine: Engine, writers: list[Writer], *, also: int = 0) -> None:
    """Both stores are equal, indexes and counters exact, and every answer that was given holds in both."""
    drain_through_losses(store, engine)
    found = compare(store, engine)
    assert found.is_equal, found
    assert found.is_sound, found
    assert dirty.count(store) == 0
    assert differences(store) == []
    for writer in writers:
        kept = {number: task for number, task in writer.tasks.items() if number not in writer.unanswered}
        present = dict(zip(kept, contents.present(store, TASK, list(kept)), strict=True))
        assert present == kept
    acknowledged = {version for writer in writers for version in writer.versions}
    with transaction(engine) as connection:
        versions = connection.scalars(text("SELECT version FROM change")).all()
    assert acknowledged <= set(versions)
    if not any(writer.unanswered for writer in writers):
        assert len(versions) == len(acknowledged) + also


def test_a_storm_with_crashes_at_every_line_loses_nothing(opened: Store, engine: Engine):
    run_sql(engine, TRIGGER)
    dice = random.Random(7)
    crashes: set[str] = set()

    def die_sometimes(line: str) -> None:
        if dice.random() < 0.15:
            crashes.add(line)
            crash()

    def once(store: Store, engine: Engine) -> None:
        with suppress(Crash):
            flush_batch(store, engine)

    hot = new_task(opened)
    evil = new_task(opened, title="evil")
    writers = [Writer(opened, seed) for seed in range(3)]
    shared: list[int] = []
    with ExitStack() as stack:
        for line in flush.LINES:
            stack.enter_context(failpoints.armed(line, lambda line=line: die_sometimes(line)))
        stack.enter_context(flushing(opened, engine, once))
        edits = [lambda: shared.extend(write_to_one(opened, hot.id, 100)) for _ in range(2)]
        in_threads(*(lambda writer=writer: writer.write(300) for writer in writers), *edits)
        while crashes != set(flush.LINES):
            new_task(opened)
            shared.append(state.look(opened).version)

    assert list(dirty.backlog(opened).quarantined) in ([f"task:{evil.id}"], [])
    drain(opened, engine, 20)
    assert list(dirty.backlog(opened).quarantined) == [f"task:{evil.id}"]
    assert compare(opened, engine).waiting == [f"task:{evil.id}"]
    run_sql(engine, NO_TRIGGER)
    dirty.rearm(opened)
    # Beside the writers': user 1, the two tasks above, and what was shared.
    require_all_there(opened, engine, writers, also=3 + len(shared))


def test_a_redis_that_was_killed_has_every_acknowledged_write(
    opened: Store, engine: Engine, servers: Servers
):
    writers = [Writer(opened, seed) for seed in range(4)]

    def write_until_it_dies(writer: Writer) -> None:
        with pytest.raises(Unavailable):
            writer.write(100_000)

    def flush_if_it_lives(store: Store, engine: Engine) -> None:
        try:
            flush_batch(store, engine)
        except Unavailable:
            time.sleep(0.01)

    def kill() -> None:
        while sum(len(writer.versions) for writer in writers) < 300:
            time.sleep(0.01)
        servers.kill("redis")

    with flushing(opened, engine, flush_if_it_lives):
        in_threads(kill, *(lambda writer=writer: write_until_it_dies(writer) for writer in writers))
    servers.start("redis")
    with pytest.raises(Unavailable):
        new_task(opened)

    assert admit(opened, engine).finding is Finding.UNCLEAN

    require_all_there(opened, engine, writers)
    assert new_task(opened).id > max(number for writer in writers for number in writer.tasks)


def test_a_postgresql_that_was_killed_gets_everything_in_the_end(
    opened: Store, engine: Engine, servers: Servers
):
    writers = [Writer(opened, seed) for seed in range(3)]

    def flush_if_it_lives(store: Store, engine: Engine) -> None:
        try:
            flush_batch(store, engine)
        except Unavailable:
            time.sleep(0.01)

    with flushing(opened, engine, flush_if_it_lives):
        threads = [threading.Thread(target=writer.write, args=(200,)) for writer in writers]
        for thread in threads:
            thread.start()
        servers.kill("postgres")
        servers.start("postgres")
        for thread in threads:
            thread.join()

    require_all_there(opened, engine, writers, also=1)
