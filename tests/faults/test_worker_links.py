"""Faults between a real worker and its three servers: it goes on by itself when they are over."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from taskapi.dispatch import sender
from taskapi.embedded.servers import NAMES, Servers
from taskapi.store import dirty, heartbeats, jobs
from tests.conftest import product_environment
from tests.faults import fleet
from tests.faults.conftest import System, wait_until
from tests.faults.proxy import Proxy
from tests.faults.weather import FAULTS
from tests.sync.conftest import new_task

FAULT_SECONDS = 1.0
ALL = "all"


@pytest.fixture(scope="module")
def environment(servers: Servers, proxies: dict[str, Proxy]) -> dict[str, str]:
    """That of a worker whose every link has a proxy."""
    links = {"REDIS_URL": "redis", "BROKER_URL": "broker", "DATABASE_URL": "postgres"}
    return product_environment(servers) | {setting: proxies[name].url for setting, name in links.items()}


@pytest.fixture(scope="module")
def crew(environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """One worker and its beat, for all tests here."""
    with fleet.worker(environment, "w", 2, "-B", "-s", str(tmp_path_factory.mktemp("beat") / "notes")):
        yield


CASES = [
    ("redis", "not answered"),
    ("broker", "black hole"),
    ("postgres", "not answered"),
    *((ALL, fault) for fault in FAULTS),
]


@pytest.mark.parametrize(("link", "fault"), CASES)
def test_a_worker_goes_on_by_itself(
    system: System, crew: None, servers: Servers, proxies: dict[str, Proxy], link: str, fault: str
) -> None:
    ring, broker = sender(servers.urls["broker"]), jobs.connect(servers.urls["broker"])
    new_task(system.store)
    wait_until(lambda: dirty.count(system.store) == 0 and heartbeats.alive(broker).is_running)
    with ExitStack() as stack:
        for name in NAMES if link == ALL else (link,):
            stack.enter_context(FAULTS[fault](proxies[name]))
        end = time.monotonic() + FAULT_SECONDS
        while time.monotonic() < end:
            new_task(system.store)
            ring("sync.flush", expires=5.0)
            time.sleep(0.1)
    print(f"{link}, {fault}: over")
    taken = wait_until(lambda: dirty.count(system.store) == 0)
    job = jobs.create(broker, "force")
    ring("sync.force", job_id=job.id)
    done = wait_until(lambda: (found := jobs.get(broker, job.id)) is not None and found.state == jobs.DONE)
    print(f"{link}, {fault}: clean {taken:.1f} s after the fault, a job done {done:.1f} s later")
    system.require_equal()
