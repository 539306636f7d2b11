"""Changing users: who may set which field, and what follows from it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from taskapi.domain import access, worktime
from taskapi.domain import cascades as rules
from taskapi.domain.callers import Caller, Claim
from taskapi.domain.clock import timestamp
from taskapi.domain.errors import Conflict, Forbidden, Invalid, WrongPassword
from taskapi.domain.records import GROUP_ADMIN, OWNER, OWNER_ID, Credential, User
from taskapi.services import cascades, passwords
from taskapi.services.again import decided_again
from taskapi.services.cascades import Cascade
from taskapi.services.results import Shown, computed
from taskapi.services.showing import shown_user
from taskapi.services.users import require_groups, require_version
from taskapi.store import keys
from taskapi.store.client import Store
from taskapi.store.codec import Stored
from taskapi.store.kinds import CREDENTIAL, GROUP, USER
from taskapi.store.plans import Change
from taskapi.store.reading import Question, Seen, ask, replayed
from taskapi.store.records import Saved, remember, save

OWN_PASSWORD_FIELDS = frozenset({"password", "email"})


@dataclass(frozen=True, slots=True)
class _Changed:
    """What a change has come to."""

    caller: Caller
    stored: Stored
    dirty: tuple[str, ...] = ()
    replayed: bool = False


def change_user(
    store: Store,
    claim: Claim,
    user_id: int,
    changes: Mapping[str, Any],
    if_match: int | None = None,
    *,
    owner_password: str | None = None,
) -> Shown:
    """Changes what was sent of a user. A new role or password ends their sessions.

    Who changes their own password or e-mail gives `current_password` too; the system owner's is
    `owner_password` and no other, where it is given.
    """
    done = _change(store, claim, user_id, changes, if_match, owner_password)
    return shown_user(done.caller, done.stored).after(*done.dirty, replayed=done.replayed)


def change_worktimes(
    store: Store, claim: Claim, user_id: int, work_times: Mapping[str, float], if_match: int | None = None
) -> Shown:
    """Sets the hours of the days that were sent; the others stay."""
    done = _change(store, claim, user_id, {"work_times": work_times}, if_match)
    return _worktimes(done.stored.record).after(*done.dirty, replayed=done.replayed)


@decided_again
def read_worktimes(store: Store, claim: Claim, user_id: int) -> Shown:
    """A user's hours per weekday."""
    seen = ask(store, claim, Question([keys.record(USER.name, user_id)]))
    return _worktimes(access.require_user(seen.caller, user_id, seen.record(USER, user_id)))


@decided_again
def _change(
    store: Store,
    claim: Claim,
    user_id: int,
    changes: Mapping[str, Any],
    if_match: int | None,
    owner_password: str | None = None,
) -> _Changed:
    group_ids = changes.get("group_ids") or ()
    seen = ask(store, claim, Question(_keys(user_id, group_ids), hashes=[keys.spread(f"u{user_id}")]))
    was = access.require_user(seen.caller, user_id, seen.record(USER, user_id))
    if again := replayed(store, seen):
        return _done(seen.caller, again)
    _require_fields(seen.caller, user_id, changes)
    _require_current_password(seen, user_id, changes, owner_password)
    require_version(was, if_match)
    require_groups(seen, group_ids)
    now = _as_changed(was, changes)
    _require_name(was, now)
    guards = [seen.caller.user, was]
    if now.group_ids != was.group_ids:
        rules.require_at_rest(seen.leaving, [user_id], was.group_ids)
    plan = _plan(store, seen, was, now, changes.get("password"))
    if not plan.changes:
        remember(store, claim, seen.existing(USER, user_id), guards)
        return _Changed(seen.caller, seen.existing(USER, user_id), (keys.record(USER.name, user_id),))
    ends = [user_id] if "password" in changes or now.role != was.role else []
    joined = [rules.member_goes(user_id, group_id) for group_id in set(now.group_ids) - set(was.group_ids)]
    saved = save(
        store,
        claim,
        plan.changes,
        guards,
        counts=plan.counts,
        sessions_end=ends,
        leaving=plan.leaving,
        not_leaving=joined,
    )
    return _done(seen.caller, saved)


