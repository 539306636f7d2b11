"""What an owner asks for meanwhile: syncs, restores and backups, each as soon as the product has them."""

import random
import threading
import time
from collections import Counter
from dataclasses import dataclass, field

from tests.chaos.client import Answer, Client

ACTIONS = ("force", "force", "backup", "restore")
JOB_SECONDS = 15.0
OVER = ("done", "failed")


@dataclass
class Errands:
    """Asks for one after the other; what came of each is counted, and none may change a record."""

    client: Client
    dice: random.Random
    ended: Counter[str] = field(default_factory=Counter)
    over: threading.Event = field(default_factory=threading.Event)

    def one(self) -> None:
        """One errand to its end."""
        action = self.dice.choice(ACTIONS)
        self.client.close()  # a line that was idle for seconds may have been closed from the other end
        answer = self.client.once(self.client.request("POST", f"/admin/sync?action={action}&wait=5"))
        self.ended[f"{action}: {self._end(answer)}"] += 1

    def _end(self, answer: Answer | None) -> str:
        if answer is None:
            return "no answer"
        if answer.status == 400:
            return "not offered"
        if not answer.is_ok:
            return str(answer.status)
        return self._followed(answer.data) if answer.status == 202 else str(answer.data["state"])

    def _followed(self, job: dict[str, str]) -> str:
        """The job's end, as far as it can be followed: jobs are on the broker, which forgets when it dies."""
        end = time.monotonic() + JOB_SECONDS
        while time.monotonic() < end and not self.over.wait(1):
            found = self.client.read(f"/admin/jobs/{job['job_id']}")
            if not found.is_ok or found.data["state"] in OVER:
                return str(found.data["state"]) if found.is_ok else "forgotten"
        return "still at work"
