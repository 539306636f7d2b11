"""Faults between the API and its data: refused soon, never twice, and all right afterwards."""

from __future__ import annotations

import pytest
from flask import Flask

from taskapi.store.client import script
from tests.api.conftest import PASSWORD, Person, signed_up
from tests.faults import weather
from tests.faults.conftest import Stopwatch, System
from tests.faults.proxy import Proxy
from tests.faults.weather import Fault

SAVED = script("save").sha.encode()


FAULTS: dict[str, Fault] = weather.FAULTS | {
    "one reply held": lambda proxy: proxy.reply_held(SAVED, 3.0),
    "done but not answered": lambda proxy: proxy.mute(SAVED),
}
SERVED = ("reset", "forgotten", "200 ms", "one reply held")


def writes_of(user: Person) -> dict[str, tuple[str, str, dict[str, str] | None, int]]:
    """Writes by the key that names them: method, path, body, and the status of success."""
    changed, deleted = user.task(title="before"), user.task(title="goes")
    user.delete(f"/tasks/{user.task()['id']}")  # the server learns the script
    return {
        "create": ("POST", "/tasks", {"title": "new"}, 201),
        "change": ("PUT", f"/tasks/{changed['id']}", {"title": "after"}, 200),
        "delete": ("DELETE", f"/tasks/{deleted['id']}", None, 200),
        "register": ("POST", "/auth/register", {"username": "bob", "password": PASSWORD}, 201),
    }


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_told_soon_and_a_repeated_write_is_done_once(
    system: System, app: Flask, proxies: dict[str, Proxy], fault: str
) -> None:
    user, watch = signed_up(app.test_client(), "ada"), Stopwatch()
    writes = writes_of(user)

    def write(name: str) -> int:
        method, path, sent, _ = writes[name]
        named = {"Idempotency-Key": name}
        return watch.call(lambda: user.call(method, path, sent, named)).status_code

    with FAULTS[fault](proxies["redis"]):
        first = {name: write(name) for name in writes}
        read = watch.call(lambda: user.get("/tasks"))
    if fault in SERVED:
        assert (first["create"], first["change"], first["delete"]) == (201, 200, 200)
    assert read.status_code == 200 or int(read.headers["Retry-After"]) >= 1
    print(f"{fault}: {first}, then a read {read.status_code}")
    print("  ", " ".join(f"{taken:.2f}" for taken in watch.seconds), "s")

    assert [write(name) for name in writes] == [201, 200, 200, 201]
    assert [write(name) for name in writes] == [201, 200, 200, 201]
    titles = [task["title"] for task in user.get("/tasks").json["data"]["tasks"]]
    assert sorted(titles) == ["after", "new"]
    assert user.get("/tasks/stats").json["data"]["total_tasks"] == 2
    system.require_equal()


def test_reads_are_refused_within_a_second(system: System, app: Flask, proxies: dict[str, Proxy]) -> None:
    user, watch = signed_up(app.test_client(), "ada"), Stopwatch()
    with proxies["redis"].black_hole():
        for path in ("/tasks", "/tasks/1", "/users", "/health"):
            watch.call(lambda path=path: user.get(path))
    assert min(watch.seconds) < 1.0
    assert user.get("/tasks").status_code == 200
