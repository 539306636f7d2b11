"""The services against a plain model: whatever is done in whatever order, both say the same.

MACHINE_RUNS=500 (`make fuzz`) looks for long and anew each time; without it a run is short, always the same.
"""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from taskapi.services import cascades, passwords, sweeping
from taskapi.store.client import Store
from tests.services.machine import MOST_AT_ONCE
from tests.services.machine_that_reads import Machine

RUNS = int(os.environ.get("MACHINE_RUNS", "0"))


def test_the_services_do_what_the_model_does(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cascades, "MOST_AT_ONCE", MOST_AT_ONCE)
    monkeypatch.setattr(sweeping, "AT_ONCE", 2)
    monkeypatch.setattr(sweeping, "PAUSE_SECONDS", 0)
    monkeypatch.setattr(passwords, "hashed", lambda password: "hash")
    wanted = settings(
        max_examples=RUNS or 80,
        stateful_step_count=100,
        derandomize=not RUNS,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate, Phase.shrink],
    )
    run_state_machine_as_test(type("Machine", (Machine,), {"store": store}), settings=wanted)
