"""One walk through a case: who calls, what they remember, and what was not as expected."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from functools import reduce
from typing import Any
from urllib.parse import urlencode

from taskapi.domain.clock import today
from tests.api.conftest import OWNER_PASSWORD
from tests.replay.callers import Answer, Client
from tests.replay.cases import Call, System, differences

PASSWORD = "admin123"
BOUNDARY = "a-line-between-parts"
PROBLEM = {"success": False, "status": int, "code": str, "title": str, "detail": str, "request_id": str}


class Walk:
    """People of a system who call one after the other. Whoever calls first registers and signs in before."""

    def __init__(self, system: System, new_client: Callable[[], Client]) -> None:
        self.system, self._new_client = system, new_client
        self._clients: dict[str, tuple[Client, dict[str, str]]] = {}
        self.kept: dict[str, Any] = {"today": today()}

    def answer(self, call: Call) -> Answer:
        """What is answered to a call."""
        client, credentials = self._client(call.by)
        kind, body = _body(replace(call, sent=self.filled(call.sent)))
        path = self._path(call)
        return client.send(call.method, path, {**credentials, **kind, **self.filled(call.headers)}, body)

    def require(self, call: Call) -> Answer:
        """The answer, if it is as expected; what it shall keep is kept."""
        answer = self.answer(call)
        told = (
            f"{call.operation} {call.query} by {call.by or 'nobody'}: {answer.status} {answer.body[:400]!r}"
        )
        assert answer.status == call.status, told
        wrong = self._wrong(call, answer)
        assert not wrong, f"{told}\n" + "\n".join(wrong)
        for name, path in call.kept.items():
            self.kept[name] = reduce(_within, path.split("."), answer.json)
        return answer

    def filled(self, value: Any) -> Any:
        """The value with what was kept in the place of its names."""
        if isinstance(value, str):
            if value.startswith("$") and value[1:] in self.kept:
                return self.kept[value[1:]]
            return re.sub(r"\$\{(\w+)\}", lambda found: str(self.kept[found[1]]), value)
        if isinstance(value, dict):
            return {self.filled(name): self.filled(each) for name, each in value.items()}
        return [self.filled(each) for each in value] if isinstance(value, list) else value

    def _path(self, call: Call) -> str:
        at = tuple(str(self.filled(each)) for each in call.at)
        path = replace(call, at=at).path
        return f"{path}?{self.filled(call.query)}" if call.query else path

    def _wrong(self, call: Call, answer: Answer) -> list[str]:
        wrong = [] if "X-Request-ID" in answer.headers else ["X-Request-ID is missing"]
        if answer.status >= 400:
            wrong += differences(PROBLEM | {"status": answer.status}, answer.json)
        if call.told is not None:
            wrong += differences(self.filled(call.told), answer.json)
        if call.body is not None and answer.body != call.body:
            wrong.append(f"the body is {answer.body[:80]!r}")
        for name, pattern in call.headed.items():
            wrong += differences(re.compile(pattern), answer.headers.get(name), name)
        return wrong

    def _client(self, name: str) -> tuple[Client, dict[str, str]]:
        if name == "owner":
            return self._new_client(), {"X-Owner-Password": OWNER_PASSWORD}
        if name not in self._clients:
            client = self._new_client()
            self._clients[name] = (client, self._signed_up(client, name) if name else {})
        return self._clients[name]

    def _signed_up(self, client: Client, name: str) -> dict[str, str]:
        """What a new user of that name sends to be known; whoever has cookies sends them anyhow."""
        sent = json.dumps({"username": name, "password": PASSWORD}).encode()
        kind = {"Content-Type": "application/json"}
        made = client.send("POST", self.system.register, kind, sent)
        assert made.status == 201, made.body
        told = client.send("POST", self.system.login, kind, sent)
        assert told.status == 200, told.body
        self.kept[name] = told.json["data"]["user"]["id"]
        return {} if self.system.by_cookie else {"Authorization": f"Bearer {told.json['access_token']}"}


def _within(value: Any, name: str) -> Any:
    return value[int(name)] if isinstance(value, list) else value[name]


def _body(call: Call) -> tuple[dict[str, str], bytes]:
    if call.file is not None:
        name, kind, content = call.file
        head = f'Content-Disposition: form-data; name="file"; filename="{name}"\r\nContent-Type: {kind}'
        body = f"--{BOUNDARY}\r\n{head}\r\n\r\n".encode() + content + f"\r\n--{BOUNDARY}--\r\n".encode()
        return {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}, body
    if call.form is not None:
        return {"Content-Type": "application/x-www-form-urlencoded"}, urlencode(call.form).encode()
    if call.sent is not None:
        return {"Content-Type": "application/json"}, json.dumps(call.sent).encode()
    return {}, b""
