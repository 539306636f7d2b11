"""Single tasks: create, read, change, finish, remove, restore."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from taskapi.domain import access
from taskapi.domain.callers import Caller, Claim
from taskapi.domain.clock import timestamp
from taskapi.domain.errors import Invalid, NotFound
from taskapi.domain.records import Record, Task, User
from taskapi.services import task_changes
from taskapi.services.again import decided_again, decided_often
from taskapi.services.purging import purge_of
from taskapi.services.results import Shown, deleted, whole
from taskapi.store import keys
from taskapi.store.client import Store
from taskapi.store.kinds import TASK, USER
from taskapi.store.plans import Change
from taskapi.store.reading import Question, Seen, ask, replayed
from taskapi.store.records import Saved, remember, save


@decided_again
def create_task(store: Store, claim: Claim, fields: Mapping[str, Any], user_id: int | None = None) -> Shown:
    """A new task of that user, of the one that `fields` name, or of the caller."""
    owner_id = fields.get("user_id", claim.user_id) if user_id is None else user_id
    seen = ask(store, claim, Question(_user_keys(owner_id)))
    owner = _future_owner(seen, owner_id, named=user_id is None)
    if user_id is not None and fields.get("user_id", user_id) != user_id:
        raise Invalid({"user_id": ["The path names another user."]})
    if again := replayed(store, seen):
        return _replayed(seen, again)
    task = task_changes.dated(_placed(seen.caller, owner, dict(fields)))
    return _written(save(store, claim, [Change(None, task, "created")], [seen.caller.user, owner]))


def read_task(store: Store, claim: Claim, task_id: int, user_id: int | None = None) -> Shown:
    """The task (of that user)."""
    seen = ask(store, claim, Question([*_user_keys(user_id), keys.record(TASK.name, task_id)]))
    _require_path(seen, user_id)
    access.require_task(seen.caller, task_id, seen.record(TASK, task_id), user_id)
    return whole(seen.existing(TASK, task_id))


@decided_again
def change_task(
    store: Store,
    claim: Claim,
    task_id: int,
    changes: Mapping[str, Any],
    user_id: int | None = None,
    if_match: int | None = None,
) -> Shown:
    """Changes what was sent of a task; nothing is written if nothing differs."""
    asked = [*_user_keys(user_id, changes.get("user_id")), keys.record(TASK.name, task_id)]
    return _revised(store, claim, Question(asked), task_id, lambda _: changes, user_id, if_match)


@decided_often
def add_tags(
    store: Store, claim: Claim, task_id: int, tags: Sequence[str], if_match: int | None = None
) -> Shown:
    """Adds tags to those that the task has by then; what it has already stays where it stands."""
    question = Question([keys.record(TASK.name, task_id)])
    tagged = partial(task_changes.tagged, tags=tags)
    return _revised(store, claim, question, task_id, tagged, if_match=if_match)


@decided_often
def remove_tag(store: Store, claim: Claim, task_id: int, tag: str, if_match: int | None = None) -> Shown:
    """Takes one tag away; raises NotFound if the task has no such tag."""
    question = Question([keys.record(TASK.name, task_id)])
    untagged = partial(task_changes.untagged, tag=tag)
    return _revised(store, claim, question, task_id, untagged, if_match=if_match)


def _revised(
    store: Store,
    claim: Claim,
    question: Question,
    task_id: int,
    changes_of: Callable[[Task], Mapping[str, Any]],
    user_id: int | None = None,
    if_match: int | None = None,
) -> Shown:
    """The task after the changes that follow from how it is found; Moved if it has changed meanwhile."""
    seen = ask(store, claim, question)
    guards = _require_path(seen, user_id)
    if again := replayed(store, seen):
        return _replayed(seen, again)
    was = task_changes.required(seen, task_id, user_id, if_match)
    change, rests_on = task_changes.change(
        seen.caller, was, changes_of(was), lambda owner_id: _owner(store, seen, owner_id)
    )
    if change is None:
        remember(store, claim, seen.existing(TASK, task_id), [*guards, *rests_on])
        return whole(seen.existing(TASK, task_id)).after(keys.record(TASK.name, task_id))
    return _written(save(store, claim, [change], [*guards, *rests_on]))


def finish_task(
    store: Store, claim: Claim, task_id: int, user_id: int | None = None, if_match: int | None = None
) -> Shown:
    """Marks a task as done."""
    return change_task(store, claim, task_id, {"status": True}, user_id, if_match)


@decided_again
def remove_task(
    store: Store,
    claim: Claim,
    task_id: int,
    user_id: int | None = None,
    permanent: bool = False,
    if_match: int | None = None,
) -> Shown:
    """Moves a task to the trash; `permanent` purges it, from the trash too."""
    asked = [*_user_keys(user_id), keys.record(TASK.name, task_id), keys.trashed(TASK.name, task_id)]
    seen = ask(store, claim, Question(asked))
    guards = _require_path(seen, user_id)
    if again := replayed(store, seen):
        return _removed(again)
    in_trash = permanent and seen.stored(TASK, task_id) is None
    was = task_changes.required(seen, task_id, user_id, if_match, in_trash=in_trash)
    if not permanent:
        return _removed(save(store, claim, [task_changes.removal(was)], guards))
    purge = purge_of(store, claim, [was])
    return _removed(save(store, claim, purge.changes, guards, counts=purge.counts))


@decided_again
def restore_task(store: Store, claim: Claim, task_id: int, if_match: int | None = None) -> Shown:
    """Takes a task back from the trash, out of its group if that is gone or its user has left it."""
    seen = ask(store, claim, Question([keys.record(TASK.name, task_id), keys.trashed(TASK.name, task_id)]))
    if again := replayed(store, seen):
        return _replayed(seen, again)
    was = task_changes.required(seen, task_id, if_match=if_match, in_trash=True)
    owner = _owner(store, seen, was.user_id)
    if owner is None:
        raise NotFound(f"User {was.user_id}, whose task this was, is gone.")
    group_id = was.group_id if was.group_id in owner.group_ids else None
    now = was.changed(deleted_at=None, deleted_with=None, group_id=group_id, updated_at=timestamp())
    access.require_task(seen.caller, task_id, now)
    return _written(save(store, claim, [Change(was, now, "restored")], [seen.caller.user, owner]))


def _user_keys(*user_ids: int | None) -> list[str]:
    return [keys.record(USER.name, user_id) for user_id in user_ids if user_id is not None]


def _owner(store: Store, seen: Seen, user_id: int) -> User | None:
    """That user, from what was seen if possible."""
    if keys.record(USER.name, user_id) not in seen.found:
        seen = ask(store, seen.claim, Question(_user_keys(user_id)))
    owner: User | None = seen.record(USER, user_id)
    return owner


def _future_owner(seen: Seen, user_id: int, *, named: bool) -> User:
    """Whose task it shall be; an unknown user whom the body has `named` is an error in the body."""
    owner: User | None = seen.record(USER, user_id)
    if owner is None and named and seen.caller.is_owner:
        raise Invalid({"user_id": [f"There is no user {user_id}."]})
    return access.require_user(seen.caller, user_id, owner)


def _replayed(seen: Seen, saved: Saved) -> Shown:
    """The first answer again, for who may see the task as it was then and as it is now."""
    record_id = saved.ids[0]
    access.require_task(seen.caller, record_id, saved.first.record)
    if keys.record(TASK.name, record_id) in seen.found and seen.record(TASK, record_id):
        access.require_task(seen.caller, record_id, seen.record(TASK, record_id))
    return _written(saved)


def _require_path(seen: Seen, user_id: int | None) -> list[Record]:
    """Refuses a path that names a user beyond the caller's right; returns what the right rests on."""
    if user_id is None:
        return [seen.caller.user]
    return [seen.caller.user, access.require_user(seen.caller, user_id, seen.record(USER, user_id))]


def _placed(caller: Caller, owner: User, fields: dict[str, Any]) -> Task:
    """The task with its owner, and with the group that is meant when none was sent."""
    theirs = (
        owner.group_ids if caller.is_owner or caller.id == owner.id else access.shared_groups(caller, owner)
    )
    if "group_id" not in fields:
        fields["group_id"] = theirs[0] if len(theirs) == 1 else None
    moment = timestamp()
    task = Task(**(fields | {"user_id": owner.id, "created_at": moment, "updated_at": moment}))
    task_changes.check_place(caller, owner, task)
    return task


def _written(saved: Saved) -> Shown:
    return whole(saved.first).after(*saved.dirty, replayed=saved.again)


def _removed(saved: Saved) -> Shown:
    return deleted(saved.ids[0]).after(*saved.dirty, replayed=saved.again)