def _keys(user_id: int, group_ids: Sequence[int]) -> list[str]:
    groups = [keys.record(GROUP.name, group_id) for group_id in group_ids]
    return [keys.record(USER.name, user_id), keys.record(CREDENTIAL.name, user_id), *groups]


def _require_fields(caller: Caller, user_id: int, changes: Mapping[str, Any]) -> None:
    """Raises unless the caller may set each of these fields of that user."""
    allowed = access.changeable_user_fields(caller, user_id)
    beyond = sorted(changes.keys() - (allowed or changes.keys()) - {"current_password"})
    if beyond:
        raise Forbidden(f"You have no right to change {', '.join(beyond)} of user {user_id}.")
    if user_id == OWNER_ID and "password" in changes:
        raise Conflict("The system owner's password is set by OWNER_PASSWORD.")
    if user_id == OWNER_ID and changes.get("role", OWNER) != OWNER:
        raise Conflict("The system owner stays the owner.")


def _require_current_password(
    seen: Seen, user_id: int, changes: Mapping[str, Any], owner_password: str | None
) -> None:
    if seen.caller.id != user_id or not OWN_PASSWORD_FIELDS & changes.keys():
        return
    credential: Credential | None = seen.record(CREDENTIAL, user_id)
    if "current_password" not in changes:
        raise Invalid({"current_password": ["Give your current password to change your password or e-mail."]})
    if user_id == OWNER_ID and owner_password is not None:
        matches = passwords.are_same(owner_password, changes["current_password"])
    else:
        kept = credential.password_hash if credential else None
        matches = passwords.matches(kept, changes["current_password"])
    if not matches:
        raise WrongPassword


def _require_name(was: User, now: User) -> None:
    """Raises Invalid if nothing would be left to sign in with but the id."""
    if (was.username or was.email) and not (now.username or now.email):
        field = "username" if was.username else "email"
        raise Invalid({field: ["Keep a username or an e-mail: one of them is needed to sign in."]})


def _as_changed(was: User, changes: Mapping[str, Any]) -> User:
    values = {name: value for name, value in changes.items() if name not in ("password", "current_password")}
    if "work_times" in values:
        values["work_times"] = worktime.merged(was.work_times, values["work_times"] or {})
    if values.get("role", was.role) != was.role:
        values["requested_role"] = None
    return was.changed(**values)


def _plan(store: Store, seen: Seen, was: User, now: User, password: str | None) -> Cascade:
    """All that has to be written: user, credential, groups they led, tasks in groups that they leave."""
    moment = timestamp()
    differs = now.differs(was) or password is not None
    plan = [Change(was, now.changed(updated_at=moment), "changed")] if differs else []
    if password is not None:
        plan.append(_new_password(seen.record(CREDENTIAL, was.id), password, was.id))
    led = (
        set(was.group_ids)
        if now.role not in (GROUP_ADMIN, OWNER)
        else set(was.group_ids) - set(now.group_ids)
    )
    if (now.role, now.group_ids) == (was.role, was.group_ids):
        return Cascade(plan)
    plan += cascades.admin_places_end(cascades.groups_of(store, seen.claim, sorted(led)), was.id)
    tasks = cascades.member_leaves(store, seen.claim, was, now, seen.hashes[0])
    return replace(tasks, changes=plan + tasks.changes)


def _new_password(was: Credential | None, password: str, user_id: int) -> Change:
    now = Credential(password_hash=passwords.hashed(password), updated_at=timestamp())
    if was is None:
        return Change(None, now, "created", str(user_id))
    return Change(was, now.changed(id=user_id, version=was.version), "changed")


def _done(caller: Caller, saved: Saved) -> _Changed:
    return _Changed(caller, saved.first, saved.dirty, saved.again)


def _worktimes(user: User) -> Shown:
    return computed({"user_id": user.id, "work_times": user.work_times}, user.id)
