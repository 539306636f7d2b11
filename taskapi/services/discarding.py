"""What becomes of a record whose refused change is given up: what PostgreSQL has, with all that follows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from taskapi.domain import cascades as rules
from taskapi.domain.callers import Claim
from taskapi.domain.errors import Conflict
from taskapi.domain.records import GROUP_ADMIN, OWNER, OWNER_ID, Credential, File, Group, Record, Task, User
from taskapi.services import cascades, purging
from taskapi.store import codec, keys
from taskapi.store.client import Store
from taskapi.store.kinds import CREDENTIAL, FILE, GROUP, KINDS, TASK, USER
from taskapi.store.plans import Change
from taskapi.store.quarantine import Refusal
from taskapi.store.reading import Question, Seen, ask
from taskapi.store.records import Count

DISCARDED = "discarded"


@dataclass(frozen=True, slots=True)
class Plan:
    """What has to be saved; see `store.records.save`. Without changes there is nothing to give up."""

    changes: list[Change]
    guards: Sequence[Record] = ()
    counts: Sequence[Count] = ()
    leaving: Mapping[str, str] = field(default_factory=dict)
    not_leaving: Sequence[str] = ()
    sessions_end: Sequence[int] = ()


@dataclass(frozen=True, slots=True)
class _Case:
    """A refused record as Redis has it (`was`: None if it is purged, or nowhere), and who gives it up."""

    store: Store
    claim: Claim
    refusal: Refusal
    was: Any

    @property
    def id(self) -> int:
        """The record's id."""
        return self.refusal.id

    @property
    def is_live(self) -> bool:
        """Whether it is there, and not in the trash."""
        return self.was is not None and self.was.deleted_at is None

    def becomes(self, now: Record | None) -> Change:
        """The change to that."""
        if self.was is not None:
            return Change(self.was, now, DISCARDED)
        tombstone = codec.version_of(self.refusal.blob) if self.refusal.is_purged else 0
        return Change(None, now, DISCARDED, str(self.id), tombstone)

    def ask(self, *wanted: str, **more: Any) -> Seen:
        """Asks for these records."""
        return ask(self.store, self.claim, Question(wanted, **more))


def plan(store: Store, claim: Claim, refusal: Refusal, held: Record | None) -> Plan:
    """How the record becomes the one that PostgreSQL has (`held`), or is purged if it has none.

    Raises Conflict, with what to do instead, where that would break something else.
    """
    case = _Case(store, claim, refusal, _present(refusal))
    if refusal.name == keys.record(CREDENTIAL.name, OWNER_ID):
        raise Conflict("The system owner's password is set by OWNER_PASSWORD: retry instead.")
    return _PURGED[refusal.kind](case) if held is None else _BACK[refusal.kind](case, held)


def _present(refusal: Refusal) -> Record | None:
    if not refusal.blob or refusal.is_purged:
        return None
    try:
        found: Record = codec.decode(KINDS[refusal.kind], refusal.blob)
    except (AttributeError, TypeError, ValueError) as fault:
        raise Conflict(f"What Redis has of {refusal.name} cannot be read: write it anew instead.") from fault
    return found


def _task_back(case: _Case, held: Task) -> Plan:
    """Out of a group that is gone; a task in the trash rests on nobody."""
    if held.deleted_at is not None:
        return Plan([case.becomes(held)])
    owner: User | None = case.ask(keys.record(USER.name, held.user_id)).record(USER, held.user_id)
    if owner is None:
        raise Conflict(
            f"In PostgreSQL task {held.id} is that of user {held.user_id}, who is gone:"
            " restore the user, or change the task instead."
        )
    group_id = held.group_id if held.group_id in owner.group_ids else None
    return Plan([case.becomes(held.changed(group_id=group_id))], [owner])


def _user_back(case: _Case, held: User) -> Plan:
    """Out of groups that are gone; their tasks in groups that they leave move on, or go."""
    _require_same_life(case, held)
    groups = cascades.groups_of(case.store, case.claim, held.group_ids)
    now = held.changed(group_ids=tuple(group.id for group in groups if group is not None))
    was: User | None = case.was
    if was is None or not case.is_live:
        return Plan([case.becomes(held if held.deleted_at else now)])
    leads = now.role in (GROUP_ADMIN, OWNER)
    left = sorted(set(was.group_ids) - set(now.group_ids if leads else ()))
    led = cascades.admin_places_end(cascades.groups_of(case.store, case.claim, left), case.id)
    hashes = case.ask(hashes=[keys.spread(f"u{case.id}")]).hashes
    tasks = cascades.member_leaves(case.store, case.claim, was, now, hashes[0])
    joined = set(now.group_ids) - set(was.group_ids)
    return Plan(
        [case.becomes(now), *led, *tasks.changes],
        counts=tasks.counts,
        leaving=tasks.leaving,
        not_leaving=[rules.member_goes(case.id, group_id) for group_id in sorted(joined)],
        sessions_end=[case.id] if now.role != was.role else [],
    )


