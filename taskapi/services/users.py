"""Users: list, create, read, delete, restore. Changing them is in `user_changes`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from taskapi.domain import access
from taskapi.domain import cascades as rules
from taskapi.domain.callers import Caller, Claim
from taskapi.domain.clock import timestamp
from taskapi.domain.errors import Forbidden, Invalid, NotFound, Stale
from taskapi.domain.filters import Page
from taskapi.domain.records import USER as PLAIN_USER
from taskapi.domain.records import Credential, User
from taskapi.domain.rights import Reach
from taskapi.services import cascades, passwords
from taskapi.services.again import decided_again
from taskapi.services.asking import ask_as
from taskapi.services.results import Listed, Shown, deleted
from taskapi.services.showing import shown_user
from taskapi.store import finders, keys
from taskapi.store.client import Store
from taskapi.store.codec import Stored
from taskapi.store.kinds import GROUP, USER
from taskapi.store.plans import SAME_ID, Change
from taskapi.store.reading import Question, Seen, ask, replayed
from taskapi.store.records import Saved, save


@decided_again
def list_users(store: Store, claim: Claim, page: Page) -> Listed:
    """The users whom the caller may list."""
    seen = ask_as(
        store, claim, lambda caller: Question(listing=finders.user_page(_listed_groups(caller), page))
    )
    blobs, following = finders.cut_page(seen.listing, page, finders.BY_ID)
    items = tuple(shown_user(seen.caller, Stored(USER, blob)).body for blob in blobs)
    return Listed(USER.plural, items, seen.listing.total, following)


@decided_again
def read_user(store: Store, claim: Claim, user_id: int) -> Shown:
    """A user, narrowed to what the caller may see."""
    seen = ask(store, claim, Question([keys.record(USER.name, user_id)]))
    access.require_user(seen.caller, user_id, seen.record(USER, user_id))
    return shown_user(seen.caller, seen.existing(USER, user_id))


@decided_again
def create_user(store: Store, claim: Claim, fields: Mapping[str, Any]) -> Shown:
    """A new user, with a password that they can sign in with if one is given."""
    group_ids = fields.get("group_ids") or ()
    seen = ask(store, claim, Question([keys.record(GROUP.name, group_id) for group_id in group_ids]))
    if again := replayed(store, seen):
        return written(seen.caller, again)
    placed = _within_reach(seen.caller, dict(fields))
    require_groups(seen, group_ids)
    changes = account_changes(placed)
    return written(seen.caller, save(store, claim, changes, [seen.caller.user]))


@decided_again
def delete_user(store: Store, claim: Claim, user_id: int, if_match: int | None = None) -> Shown:
    """Moves a user to the trash, and their tasks with them; their sessions end."""
    seen = ask(store, claim, Question([keys.record(USER.name, user_id)], hashes=[keys.spread(f"u{user_id}")]))
    if again := replayed(store, seen):
        return _deleted(again)
    access.require(seen.caller)
    access.require_deletable(user_id)
    was = access.require_user(seen.caller, user_id, seen.record(USER, user_id))
    require_version(was, if_match)
    rules.require_at_rest(seen.leaving, [user_id], was.group_ids)
    led = cascades.admin_places_end(cascades.groups_of(store, claim, was.group_ids), user_id)
    tasks = cascades.user_goes(store, claim, was, seen.hashes[0])
    changes = [Change(was, was.changed(deleted_at=timestamp()), "deleted"), *led, *tasks.changes]
    saved = save(
        store,
        claim,
        changes,
        [seen.caller.user],
        counts=tasks.counts,
        sessions_end=[user_id],
        leaving=tasks.leaving,
        not_leaving=[rules.user_goes(user_id)],
    )
    return _deleted(saved)


@decided_again
def restore_user(store: Store, claim: Claim, user_id: int, if_match: int | None = None) -> Shown:
    """Takes a user back from the trash with the tasks that went along, out of groups that are gone."""
    asked = [keys.record(USER.name, user_id), keys.trashed(USER.name, user_id)]
    seen = ask(store, claim, Question(asked, hashes=[keys.spread(f"u{user_id}", trash=True)]))
    if again := replayed(store, seen):
        return written(seen.caller, again)
    was: User | None = seen.trashed(USER, user_id)
    access.require(seen.caller)
    if was is None:
        raise NotFound(f"There is no user {user_id} in the trash.")
    require_version(was, if_match)
    access.require_user(seen.caller, user_id, was)
    rules.require_at_rest(seen.leaving, [user_id], ())
    present = [group.id for group in cascades.groups_of(store, claim, was.group_ids) if group is not None]
    now = was.changed(deleted_at=None, group_ids=tuple(present), updated_at=timestamp())
    tasks = cascades.user_comes_back(store, claim, now, seen.hashes[0])
    changes = [Change(was, now, "restored"), *tasks.changes]
    names = [rules.user_goes(user_id)]
    saved = save(store, claim, changes, [seen.caller.user], leaving=tasks.leaving, not_leaving=names)
    return written(seen.caller, saved)


def account_changes(fields: Mapping[str, Any]) -> list[Change]:
    """The user, and under the same id the credential, that `fields` (with `password`) describe."""
    moment = timestamp()
    values = {name: value for name, value in fields.items() if name != "password"}
    user = User(**values, created_at=moment, updated_at=moment)
    credential = Credential(password_hash=passwords.hashed(fields["password"]), updated_at=moment)
    return [Change(None, user, "created"), Change(None, credential, "created", SAME_ID)]


def require_version(user: User, if_match: int | None) -> None:
    """Raises Stale unless the version is the one that the caller has in mind."""
    if if_match not in (None, user.version):
        raise Stale(f"User {user.id} has version {user.version}.")


def require_groups(seen: Seen, group_ids: tuple[int, ...]) -> None:
    """Raises Invalid for a group that does not exist; they were asked for."""
    unknown = [str(number) for number in group_ids if seen.stored(GROUP, number) is None]
    if unknown:
        raise Invalid({"group_ids": [f"There is no group {', '.join(unknown)}."]})


def written(caller: Caller, saved: Saved) -> Shown:
    """The answer to a write of a user."""
    return shown_user(caller, saved.first).after(*saved.dirty, replayed=saved.again)


def _listed_groups(caller: Caller) -> tuple[int, ...] | None:
    return None if caller.is_owner else caller.group_ids


def _within_reach(caller: Caller, fields: dict[str, Any]) -> dict[str, Any]:
    """What a new user gets, if the caller may give it: a group admin makes plain users of their groups."""
    if access.require(caller) is Reach.ALL:
        return fields
    if fields.get("role", PLAIN_USER) != PLAIN_USER:
        raise Forbidden("A group admin creates users of the role user only.")
    if "group_ids" not in fields and len(caller.group_ids) == 1:
        fields["group_ids"] = caller.group_ids
    if not fields.get("group_ids"):
        raise Invalid({"group_ids": ["Name at least one of the groups that you lead."]})
    if not set(fields["group_ids"]) <= set(caller.group_ids):
        raise Forbidden("A group admin creates users in their own groups only.")
    return fields


def _deleted(saved: Saved) -> Shown:
    return deleted(saved.ids[0]).after(*saved.dirty, replayed=saved.again)
