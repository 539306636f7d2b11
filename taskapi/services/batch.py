"""Many tasks in one call: each by the rules for one, all that is allowed in one save."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from taskapi.domain.callers import Claim
from taskapi.domain.errors import Conflict, Forbidden, Invalid, NotFound, Refused
from taskapi.domain.records import Record, Task, User
from taskapi.services import task_changes
from taskapi.services.again import decided_again
from taskapi.services.results import Shown, computed
from taskapi.store import keys
from taskapi.store.client import Store
from taskapi.store.kinds import TASK, USER
from taskapi.store.plans import Change
from taskapi.store.reading import Question, Seen, ask
from taskapi.store.records import Saved, remember, save

UPDATE, MARK_DONE, DELETE = "update", "mark_done", "delete"
MOST_TASKS = 500
DONE = 200
STATUSES: dict[type[Refused], int] = {Invalid: 400, Forbidden: 403, NotFound: 404, Conflict: 409}
"""The status that each refusal would have had if the task had been named alone."""

PASSED_BY = "This was not carried out when the request was first sent. Send it under another Idempotency-Key."


@dataclass(frozen=True, slots=True)
class _Wish:
    """What shall become of each task; `changes` None deletes it."""

    changes: Mapping[str, Any] | None
    owners: Mapping[int, User | None]


@dataclass(frozen=True, slots=True)
class _Item:
    """What becomes of one task: a change, nothing because nothing differs, or a refusal."""

    id: int
    change: Change | None = None
    rests_on: Sequence[Record] = ()
    refusal: Refused | None = None

    @property
    def shown(self) -> dict[str, Any]:
        """As it is answered."""
        if self.refusal is None:
            return {"id": self.id, "status": DONE, "success": True}
        status = STATUSES[type(self.refusal)]
        return {"id": self.id, "status": status, "success": False, "error": _sentence(self.refusal)}


@decided_again
def change_tasks(
    store: Store,
    claim: Claim,
    task_ids: Sequence[int],
    updates: Mapping[str, Any],
    action: str = UPDATE,
    atomic: bool = False,
) -> Shown:
    """Changes, finishes or deletes up to 500 tasks; a task that is named twice is one.

    Answers for each what would have been answered for it alone. `atomic` raises Conflict, and writes
    nothing, unless all succeed; its details list the `results` that failed.
    """
    changes = _changes(task_ids, updates, action)
    ids = list(dict.fromkeys(task_ids))
    seen = ask(store, claim, Question([*_task_keys(ids), *_user_keys(changes)]))
    again = seen.replayed
    items = _decided(seen, ids, _Wish(changes, _owners(store, seen, ids, changes)))
    if again is not None:
        return _replayed(items, again)
    if atomic:
        _require_all(items)
    return _carried_out(store, seen, items)


def _changes(task_ids: Sequence[int], updates: Mapping[str, Any], action: str) -> Mapping[str, Any] | None:
    if not 1 <= len(task_ids) <= MOST_TASKS:
        raise Invalid({"task_ids": [f"Name 1 to {MOST_TASKS} tasks."]})
    if action not in (UPDATE, MARK_DONE, DELETE):
        raise Invalid({"action": [f"Must be one of {UPDATE}, {MARK_DONE}, {DELETE}."]})
    if updates and action != UPDATE:
        raise Invalid({"updates": [f"Nothing is updated by {action}."]})
    if action == DELETE:
        return None
    return {"status": True} if action == MARK_DONE else updates


def _task_keys(ids: Sequence[int]) -> list[str]:
    return [keys.record(TASK.name, task_id) for task_id in ids]


def _user_keys(changes: Mapping[str, Any] | None) -> list[str]:
    """The user to whom all tasks shall go."""
    return [keys.record(USER.name, changes["user_id"])] if changes and "user_id" in changes else []


def _owners(
    store: Store, seen: Seen, ids: Sequence[int], changes: Mapping[str, Any] | None
) -> dict[int, User | None]:
    """Those with whom the tasks that move shall be. They are asked for only if tasks of several move."""
    tasks: list[Task | None] = [seen.record(TASK, task_id) for task_id in ids]
    moves = [
        now.user_id
        for was in tasks
        if was and changes and task_changes.is_moved(was, now := was.changed(**changes))
    ]
    wanted = {user_id: keys.record(USER.name, user_id) for user_id in moves}
    missing = [key for key in wanted.values() if key not in seen.found]
    beside = ask(store, seen.claim, Question(missing)) if missing else seen
    return {
        user_id: (seen if key in seen.found else beside).record(USER, user_id)
        for user_id, key in wanted.items()
    }


def _decided(seen: Seen, ids: Sequence[int], wish: _Wish) -> list[_Item]:
    return [_item(seen, task_id, wish) for task_id in ids]


def _item(seen: Seen, task_id: int, wish: _Wish) -> _Item:
    try:
        was = task_changes.required(seen, task_id)
        if wish.changes is None:
            return _Item(task_id, task_changes.removal(was))
        change, rests_on = task_changes.change(seen.caller, was, wish.changes, wish.owners.__getitem__)
    except (Invalid, Forbidden, NotFound) as refusal:
        return _Item(task_id, refusal=refusal)
    return _Item(task_id, change, rests_on)


def _require_all(items: Sequence[_Item]) -> None:
    failed = [item.shown for item in items if item.refusal is not None]
    if failed:
        raise Conflict(f"Nothing was changed: {len(failed)} of {len(items)} tasks refuse it.", results=failed)


def _carried_out(store: Store, seen: Seen, items: Sequence[_Item]) -> Shown:
    """Writes what there is to write."""
    changing = [item for item in items if item.change is not None]
    guards = [seen.caller.user, *(record for item in items for record in item.rests_on)]
    if changing:
        saved = save(store, seen.claim, [item.change for item in changing if item.change], guards)
        if saved.again and seen.claim.operation:
            return _replayed(items, saved)
        return _answer(items).after(*saved.dirty, replayed=saved.again)
    same = [item.id for item in items if item.refusal is None]
    if same:
        remember(store, seen.claim, seen.existing(TASK, same[0]), guards)
    return _answer(items)


def _replayed(items: Sequence[_Item], saved: Saved) -> Shown:
    """The answer once more, from the names of what was written; what was not is judged as it is now.

    A task that the first request passed by and that could be changed now stays as it is, and says so.
    """
    written = set(saved.ids)
    told = [_Item(item.id) if item.id in written else _unwritten(item) for item in items]
    return _answer(told).after(*saved.dirty, replayed=True)


def _unwritten(item: _Item) -> _Item:
    return item if item.change is None else _Item(item.id, refusal=Conflict(PASSED_BY))


def _answer(items: Sequence[_Item]) -> Shown:
    failed = sum(item.refusal is not None for item in items)
    results = [item.shown for item in items]
    return computed({"results": results, "updated": len(items) - failed, "failed": failed})


def _sentence(refusal: Refused) -> str:
    if isinstance(refusal, Invalid):
        return " ".join(message for messages in refusal.errors.values() for message in messages)
    return str(refusal)
