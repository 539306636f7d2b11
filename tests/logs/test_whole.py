"""What the whole product says while it is signed in to, attacked and broken: everything, and no secret."""

from __future__ import annotations

import json
import re
import socket
import time
from base64 import b64encode
from typing import Any
from urllib.parse import quote

import pytest
from redis import Redis

from taskapi.dispatch import sender
from taskapi.embedded.servers import Servers
from taskapi.version import VERSION
from tests.logs.conftest import SETTINGS, canary
from tests.logs.house import House

OWNER = {"X_Owner_Password": SETTINGS["OWNER_PASSWORD"]}
TEXT = re.compile(r"\d\d:\d\d:\d\d (debug|info|warning|error|critical) |    ")
FORGED = "%0A12:00:00%20info%20%20%20%20signed%20in%1B[2J"


class Story:
    """All that somebody may do with secrets; `told` are those that came up in it."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.told: list[str] = []

    def secret(self) -> str:
        """A new one."""
        self.told.append(canary())
        return self.told[-1]

    def signed_in(self, call: str, **sent: Any) -> dict[str, Any]:
        """The tokens, which are secrets from then on."""
        answer = self.house.call(call, sent)
        assert answer.status < 300, answer
        self.told += [answer.body["access_token"], answer.body["refresh_token"]]
        self.told += [
            cookie.split(";")[0].partition("=")[2] for cookie in answer.headers.get_all("Set-Cookie", [])
        ]  # type: ignore[attr-defined]
        return dict(answer.body)

    def accounts(self) -> dict[str, Any]:
        """Registering, signing in well and badly, refreshing, a token used twice, another password."""
        first, second = self.secret(), self.secret()
        self.signed_in("POST /register", username="ada", password=first)
        tokens = self.signed_in("POST /login", username="ada", password=first)
        refused = {
            "wrong password": self.house.call("POST /login", {"username": "ada", "password": self.secret()}),
            "password as name": self.house.call("POST /login", {"username": self.secret(), "password": "x"}),
            "form": self.house.call("POST /login", form={"username": "ada", "password": self.secret()}),
        }
        assert {name: answer.status for name, answer in refused.items()} == dict.fromkeys(refused, 401)
        self.signed_in("POST /auth/refresh", refresh_token=tokens["refresh_token"])
        reused = self.house.call("POST /auth/refresh", {"refresh_token": tokens["refresh_token"]})
        assert reused.status == 401
        tokens = self.signed_in("POST /login?session=cookie", username="ada", password=first)
        bearer = {"Authorization": f"Bearer {tokens['access_token']}"}
        changed = self.house.call(
            "PUT /auth/password", {"current_password": first, "new_password": second}, **bearer
        )
        assert changed.status == 200
        self.told += [changed.body["access_token"], changed.body["refresh_token"]]
        return {"Authorization": f"Bearer {changed.body['access_token']}"}

    def guesses(self) -> None:
        """Secrets in every other place of a request."""
        call = self.house.call
        basic = "Basic " + b64encode(f"ada:{self.secret()}".encode()).decode()
        self.told.append(basic.split()[1])
        assert call("GET /tasks", Authorization=basic).status == 401
        assert (
            call("GET /tasks", Authorization=f"Bearer eyJhbGciOi.{quote(self.secret(), safe='')}.x").status
            == 401
        )
        assert call("GET /tasks", X_Owner_Password="canary-guess-Tweet").status == 401
        assert call("GET /tasks", Cookie="session=canary-cookie-Tweet").status == 401
        assert call(f"GET /tasks?token={quote(self.secret())}&search={quote(self.secret())}").status == 401
        assert call("POST /login", b'{"password": "canary-broken-Tweet').status == 400
        self.told += ["canary-guess-Tweet", "canary-cookie-Tweet", "canary-broken-Tweet", "canary-raw-Tweet"]
        with socket.create_connection(("127.0.0.1", self.house.port), 10) as line:
            line.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nX-Owner-Password canary-raw-Tweet\r\n\r\n")
            assert b" 400 " in line.recv(100)


@pytest.fixture
def story(house: House) -> Story:
    """One that has not begun."""
    return Story(house)


def test_all_is_told_and_no_secret(
    story: Story, house: House, secrets: list[str], servers: Servers, redis_data: Redis, request: Any
) -> None:
    bearer = story.accounts()
    story.guesses()
    assert house.call("GET /users", **bearer).status == 403
    assert house.call("POST /admin/sync?action=force", X_Request_ID="flow-1", **OWNER).status == 200
    house.call("POST /admin/sync?action=backup&wait=0", X_Request_ID="flow-2", **OWNER)
    assert house.call("GET /tasks/external-joke").status == 502
    _break(house, redis_data, story, bearer)
    send_job = sender(servers.urls["broker"])
    send_job("sync.force", password=story.secret(), token=story.secret())
    send_job("no.such.job", password=story.secret())
    assert house.call("POST /auth/logout", **_anew(house, story)).status == 200
    assert house.call(f"GET /tasks/{FORGED}", **OWNER).status == 404
    _wait_for(house, "no.such.job")
    house.stop()

    said = house.said()
    assert [secret for secret in (*secrets, *story.told) if _stands_in(secret, said)] == []
    if "text" in request.node.name:
        assert [line for line in said.splitlines() if not TEXT.match(line)] == []
        assert [line for line in said.split("\n") if not line.isprintable()] == []
    else:
        _require_events(house)


def _break(house: House, redis_data: Redis, story: Story, bearer: dict[str, Any]) -> None:
    """A record that is none, full of a secret."""
    made = house.call("POST /tasks", {"title": "x"}, **bearer)
    assert made.status == 201
    redis_data.set(f"task:{made.body['data']['id']}", f'{{"title": "{story.secret()}", "password": ')
    broken = house.call(
        f"PATCH /tasks/{made.body['data']['id']}", {"title": "y"}, X_Request_ID="broken-1", **bearer
    )
    assert broken.status == 500


def _anew(house: House, story: Story) -> dict[str, Any]:
    password = story.secret()
    tokens = story.signed_in("POST /users/register", username="eve", password=password)
    return {"Authorization": f"Bearer {tokens['access_token']}"}


def _wait_for(house: House, text: str) -> None:
    end = time.monotonic() + 30
    while text not in house.said("worker") or "flow-2" not in house.said("worker"):
        assert time.monotonic() < end, house.said("worker")
        time.sleep(0.1)


def _stands_in(secret: str, said: str) -> bool:
    """In any of the forms that a line could tell it in."""
    forms = {secret, json.dumps(secret)[1:-1], ascii(secret)[1:-1], quote(secret), quote(secret, safe="")}
    return any(form in said for form in forms)


def _require_events(house: House) -> None:
    """Each thing that there was to tell, in lines that have all they must have."""
    lines = house.lines()
    assert all({"timestamp", "level", "event", "service", "logger"} <= line.keys() for line in lines)
    for part in ("api", "worker", "beat"):
        assert {line["service"] for line in house.lines(part)} == {part}
        told = [line for line in house.lines(part) if line["event"] in ("started", "stopped")]
        assert [(line["event"], line["version"]) for line in told] == [
            ("started", VERSION),
            ("stopped", VERSION),
        ]
        assert told[0]["settings"]["owner_password"] == "***"
    api = house.lines("api")
    assert {line["request_id"] for line in api if line["event"] == "request"}
    expected = {
        "registered",
        "signed in",
        "refused sign-in",
        "password changed",
        "signed out",
        "request",
        "damaged record",
    }
    assert expected <= {line["event"] for line in api}
    [reuse] = [line for line in api if "reused" in line["event"]]
    assert (reuse["level"], reuse["user"], bool(reuse["request_id"])) == ("warning", 2, True)
    wrong = [
        line
        for line in api
        if line["event"] == "refused sign-in" and "name or the password" in line["reason"]
    ]
    assert [line.get("user") for line in wrong[:3]] == [2, None, 2]
    assert {line["address"] for line in wrong} == {"127.0.0.1"}
    [forbidden] = [line for line in api if line.get("code") == "forbidden"]
    assert (forbidden["level"], forbidden["user"], forbidden["status"]) == ("info", 2, 403)
    [damage] = [line for line in api if line["event"] == "damaged record"]
    assert (damage["level"], damage["request_id"]) == ("error", "broken-1")
    _require_jobs(house)


def _require_jobs(house: House) -> None:
    """The request's id goes with the job, and no job has that of another."""
    worker = house.lines("worker")
    forced = [line for line in worker if line.get("request_id") == "flow-1"]
    assert {"job begun", "job done"} <= {line["event"] for line in forced}
    assert {line.get("job") for line in forced if line["logger"].startswith("worker.")} == {"sync.force"}
    assert {line["job"] for line in worker if line.get("request_id") == "flow-2" and "job" in line} == {
        "backup.asked"
    }
    carried = [line for line in worker if line["event"] == "carried"]
    assert all(line["rows"] > 0 and line["ms"] > 0 and line["job_id"] for line in carried)
    assert not [line for line in carried if "request_id" in line]
