"""A real worker and a real beat, started as programs: rings become rows."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator

import pytest
from celery import Celery

from taskapi.config import PROJECT_ROOT
from taskapi.dispatch import sender
from taskapi.embedded.servers import Servers
from taskapi.store import heartbeats, jobs, state
from tests.conftest import product_environment
from tests.worker.test_jobs import groups_in_postgres, make_group
from worker.connections import broker, store

PATIENCE_SECONDS = 30


def wait_until(is_so: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE_SECONDS
    while not is_so():
        assert time.monotonic() < end, "it never came to be"
        time.sleep(0.05)


@pytest.fixture
def fleet(app: Celery, servers: Servers) -> Iterator[None]:
    """One worker with two forked processes, and a beat in it."""
    command = [sys.executable, "-m", "celery", "-A", "celery_app", "worker", "-B", "-c", "2", "-l", "INFO"]
    schedule = str(servers.home.run / "beat-test")
    quiet = ["--without-gossip", "--without-mingle", "-s", schedule]
    environment = os.environ | product_environment(servers)
    with subprocess.Popen([*command, *quiet], cwd=PROJECT_ROOT, env=environment) as worker:
        try:
            yield
        finally:
            worker.terminate()
            worker.wait(PATIENCE_SECONDS)


def test_a_ring_becomes_a_row(fleet: None, servers: Servers):
    send_job = sender(servers.urls["broker"])
    send_job("sync.flush")
    wait_until(lambda: state.look(store()).is_ready)
    make_group()
    send_job("sync.flush")
    wait_until(lambda: groups_in_postgres() == 1)

    job = jobs.create(broker(), "force")
    send_job("sync.force", job_id=job.id)
    wait_until(lambda: (found := jobs.get(broker(), job.id)) is not None and found.state == jobs.DONE)

    wait_until(lambda: heartbeats.alive(broker()).is_running)
    make_group()
    wait_until(lambda: groups_in_postgres() == 2)
