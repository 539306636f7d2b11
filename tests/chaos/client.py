"""Asking over HTTP until it is known what became of it: what is unknown is sent again under the same key."""

import http.client
import json
import threading
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from tests.chaos.findings import WRONG, Findings
from tests.chaos.pulse import Pulse

ANSWER_SECONDS = 6.0
LONGEST_PAUSE = 0.4
UNDECIDED = (408, 429)
"""Statuses below 500 that do not say that nothing was done, or that nothing ever will be."""


class NeverKnown(Exception):
    """The end came before an answer did."""


@dataclass(frozen=True, slots=True)
class Request:
    """One request; sent again it is the same in every byte."""

    method: str
    path: str
    body: bytes | None
    headers: Mapping[str, str]

    def __str__(self) -> str:
        return f"{self.method} {self.path} {(self.body or b'').decode()[:120]}".rstrip()


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back. `tries` is how often it was asked for."""

    status: int
    headers: Mapping[str, str]
    body: dict[str, Any]
    tries: int = 1

    @property
    def is_ok(self) -> bool:
        return 200 <= self.status < 300

    @property
    def data(self) -> Any:
        return self.body["data"]

    @property
    def is_replayed(self) -> bool:
        return self.headers.get("Idempotency-Replayed") == "true"


@dataclass
class Tally:
    """Writes by what became of them, and attempts by what came back. All threads write it."""

    findings: Findings
    pulse: Pulse
    last_moment: float = float("inf")
    writes: Counter[str] = field(default_factory=Counter)
    attempts: Counter[str] = field(default_factory=Counter)
    replays: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def attempted(self, outcome: str) -> None:
        with self._lock:
            self.attempts[outcome] += 1

    def wrote(self, answer: Answer) -> None:
        with self._lock:
            self.writes["ok" if answer.is_ok else "refused"] += 1
            self.replays += answer.is_replayed
            if answer.tries > 1:
                self.writes["unknown, then ok" if answer.is_ok else "unknown, then refused"] += 1

    def require_time(self, request: Request) -> None:
        """Raises NeverKnown if it is too late to ask again."""
        if time.monotonic() > self.last_moment:
            self.findings.add(WRONG, f"never answered: {request}")
            raise NeverKnown(str(request))


class Client:
    """One caller with one connection, used by one thread."""

    def __init__(self, port: int, tally: Tally, name: str, credentials: Mapping[str, str]) -> None:
        self.tally = tally
        self.name = name
        self.credentials = dict(credentials)
        self._keys = count()
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=ANSWER_SECONDS)

    def close(self) -> None:
        self._connection.close()

    def request(self, method: str, path: str, body: Any = None, **headers: str) -> Request:
        """A write under a key of its own."""
        named = {name.replace("_", "-"): text for name, text in headers.items()}
        own = {"Idempotency-Key": f"{self.name}-{next(self._keys)}", "Content-Type": "application/json"}
        sent = None if body is None else json.dumps(body).encode()
        return Request(method, path, sent, {**self.credentials, **own, **named})

    def write(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        """Sends a write until it is known what became of it. Raises NeverKnown."""
        return self.send(self.request(method, path, body, **headers))

    def send(self, request: Request) -> Answer:
        """The same of a request that may have been sent before."""
        begun, answer = self._known(request)
        self.tally.wrote(answer)
        if answer.is_ok:
            self.tally.pulse.beat(begun)
        return answer

    def read(self, path: str) -> Answer:
        """Asks until there is an answer that is none of a fault. Raises NeverKnown."""
        return self._known(Request("GET", path, None, self.credentials))[1]

    def once(self, request: Request) -> Answer | None:
        """Sends it once; None if no answer came."""
        try:
            self._connection.request(request.method, request.path, request.body, dict(request.headers))
            reply = self._connection.getresponse()
            text = reply.read()
            return Answer(reply.status, dict(reply.headers), json.loads(text or b"{}"))
        except (OSError, http.client.HTTPException, ValueError):
            self._connection.close()
            return None

    def _known(self, request: Request) -> tuple[float, Answer]:
        for tries in count(1):
            begun = time.monotonic()
            answer = self.once(request)
            self._note(request, answer)
            if answer and answer.status < 500 and answer.status not in UNDECIDED:
                return begun, Answer(answer.status, answer.headers, answer.body, tries)
            self.tally.require_time(request)
            time.sleep(min(LONGEST_PAUSE, 0.05 * tries))
        raise AssertionError

    def _note(self, request: Request, answer: Answer | None) -> None:
        """A fault is told as 503 and the like; 500 is a fault that nobody foresaw."""
        self.tally.attempted("no answer" if answer is None else str(answer.status))
        if answer and answer.status == 500:
            self.tally.findings.add(WRONG, f"500 for {request}: request {answer.body.get('request_id')}")
