"""The sweep: what a cascade was too large to do in one step, done some at a time. Killed, it goes on."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping

from taskapi.domain import cascades as rules
from taskapi.domain import failpoints
from taskapi.domain.callers import Claim
from taskapi.domain.clock import timestamp
from taskapi.domain.errors import Moved
from taskapi.domain.records import Task, User
from taskapi.services.cascades import stays, users_of
from taskapi.store import leaving
from taskapi.store.client import Store
from taskapi.store.leaving import BACK, GONE, Account
from taskapi.store.plans import Change
from taskapi.store.records import LINES as SAVING
from taskapi.store.records import save

AT_ONCE = 40
PAUSE_SECONDS = 0.004
"""With 100 tasks a save others waited up to 142 ms on two cores, with 40 up to 97; the sweep took as long."""

LINES = ("sweeping.listed", *SAVING, "sweeping.swept")
"""Every line at which a test lets a sweep die."""


def sweep(store: Store, seconds: float) -> int:
    """Sweeps whatever is leaving until nothing is, or the time is over; returns how many tasks it changed."""
    until, swept = time.monotonic() + seconds, 0
    while (waiting := leaving.accounts(store)) and time.monotonic() < until:
        for name, account in waiting.items():
            swept += _swept(store, name, account, until)
    return swept


def _swept(store: Store, name: str, account: Account, until: float) -> int:
    swept, after = 0, 0
    while time.monotonic() < until:
        tasks = leaving.tasks_of(store, name, trash=account.way == BACK, after=after, count=AT_ONCE)
        failpoints.reach("sweeping.listed")
        try:
            swept += _save(store, name, account, tasks)
            failpoints.reach("sweeping.swept")
        except Moved:
            if leaving.accounts(store).get(name) != account:
                return swept  # another worker has finished this
            continue  # somebody else was at one of them: look again
        if not tasks:
            return swept
        after = tasks[-1].id if account.way == BACK else 0  # what goes has left the list
        time.sleep(PAUSE_SECONDS)
    return swept


def _save(store: Store, name: str, account: Account, tasks: list[Task]) -> int:
    """Writes what becomes of some tasks, or for none that the sweep is done."""
    claim = Claim(account.actor, request_id=account.request_id)
    if not tasks:
        save(store, claim, [], leaving={name: ""}, sweep=(name, account.text))
        return 0
    users = {} if account.way == GONE else _users(store, {task.user_id for task in tasks})
    changes = [change for task in tasks if (change := _change(name, account, task, users))]
    save(store, claim, changes, list(users.values()), sweep=(name, account.text))
    return len(changes)


def _change(name: str, account: Account, task: Task, users: Mapping[int, User]) -> Change | None:
    """What becomes of the task; None if it is none of this sweep's."""
    user = users.get(task.user_id)
    if account.way == GONE:
        return Change(task, rules.gone(task, account.at, name), "deleted")
    if account.way == BACK:
        if task.deleted_with != name:
            return None
        if user is None or _lacks_group(name, task, user):
            return stays(task)
        return Change(task, rules.back(task, timestamp(), user.group_ids), "restored")
    now = rules.moved(task, timestamp(), user.group_ids if user else (), name)
    return Change(task, now, "changed" if now.deleted_at is None else "deleted")


def _lacks_group(name: str, task: Task, user: User) -> bool:
    """Whether a task that went with its group would come back to somebody who is no longer in it."""
    return name.startswith("group:") and task.group_id not in user.group_ids


def _users(store: Store, ids: Iterable[int]) -> dict[int, User]:
    return {user.id: user for user in users_of(store, Claim(0), sorted(ids))}
