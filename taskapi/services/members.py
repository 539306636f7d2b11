"""Who is in a group: list, add, remove."""

from __future__ import annotations

from taskapi.domain import access
from taskapi.domain import cascades as rules
from taskapi.domain.callers import Caller, Claim
from taskapi.domain.clock import timestamp
from taskapi.domain.errors import Forbidden, Invalid, NotFound
from taskapi.domain.filters import Page
from taskapi.domain.records import USER as PLAIN_USER
from taskapi.domain.records import Record, User
from taskapi.services import cascades
from taskapi.services.again import decided_again
from taskapi.services.results import Listed, Shown, deleted
from taskapi.services.showing import shown_user
from taskapi.store import finders, keys
from taskapi.store.client import Store
from taskapi.store.codec import Stored
from taskapi.store.kinds import GROUP, USER
from taskapi.store.plans import Change
from taskapi.store.reading import Question, Seen, ask, replayed
from taskapi.store.records import Saved, remember, save


@decided_again
def list_members(store: Store, claim: Claim, group_id: int, page: Page) -> Listed:
    """The users of a group, each as far as the caller sees them."""
    asked = Question([keys.record(GROUP.name, group_id)], listing=finders.user_page((group_id,), page))
    seen = ask(store, claim, asked)
    access.require_group(seen.caller, group_id, seen.record(GROUP, group_id))
    blobs, following = finders.cut_page(seen.listing, page, finders.BY_ID)
    items = tuple(shown_user(seen.caller, Stored(USER, blob)).body for blob in blobs)
    return Listed(USER.plural, items, seen.listing.total, following, {"group_id": group_id})


@decided_again
def add_member(store: Store, claim: Claim, group_id: int, user_id: int) -> tuple[Shown, bool]:
    """Puts a user into a group; False if they were in it already."""
    seen = ask(store, claim, Question(_keys(group_id, user_id)))
    group = access.require_group(seen.caller, group_id, seen.record(GROUP, group_id))
    if again := replayed(store, seen):
        return _written(seen.caller, again), True
    was: User | None = seen.record(USER, user_id)
    if was is None:
        raise Invalid({"user_id": [f"There is no user {user_id}."]})
    _require_plain(seen.caller, was)
    guards: list[Record] = [seen.caller.user, group]
    if group_id in was.group_ids:
        remember(store, claim, seen.existing(USER, user_id), guards)
        return shown_user(seen.caller, seen.existing(USER, user_id)), False
    rules.require_at_rest(seen.leaving, [user_id], ())
    groups = tuple(sorted({*was.group_ids, group_id}))
    change = Change(was, was.changed(group_ids=groups, updated_at=timestamp()), "changed")
    names = [rules.member_goes(user_id, group_id)]
    return _written(seen.caller, save(store, claim, [change], guards, not_leaving=names)), True


@decided_again
def remove_member(store: Store, claim: Claim, group_id: int, user_id: int) -> Shown:
    """Takes a user out of a group; their tasks in it move to their remaining group of lowest id, or go."""
    asked = Question(_keys(group_id, user_id), hashes=[keys.spread(f"u{user_id}")])
    seen = ask(store, claim, asked)
    group = access.require_group(seen.caller, group_id, seen.record(GROUP, group_id))
    if again := replayed(store, seen):
        return _removed(again)
    was = _required_member(seen, group_id, user_id)
    _require_plain(seen.caller, was)
    rules.require_at_rest(seen.leaving, [user_id], was.group_ids)
    now = was.changed(
        group_ids=tuple(each for each in was.group_ids if each != group_id), updated_at=timestamp()
    )
    tasks = cascades.member_leaves(store, claim, was, now, seen.hashes[0])
    changes = [Change(was, now, "changed"), *cascades.admin_places_end([group], user_id), *tasks.changes]
    guards: list[Record] = [seen.caller.user]
    names = [rules.member_goes(user_id, group_id)]
    return _removed(
        save(
            store,
            claim,
            changes,
            guards,
            counts=tasks.counts,
            leaving=tasks.leaving,
            not_leaving=names,
            makes_room=True,
        )
    )


def _keys(group_id: int, user_id: int) -> list[str]:
    return [keys.record(GROUP.name, group_id), keys.record(USER.name, user_id)]


def _required_member(seen: Seen, group_id: int, user_id: int) -> User:
    user: User | None = seen.record(USER, user_id)
    if user is None or group_id not in user.group_ids:
        raise NotFound(f"User {user_id} is not in group {group_id}.")
    return user


def _require_plain(caller: Caller, user: User) -> None:
    """Raises Forbidden unless a group admin deals with a plain user; the owner deals with everybody."""
    if not caller.is_owner and user.role != PLAIN_USER:
        raise Forbidden("Only the owner puts a group admin or an owner into a group, or takes one out.")


def _written(caller: Caller, saved: Saved) -> Shown:
    return shown_user(caller, saved.first).after(*saved.dirty, replayed=saved.again)


def _removed(saved: Saved) -> Shown:
    return deleted(saved.ids[0]).after(*saved.dirty, replayed=saved.again)
