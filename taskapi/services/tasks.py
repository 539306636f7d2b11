"""Single tasks: create, read, change, finish, remove, restore."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from taskapi.domain import access
from taskapi.domain.callers import Caller, Claim
from taskapi.domain.clock import timestamp
from taskapi.domain.errors import Forbidden, Invalid, NotFound, Stale
from taskapi.domain.records import Record, Task, User
from taskapi.services.again import decided_again
from taskapi.services.results import Shown, deleted, whole
from taskapi.store import keys
from taskapi.store.client import Store
from taskapi.store.kinds import TASK, USER
from taskapi.store.plans import Change
from taskapi.store.reading import Question, Seen, ask
from taskapi.store.records import Saved, remember, save


@decided_again
def create_task(store: Store, claim: Claim, fields: Mapping[str, Any], user_id: int | None = None) -> Shown:
    """A new task of that user, of the one that `fields` name, or of the caller."""
    owner_id = fields.get("user_id", claim.user_id) if user_id is None else user_id
    seen = ask(store, claim, Question(_user_keys(owner_id)))
    owner = _future_owner(seen, owner_id, named=user_id is None)
    if user_id is not None and fields.get("user_id", user_id) != user_id:
        raise Invalid({"user_id": ["The path names another user."]})
    if seen.replayed:
        return _replayed(seen, seen.replayed)
    task = _dated(_placed(seen.caller, owner, dict(fields)))
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
    new_owner_id = changes.get("user_id")
    asked = [*_user_keys(user_id, new_owner_id), keys.record(TASK.name, task_id)]
    seen = ask(store, claim, Question(asked))
    guards = _require_path(seen, user_id)
    if seen.replayed:
        return _replayed(seen, seen.replayed)
    was = _required(seen, task_id, user_id, if_match)
    now = was.changed(**changes)
    if (now.user_id, now.group_id) != (was.user_id, was.group_id):
        guards.append(_moved_to(store, seen, was, now))
    now = _dated(now, was)
    if not now.differs(was):
        remember(store, claim, seen.existing(TASK, task_id), guards)
        return whole(seen.existing(TASK, task_id))
    return _written(save(store, claim, [Change(was, now, "changed")], guards))


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
    if seen.replayed:
        return _removed(seen.replayed)
    in_trash = permanent and seen.stored(TASK, task_id) is None
    was = _required(seen, task_id, user_id, if_match, in_trash=in_trash)
    now = None if permanent else was.changed(deleted_at=timestamp())
    action = "purged" if permanent else "deleted"
    return _removed(save(store, claim, [Change(was, now, action)], guards))


@decided_again
def restore_task(store: Store, claim: Claim, task_id: int) -> Shown:
    """Takes a task back from the trash, out of its group if that is gone or its user has left it."""
    seen = ask(store, claim, Question([keys.record(TASK.name, task_id), keys.trashed(TASK.name, task_id)]))
    if seen.replayed:
        return _replayed(seen, seen.replayed)
    was = _required(seen, task_id, in_trash=True)
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


def _moved_to(store: Store, seen: Seen, was: Task, now: Task) -> User:
    """The user to whom a task goes, or with whom it stays in another group."""
    owner = _owner(store, seen, now.user_id)
    if owner is None and seen.caller.is_owner:
        raise Invalid({"user_id": [f"There is no user {now.user_id}."]})
    owner = _check_place(seen.caller, owner, now)
    if now.user_id != was.user_id and now.group_id is None and not seen.caller.is_owner:
        raise Invalid({"group_id": ["A task that goes to another user stays in a group."]})
    return owner


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


def _required(
    seen: Seen,
    task_id: int,
    user_id: int | None = None,
    if_match: int | None = None,
    *,
    in_trash: bool = False,
) -> Task:
    found = seen.trashed(TASK, task_id) if in_trash else seen.record(TASK, task_id)
    task: Task = access.require_task(seen.caller, task_id, found, user_id)
    if if_match not in (None, task.version):
        raise Stale(f"Task {task_id} has version {task.version}.")
    return task


def _placed(caller: Caller, owner: User, fields: dict[str, Any]) -> Task:
    """The task with its owner, and with the group that is meant when none was sent."""
    theirs = (
        owner.group_ids if caller.is_owner or caller.id == owner.id else access.shared_groups(caller, owner)
    )
    if "group_id" not in fields:
        fields["group_id"] = theirs[0] if len(theirs) == 1 else None
    moment = timestamp()
    task = Task(**(fields | {"user_id": owner.id, "created_at": moment, "updated_at": moment}))
    _check_place(caller, owner, task)
    return task


def _check_place(caller: Caller, owner: User | None, task: Task) -> User:
    """The owner, if the task may lie with them in that group and the caller may put it there."""
    if owner is None or (task.user_id != caller.id and not access.reaches_user(caller, task.user_id, owner)):
        raise Forbidden(f"You have no right to give tasks to user {task.user_id}.")
    if not access.may_edit_task(caller, task) or _is_unshared(caller, owner, task):
        shared = ", ".join(str(group_id) for group_id in access.shared_groups(caller, owner))
        raise Invalid(
            {"group_id": [f"Name one of the groups that you lead and user {owner.id} is in: {shared}."]}
        )
    if task.group_id is not None and task.group_id not in owner.group_ids:
        raise Invalid({"group_id": [f"User {owner.id} is not in group {task.group_id}."]})
    return owner


def _is_unshared(caller: Caller, owner: User, task: Task) -> bool:
    """Whether an admin would learn, or pass over, what groups beyond their own another user is in."""
    return caller.is_group_admin and caller.id != owner.id and task.group_id not in owner.group_ids


def _dated(now: Task, was: Task | None = None) -> Task:
    """The task with the times that its change implies."""
    moment = timestamp()
    if not now.status:
        now = now.changed(completed_at=None)
    elif was is None or not was.status:
        now = now.changed(completed_at=moment)
    return now.changed(updated_at=moment if was else now.updated_at)


def _written(saved: Saved) -> Shown:
    return whole(saved.first).after(saved.first.name, replayed=saved.again)


def _removed(saved: Saved) -> Shown:
    return deleted(saved.ids[0]).after(saved.first.name, replayed=saved.again)
