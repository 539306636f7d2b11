"""Faults between the API and PostgreSQL: it is not needed, but for what it alone can tell."""

from __future__ import annotations

import pytest
from flask import Flask

from tests.api.conftest import Person, signed_up
from tests.faults.conftest import OWNER, Stopwatch, System
from tests.faults.proxy import Proxy
from tests.faults.weather import FAULTS


@pytest.mark.parametrize("fault", FAULTS)
def test_without_postgresql_all_is_served_and_search_is_whole(
    system: System, app: Flask, proxies: dict[str, Proxy], fault: str
) -> None:
    client, watch = app.test_client(), Stopwatch()
    user, owner = signed_up(client, "ada"), Person(client, OWNER, {"id": 1})
    user.task(title="buy milk")
    system.require_equal()
    assert owner.get("/tasks/search?q=milk").json["data"]["complete"]
    with FAULTS[fault](proxies["postgres"]):
        write = watch.call(lambda: user.post("/tasks", {"title": "milk"}))
        found = [watch.call(lambda: owner.get("/tasks/search?q=milk")) for _ in range(2)]
        status = watch.call(lambda: owner.get("/admin/status"))
        stats = watch.call(lambda: owner.get("/admin/stats"))
    print(f"{fault}: {' '.join(f'{taken:.2f}' for taken in watch.seconds)} s")
    assert [answer.status_code for answer in (write, *found, status, stats)] == [201, 200, 200, 200, 200]
    assert [answer.json["data"]["count"] for answer in found] == [2, 2]
    assert all(answer.json["data"]["complete"] for answer in found)
    system.require_equal()
