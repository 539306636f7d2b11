"""What clients of four other systems send, answered as they rely on it, under this API's own rules."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from redis import Redis

from taskapi.store.client import Store
from tests.embedded.conftest import wait_for
from tests.replay import attachments_api, dated_api, sessions_api, versioned_api
from tests.replay.callers import OverHttp, Within
from tests.replay.cases import Case, Limit, System, differences, shape
from tests.replay.conftest import Environ, Served
from tests.replay.walk import Walk

COUNTS = {"sessions": 9, "versioned": 12, "attachments": 16, "dated": 8}
SYSTEMS = (sessions_api.SYSTEM, versioned_api.SYSTEM, attachments_api.SYSTEM, dated_api.SYSTEM)
AppOf = Callable[[Environ], Flask]


def each_of(what: str) -> list[Any]:
    """Every case or limit with its system, under a name that tells it."""
    return [
        pytest.param(system, one, id=f"{system.name}: {one.shows}")
        for system in SYSTEMS
        for one in getattr(system, what)
    ]


@pytest.mark.parametrize(("system", "case"), each_of("cases"))
def test_what_clients_of_another_system_rely_on_is_so(
    system: System,
    case: Case,
    data: Store,
    database_url: str,
    app_of: AppOf,
    redis_broker: Redis,
    request: pytest.FixtureRequest,
) -> None:
    if case.served:
        served: Served = request.getfixturevalue("served")
        walk = Walk(system, lambda: OverHttp(served.address))
    else:
        app = app_of(case.environ)
        walk = Walk(system, lambda: Within(app))
    for call in case.calls:
        walk.require(call)
    for expected in case.logged:
        wait_for(lambda line=expected: any(not differences(line, each) for each in served.lines()), 5)
    if case.cached:
        require_cached(redis_broker, walk.filled(case.cached[0]), case.cached[1])


def require_cached(broker: Redis, pattern: str, seconds: int) -> None:
    """Something is kept under such a key, and is forgotten by itself in time."""
    found = list(broker.scan_iter(pattern))
    assert found, list(broker.scan_iter("*"))
    assert all(0 < broker.ttl(key) <= seconds for key in found)


@pytest.mark.parametrize(("system", "limit"), each_of("limits"))
def test_who_calls_too_often_is_told_when_to_come_back(
    system: System, limit: Limit, data: Store, database_url: str, app_of: AppOf
) -> None:
    app = app_of(limit.environ)
    walk = Walk(system, lambda: Within(app))
    for _ in range(limit.allowed):
        answer = walk.require(limit.call)
    assert answer.headers["RateLimit-Policy"] == limit.policy
    # Some may have grown back meanwhile.
    refused = next(
        answer for answer in (walk.answer(limit.call) for _ in range(limit.allowed)) if answer.status == 429
    )
    assert refused.json["code"] == "rate_limited"
    assert 1 <= refused.json["retry_after"] <= limit.wait
    assert refused.headers["Retry-After"] == str(refused.json["retry_after"])
    assert refused.headers["X-RateLimit-Remaining"] == "0"
    if limit.spared:
        walk.require(limit.spared)


@pytest.mark.parametrize("system", SYSTEMS, ids=lambda system: system.name)
def test_every_operation_is_counted_mounted_and_called(system: System, data: Store, app_of: AppOf) -> None:
    assert len(set(system.operations)) == len(system.operations) == COUNTS[system.name]
    mounted = {
        f"{method} {shape(rule.rule)}"
        for rule in app_of({}).url_map.iter_rules()
        for method in rule.methods or ()
    }
    assert [each for each in system.operations if shape(each) not in mounted] == []
    done = {call.operation for call in system.calls if call.status < 400}
    assert [each for each in system.operations if each not in done] == []


@pytest.mark.parametrize("system", SYSTEMS, ids=lambda system: system.name)
def test_every_refusal_that_clients_know_is_provoked(system: System) -> None:
    provoked = {call.status for call in system.calls} | ({429} if system.limits else set())
    assert set(system.statuses) <= provoked
