"""A number that several callers raise at once, each only from the version that it has read."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from tests.chaos.client import Client
from tests.chaos.findings import DOUBLED, LOST, WRONG, Findings
from tests.chaos.model import TASK, World

STALE = 412


@dataclass
class Counter:
    """Task ids whose `information` is a number, and what one caller has added to each."""

    client: Client
    findings: Findings
    task_ids: Sequence[int]
    world: World
    added: dict[int, int] = field(default_factory=dict)
    turn: int = 0

    def one(self) -> None:
        """Reads one of them and writes it plus one; who was not first has changed nothing."""
        task_id = self.task_ids[self.turn % len(self.task_ids)]
        self.turn += 1
        read = self.client.read(f"/tasks/{task_id}").data
        sent = {"information": str(int(read["information"]) + 1)}
        answer = self.client.write("PUT", f"/tasks/{task_id}", sent, If_Match=f'"{read["version"]}"')
        if answer.is_ok:
            self._raised(task_id, sent["information"], answer.data, read["version"])
        elif answer.status not in (STALE, 409):
            self.findings.add(WRONG, f"counting task {task_id}: {answer.status} {answer.body}")

    def _raised(self, task_id: int, number: str, record: dict[str, object], before: int) -> None:
        self.added[task_id] = self.added.get(task_id, 0) + 1
        version = int(str(record["version"]))
        if self.world.versions.setdefault(version, (TASK, task_id)) != (TASK, task_id):
            self.findings.add(DOUBLED, f"version {version} was given twice")
        if record["information"] != number or version <= before:
            self.findings.add(LOST, f"counting task {task_id} to {number} from {before}: {record}")


def settle(counters: Sequence[Counter], world: World) -> None:
    """Tells the world of the shared tasks what all callers together have made of them."""
    for task_id in counters[0].task_ids:
        total = sum(counter.added.get(task_id, 0) for counter in counters)
        known = world.records[TASK, task_id]
        versions = [
            version
            for counter in counters
            for version, name in counter.world.versions.items()
            if name == (TASK, task_id)
        ]
        known.fields["information"] = str(total)
        known.version = max([known.version, *versions])
        known.entries = 1 + total
