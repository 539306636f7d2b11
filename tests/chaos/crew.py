"""Who works on the product during a run: writers, those who count together, the owner's errands."""

import base64
import random
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from tests.chaos.client import Client, NeverKnown, Tally
from tests.chaos.counter import Counter, settle
from tests.chaos.crowd import Crowd
from tests.chaos.deeds import PASSWORD, Deeds
from tests.chaos.errands import Errands
from tests.chaos.findings import watched
from tests.chaos.house import OWNER_PASSWORD
from tests.chaos.model import NEW_TASK, TASK, USER, World
from tests.chaos.plan import Plan
from tests.chaos.stores import pages
from tests.chaos.writer import Impossible, Writer

OWNER = {"X-Owner-Password": OWNER_PASSWORD}
SHARED_TASKS = 2
ERRAND_SECONDS = 4.0
UNDER_WAY = (404, 409)
"""Answers on what a sweep has not come to yet."""
Work = Callable[[], None]


@dataclass
class Crew:
    """The callers of one run, and the worlds that they know."""

    plan: Plan
    tally: Tally
    port: int
    staff: World = field(default_factory=World)
    writers: list[Writer] = field(default_factory=list)
    deeds: list[Deeds] = field(default_factory=list)
    counters: list[Counter] = field(default_factory=list)
    clients: list[Client] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.owner = self._client("owner", OWNER)
        self.errands = Errands(self._client("errands", OWNER), self.plan.dice("errands"))

    def hire(self) -> None:
        """Each is a user with all rights; half of them sign in, half send their password each time."""
        for record in pages(self.owner, "/users"):
            self.staff.made(
                USER, record, {"full_name": record["full_name"], "role": "owner", "group_ids": []}
            )
        for number in range(self.plan.writers):
            client = self._employed(f"writer{number}", signs_in=number % 2 == 0)
            writer = Writer(client, self.tally.findings, self.plan.dice(client.name))
            self.writers.append(writer)
            self.deeds.append(Deeds(writer))
        for number in range(self.plan.crowds):
            client = self._employed(f"crowd{number}", signs_in=True)
            writer = Writer(client, self.tally.findings, self.plan.dice(client.name), waits_after=UNDER_WAY)
            self.writers.append(writer)
            self.deeds.append(Crowd(writer))
        for deeds in self.deeds:
            deeds.prepare()
        shared = [self._shared_task() for _ in range(SHARED_TASKS)]
        for number in range(self.plan.counters):
            client = self._employed(f"counter{number}", signs_in=True)
            self.counters.append(Counter(client, self.tally.findings, shared, World()))

    def start(self, over: threading.Event) -> list[threading.Thread]:
        """All of them at work, each in a thread, until it is over."""
        pause, self.errands.over = self.plan.write_pause, over
        jobs = [(each.one, pause, each.dice) for each in self.deeds]
        jobs += [(each.one, pause, self.plan.dice(each.client.name)) for each in self.counters]
        jobs += [(self.errands.one, ERRAND_SECONDS, self.errands.dice)]
        works = [partial(_repeat, *job, over) for job in jobs]
        return [watched(self.tally.findings, work) for work in works]

    def worlds(self) -> list[World]:
        """All that is known, once nobody works any more."""
        if self.counters:
            settle(self.counters, self.staff)
        return [self.staff, *(each.world for each in (*self.writers, *self.counters))]

    def close(self) -> None:
        for client in self.clients:
            client.close()

    def _employed(self, name: str, *, signs_in: bool) -> Client:
        sent = {"username": name, "full_name": name, "role": "owner"}
        record = self.owner.write("POST", "/users", sent | {"password": PASSWORD}).data
        self.staff.made(USER, record, sent | {"group_ids": []})
        if not signs_in:
            return self._client(name, {"Authorization": _basic(name, PASSWORD)})
        signed = self.owner.write("POST", "/auth/login", {"username": name, "password": PASSWORD})
        return self._client(name, {"Authorization": f"Bearer {signed.body['access_token']}"})

    def _shared_task(self) -> int:
        sent = {"title": "counted by all", "information": "0"}
        record = self.owner.write("POST", "/tasks", sent).data
        self.staff.made(TASK, record, NEW_TASK | sent | {"user_id": 1, "group_id": None}).is_exact = False
        return int(record["id"])

    def _client(self, name: str, credentials: dict[str, str]) -> Client:
        client = Client(self.port, self.tally, name, credentials)
        self.clients.append(client)
        return client


def _basic(name: str, password: str) -> str:
    return f"Basic {base64.b64encode(f'{name}:{password}'.encode()).decode()}"


def _repeat(work: Work, pause: float, dice: random.Random, over: threading.Event) -> None:
    while not over.is_set():
        try:
            work()
        except Impossible:
            continue
        except NeverKnown:
            return  # told where it happened
        over.wait(dice.expovariate(1 / pause))
