"""Two beats and four workers do what one of each does, also when some of them die or stand still."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from flask import Flask
from redis import Redis
from sqlalchemy import text

from taskapi.archives import Archives
from taskapi.config import Settings
from taskapi.db import queries
from taskapi.db.engine import Engine, transaction
from taskapi.dispatch import sender
from taskapi.embedded.servers import Servers
from taskapi.store import dirty, heartbeats, jobs
from tests.api.conftest import Person, signed_up
from tests.conftest import product_environment
from tests.faults import fleet
from tests.faults.conftest import Stopwatch, System, insisted, wait_until

LOAD_SECONDS = 5.0
AWAY_SECONDS = 6.0


class Writers:
    """People who make tasks and change them, each write under a key, until they are told to stop."""

    def __init__(self, app: Flask, count: int) -> None:
        self.people = [signed_up(app.test_client(), f"user{number}") for number in range(count)]
        self.made: Counter[int] = Counter()
        self.watch = Stopwatch()
        self._is_over = threading.Event()
        self._threads = [threading.Thread(target=self._write, args=(person,)) for person in self.people]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Waits for the last of them."""
        self._is_over.set()
        for thread in self._threads:
            thread.join()

    def require_counted(self) -> None:
        """Each write is there once."""
        for person in self.people:
            stats = person.get("/tasks/stats").json["data"]
            assert (stats["total_tasks"], stats["completed_tasks"]) == (self.made[person.id],) * 2

    def _write(self, user: Person) -> None:
        while not self._is_over.wait(0.02):
            key = f"{user.id}-{self.made[user.id]}"
            made = self._done(lambda key=key: user.post("/tasks", {"title": key}, headers=_named(key)))
            self._done(lambda made=made: user.put(f"/tasks/{made['id']}/done"))
            self.made[user.id] += 1

    def _done(self, send: Callable[[], object]) -> dict[str, int]:
        return insisted(lambda: self.watch.call(send)).json["data"]


def _named(key: str) -> dict[str, str]:
    return {"Idempotency-Key": key}


def journal_counts(engine: Engine) -> dict[str, int]:
    """How many entries of tasks PostgreSQL has, by action."""
    count = text("SELECT action, count(*) FROM change WHERE kind = 'task' GROUP BY action")
    with transaction(engine) as connection:
        return {action: number for action, number in connection.execute(count)}  # noqa: C416 - rows are no pairs


def test_two_beats_and_four_workers_are_as_one(
    system: System,
    app: Flask,
    servers: Servers,
    plain_settings: Settings,
    redis_broker: Redis,
    tmp_path: Path,
) -> None:
    broker, ring = jobs.connect(servers.urls["broker"]), sender(servers.urls["broker"])
    shelf = Archives(plain_settings.backup_url)
    with fleet.crew(product_environment(servers), tmp_path, workers=4, beats=2) as programs:
        wait_until(lambda: len(heartbeats.alive(broker).workers) == 4 and heartbeats.alive(broker).beat)
        before = len(shelf.listed())
        writers = Writers(app, 3)
        for _ in range(6):
            ring("backup.daily")
        time.sleep(LOAD_SECONDS / 3)
        os.killpg(programs[0].pid, signal.SIGKILL)
        os.killpg(programs[1].pid, signal.SIGSTOP)
        time.sleep(LOAD_SECONDS / 3)
        os.killpg(programs[1].pid, signal.SIGCONT)
        os.killpg(programs[2].pid, signal.SIGSTOP)  # and never goes on while there is work
        time.sleep(LOAD_SECONDS / 3)
        writers.stop()
        taken = wait_until(lambda: dirty.count(system.store) == 0)
        daily = wait_until(lambda: len(shelf.listed()) > before)
        job = jobs.create(broker, "force")
        for _ in range(4):
            ring("sync.force", job_id=job.id)
        wait_until(lambda: (found := jobs.get(broker, job.id)) is not None and found.state == jobs.DONE)
        wait_until(lambda: redis_broker.llen("celery") == 0)
    print(f"{writers.made.total()} tasks; clean {taken:.1f} s after the load, a backup {daily:.1f} s later")
    writers.require_counted()
    system.require_equal()
    made = writers.made.total()
    assert queries.record_counts(system.engine)["task"] == made
    assert journal_counts(system.engine) == {"created": made, "changed": made}
    assert len(shelf.listed()) == before + 1


def test_writes_go_on_without_a_broker_and_are_carried_when_it_is_back(
    system: System, app: Flask, servers: Servers, tmp_path: Path
) -> None:
    broker = jobs.connect(servers.urls["broker"])
    with fleet.crew(product_environment(servers), tmp_path, workers=1, beats=1):
        wait_until(lambda: heartbeats.alive(broker).is_running)
        servers.kill("broker")
        try:
            writers = Writers(app, 2)
            time.sleep(AWAY_SECONDS)
        finally:
            servers.start("broker")
        writers.stop()
        taken = wait_until(lambda: dirty.count(system.store) == 0)
    print(
        f"{writers.made.total()} tasks while the broker was away, the slowest write took "
        f"{max(writers.watch.seconds):.2f} s; all were carried {taken:.1f} s after it was back"
    )
    writers.require_counted()
    system.require_equal()
