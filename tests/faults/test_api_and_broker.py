"""Faults between the API and the broker: everything is served, and the bell rings again afterwards."""

from __future__ import annotations

import pytest
from flask import Flask
from redis import Redis

from tests.api.conftest import PASSWORD, Person, signed_up
from tests.faults.conftest import OWNER, Stopwatch, System, wait_until
from tests.faults.proxy import Proxy
from tests.faults.weather import FAULTS


@pytest.mark.parametrize("fault", FAULTS)
def test_without_the_broker_all_is_served_and_the_bell_rings_when_it_is_back(
    system: System, app: Flask, proxies: dict[str, Proxy], redis_broker: Redis, fault: str
) -> None:
    client, watch = app.test_client(), Stopwatch()
    user, owner = signed_up(client, "ada"), Person(client, OWNER, {"id": 1})
    sign_in = {"username": "ada", "password": PASSWORD}
    proxies["broker"].reset()  # each connection has to be made anew, which takes the longest
    with FAULTS[fault](proxies["broker"]):
        writes = [watch.call(lambda: user.post("/tasks", {"title": "x"})) for _ in range(5)]
        login = watch.call(lambda: client.post("/auth/login", json=sign_in))
        status = watch.call(lambda: owner.get("/admin/status"))
        watch.call(lambda: owner.post("/admin/sync?action=force&wait=0"))
        watch.call(lambda: owner.get("/admin/jobs"))
    print(f"{fault}: {' '.join(f'{taken:.2f}' for taken in watch.seconds)} s")
    assert [write.status_code for write in writes] == [201] * 5
    assert (login.status_code, status.status_code) == (200, 200)

    redis_broker.delete("celery")
    taken = wait_until(lambda: redis_broker.llen("celery") > 0)
    print(f"   the bell has rung {taken:.1f} s after it was back")
    assert owner.post("/admin/sync?action=force&wait=0").status_code == 202
    system.require_equal()