def _group_back(case: _Case, held: Group) -> Plan:
    """Without an admin who is none any more."""
    _require_same_life(case, held)
    if held.admin_id is None:
        return Plan([case.becomes(held)])
    admin: User | None = case.ask(keys.record(USER.name, held.admin_id)).record(USER, held.admin_id)
    if admin is None or admin.role not in (GROUP_ADMIN, OWNER) or held.id not in admin.group_ids:
        return Plan([case.becomes(held if held.deleted_at else held.changed(admin_id=None))])
    return Plan([case.becomes(held)], [admin])


def _credential_back(case: _Case, held: Credential) -> Plan:
    return Plan([case.becomes(held)], sessions_end=[case.id])


def _file_back(case: _Case, held: File) -> Plan:
    """With its task, which may lie in the trash."""
    wanted = (keys.record(TASK.name, held.task_id), keys.trashed(TASK.name, held.task_id))
    seen = case.ask(*wanted)
    task: Task | None = seen.record(TASK, held.task_id)
    if task is None:
        there = "in the trash: restore it" if seen.found[wanted[1]] else "gone: retry"
        raise Conflict(f"In PostgreSQL it is a file of task {held.task_id}, which is {there} instead.")
    return Plan([case.becomes(held)], [task])


def _require_same_life(case: _Case, held: Record) -> None:
    """What goes and comes back with a user or a group is not decided here."""
    if case.was is None or case.is_live == (held.deleted_at is None):
        return
    name = f"{case.refusal.kind}s/{case.id}"
    if case.is_live:
        raise Conflict(f"In PostgreSQL it lies in the trash: put it there with DELETE /{name} instead.")
    raise Conflict(f"In PostgreSQL it is not in the trash: take it out with POST /{name}/restore instead.")


def _purged(case: _Case) -> Plan:
    """PostgreSQL has nothing, and Redis is to have nothing."""
    if case.refusal.is_purged:
        raise Conflict(
            f"{case.refusal.name} is purged, and PostgreSQL has nothing of it: there is nothing to give up."
            " It goes from quarantine when PostgreSQL takes the note of that: retry then."
        )
    return Plan([] if case.was is None else [case.becomes(None)])


def _task_purged(case: _Case) -> Plan:
    """With its files."""
    plan = _purged(case)
    files = purging.files_of(case.store, case.claim, case.id) if plan.changes else []
    return Plan([*plan.changes, *purging.purges(files)], counts=[purging.count_of(case.id, len(files))])


def _user_purged(case: _Case) -> Plan:
    """With the password; groups that they led have no admin then."""
    if case.id == OWNER_ID:
        raise Conflict("PostgreSQL has nothing of the system owner, who stays: retry instead.")
    if case.was is None:
        return _purged(case)
    spread = [keys.spread(f"u{case.id}", trash=in_trash) for in_trash in (False, True)]
    seen = case.ask(keys.record(CREDENTIAL.name, case.id), hashes=spread)
    if tasks := sum(sum(held.values()) for held in seen.hashes):
        raise Conflict(
            f"PostgreSQL has nothing of user {case.id}, to whom {tasks} tasks belong (some perhaps in the"
            " trash): give these to others or delete them with ?permanent=true, or retry instead."
        )
    credential: Credential | None = seen.record(CREDENTIAL, case.id)
    led = cascades.admin_places_end(cascades.groups_of(case.store, case.claim, case.was.group_ids), case.id)
    also = [] if credential is None else [Change(credential, None, DISCARDED)]
    counts = [Count(keys.spread("users"), str(case.id), 0)]
    return Plan([case.becomes(None), *also, *led], counts=counts, sessions_end=[case.id])


def _group_purged(case: _Case) -> Plan:
    if case.was is None:
        return _purged(case)
    seen = case.ask(hashes=[keys.spread(f"g{case.id}")], sizes=[keys.members(case.id)])
    users, tasks = seen.sizes[0], sum(seen.hashes[0].values())
    if users or tasks:
        raise Conflict(
            f"PostgreSQL has nothing of group {case.id}, in which {users} users and {tasks} tasks are:"
            f" take the users out with DELETE /groups/{case.id}/users/{{id}}, or retry instead."
        )
    counts = [Count(keys.spread("groups"), str(case.id), 0)]
    return Plan([case.becomes(None)], counts=counts)


def _credential_purged(case: _Case) -> Plan:
    wanted = (keys.record(USER.name, case.id), keys.trashed(USER.name, case.id))
    if case.was is not None and any(case.ask(*wanted).found[key] for key in wanted):
        raise Conflict(
            f"PostgreSQL has no password of user {case.id}, who could not sign in without one:"
            f" set another with PUT /users/{case.id}, or retry instead."
        )
    return _purged(case)


_BACK: Mapping[str, Callable[[_Case, Any], Plan]] = {
    USER.name: _user_back,
    CREDENTIAL.name: _credential_back,
    GROUP.name: _group_back,
    TASK.name: _task_back,
    FILE.name: _file_back,
}
_PURGED: Mapping[str, Callable[[_Case], Plan]] = {
    USER.name: _user_purged,
    CREDENTIAL.name: _credential_purged,
    GROUP.name: _group_purged,
    TASK.name: _task_purged,
    FILE.name: _purged,
}
