"""One writer: random work on records that are its own, so that it knows exactly what must come of it."""

import random
import time
from collections import deque
from dataclasses import dataclass, field
from typing import Any

from tests.chaos.client import Answer, Client, Request
from tests.chaos.findings import DOUBLED, LOST, RISEN, WRONG, Findings
from tests.chaos.model import Known, World

REPLAYABLE = 20
REPLAY_SHARE = 0.05
WAIT_SECONDS, LONGEST_WAIT = 0.2, 60.0


class Impossible(Exception):
    """There is nothing that this deed could be done to."""


@dataclass
class Writer:
    """A caller, what it knows, and the dice. Every deed goes through `ok` or `refused`.

    After a refusal with a status in `waits_after` it tries anew: what it asks for must wait for something.
    """

    client: Client
    findings: Findings
    dice: random.Random
    world: World = field(default_factory=World)
    done: deque[tuple[Request, Answer]] = field(default_factory=lambda: deque(maxlen=REPLAYABLE))
    names: int = 0
    waits_after: tuple[int, ...] = ()

    def name(self, what: str) -> str:
        """A text that nobody else uses."""
        self.names += 1
        return f"{what}.{self.client.name}.{self.names}"

    def one_of(self, choice: list[Known]) -> Known:
        """Raises Impossible if there is none."""
        if not choice:
            raise Impossible
        return self.dice.choice(choice)

    def ok(self, method: str, path: str, body: Any = None, *, keep: bool = False, **headers: str) -> Any:
        """The data of a write that must succeed; some are sent once more and must be answered the same.

        `keep`: it may also be repeated later, whatever becomes of its record. Raises Impossible if it failed,
        which is told.
        """
        request, answer = self._sent(method, path, body, **headers)
        end = time.monotonic() + LONGEST_WAIT
        while answer.status in self.waits_after and time.monotonic() < end:
            time.sleep(WAIT_SECONDS)
            request, answer = self._sent(method, path, body, **headers)
        if not answer.is_ok:
            self.findings.add(WRONG, f"{answer.status} instead of success for {request}: {answer.body}")
            raise Impossible
        if keep:
            self.done.append((request, answer))
        if self.dice.random() < REPLAY_SHARE:
            self.again(request, answer)
        return answer.data

    def _sent(self, method: str, path: str, body: Any, **headers: str) -> tuple[Request, Answer]:
        request = self.client.request(method, path, body, **headers)
        return request, self.client.send(request)

    def refused(self, status: int, method: str, path: str, body: Any = None, **headers: str) -> None:
        """A write that must be refused with that status."""
        request = self.client.request(method, path, body, **headers)
        answer = self.client.send(request)
        if answer.status != status:
            self.findings.add(
                RISEN if answer.is_ok else WRONG, f"{answer.status}, not {status}, for {request}"
            )

    def again(self, request: Request, first: Answer) -> None:
        """The same request under the same key: the same answer, and nothing is done."""
        answer = self.client.send(request)
        if not answer.is_ok or answer.data != first.data:
            self.findings.add(DOUBLED, f"repeated {request}: {answer.status} {answer.body}, was {first.data}")
        elif not answer.is_replayed:
            self.findings.add(DOUBLED, f"repeated {request}: done anew")

    def repeat_an_old_one(self) -> None:
        if not self.done:
            raise Impossible
        self.again(*self.dice.choice(list(self.done)))

    def made(self, kind: str, record: dict[str, Any], fields: dict[str, Any]) -> Known:
        """Takes a new record into the world."""
        known = self.world.made(kind, record, fields)
        self.told(known, record)
        return known

    def changed(self, known: Known, record: dict[str, Any], **fields: Any) -> None:
        """A change of it was answered with the record."""
        before = known.version
        known.became(record["version"], **fields)
        self.risen_to(known, record, before)

    def risen_to(self, known: Known, record: dict[str, Any], before: int) -> None:
        """The answer to a write: its version is above every one that was seen of the record."""
        if record["version"] <= before:
            self.findings.add(LOST, f"{known.name} went from version {before} to {record['version']}")
        self.told(known, record)

    def told(self, known: Known, record: dict[str, Any]) -> None:
        """An answer has shown the record after a write."""
        version, name = record["version"], (known.kind, known.id)
        if self.world.versions.setdefault(version, name) != name:
            self.findings.add(DOUBLED, f"version {version}: {self.world.versions[version]} and {name}")
        self.compare(known, record)

    def read(self, known: Known) -> None:
        """What is read is what was written last."""
        answer = self.client.read(f"/{known.kind}s/{known.id}")
        if not answer.is_ok:
            self.findings.add(LOST, f"{known.name} is answered with {answer.status}")
            return
        version = answer.data["version"]
        if version < known.version or (known.is_exact and version != known.version):
            self.findings.add(
                LOST if version < known.version else DOUBLED,
                f"{known.name} is read at version {version}, was {known.version}",
            )
        known.version, known.is_exact = version, True
        self.compare(known, answer.data)

    def compare(self, known: Known, record: dict[str, Any]) -> None:
        """Every field that is known is shown as it is known."""
        for name, value in known.fields.items():
            if record.get(name) != value:
                shown = f"{known.name} shows {name} {record.get(name)!r}, should be {value!r}"
                self.findings.add(WRONG, f"{shown}, at version {record['version']}")
