"""What a look into PostgreSQL would miss."""

from __future__ import annotations

from taskapi.store.client import Store, run
from taskapi.store.errors import refusal


def tasks_waiting(store: Store, most: int) -> frozenset[int] | None:
    """The ids of tasks that PostgreSQL does not have as they are; None if more than `most` records wait.

    None also while a restore goes on: PostgreSQL may have gone back already, Redis not yet. Whatever is not
    among them was committed there before this was asked. Raises Unavailable.
    """
    reply = run(store, "waiting", most, patient=False)
    if reply[0] != b"ok":
        raise refusal(reply)
    marks, names = reply[1:]
    return None if marks > most else frozenset(int(name.partition(b":")[2]) for name in names)
