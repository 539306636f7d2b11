"""Groups: list, create, read, change, delete, restore."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from taskapi.domain import access
from taskapi.domain import cascades as rules
from taskapi.domain.callers import Caller, Claim
from taskapi.domain.clock import timestamp
from taskapi.domain.errors import Invalid, NotFound, Stale
from taskapi.domain.filters import Page
from taskapi.domain.records import GROUP_ADMIN, OWNER, Group, User
from taskapi.services import cascades
from taskapi.services.again import decided_again
from taskapi.services.asking import ask_as
from taskapi.services.results import Listed, Shown, computed, deleted, whole
from taskapi.store import codec, finders, keys, state
from taskapi.store.client import Store
from taskapi.store.kinds import GROUP, USER
from taskapi.store.plans import Change
from taskapi.store.reading import Question, Seen, ask, replayed
from taskapi.store.records import Count, Saved, remember, save


@decided_again
def list_groups(store: Store, claim: Claim, page: Page) -> Listed:
    """The groups that the caller may see."""
    seen = ask_as(store, claim, lambda caller: Question(listing=finders.group_page(_listed(caller), page)))
    blobs, following = finders.cut_page(seen.listing, page, finders.BY_ID)
    return Listed(GROUP.plural, blobs, seen.listing.total, following)


@decided_again
def read_group(store: Store, claim: Claim, group_id: int) -> Shown:
    """A group with its admin, and how many users and tasks it has."""
    asked = Question(
        [keys.record(GROUP.name, group_id)],
        hashes=[keys.spread(f"g{group_id}")],
        sizes=[keys.members(group_id)],
    )
    seen = ask(store, claim, asked)
    group = access.require_group(seen.caller, group_id, seen.record(GROUP, group_id))
    admin = _user(store, claim, group.admin_id)
    shown = codec.as_sent(seen.existing(GROUP, group_id).blob)
    counted = {"users_count": seen.sizes[0], "tasks_count": _tasks_count(seen, group_id)}
    return computed(shown | {"admin": _shown_admin(admin)} | counted, group_id)


@decided_again
def create_group(store: Store, claim: Claim, fields: Mapping[str, Any]) -> Shown:
    """A new group. An admin who is named becomes a member."""
    admin_id = fields.get("admin_id")
    seen = ask(store, claim, Question(_user_keys(admin_id)))
    access.require(seen.caller)
    if again := replayed(store, seen):
        return _written(again)
    moment = timestamp()
    group = Group(name=fields["name"], admin_id=admin_id, created_at=moment, updated_at=moment)
    if admin_id is None:
        return _written(save(store, claim, [Change(None, group, "created")], [seen.caller.user]))
    admin = _required_admin(seen, admin_id)
    group_id = state.reserve(store, GROUP)
    changes = [Change(None, group, "created", str(group_id)), *_joining(admin, group_id)]
    return _written(save(store, claim, changes, [seen.caller.user, admin]))


@decided_again
def change_group(
    store: Store, claim: Claim, group_id: int, changes: Mapping[str, Any], if_match: int | None = None
) -> Shown:
    """Changes a group's name or admin; who is named admin becomes a member."""
    admin_id = changes.get("admin_id")
    seen = ask(store, claim, Question([keys.record(GROUP.name, group_id), *_user_keys(admin_id)]))
    was = access.require_group(seen.caller, group_id, seen.record(GROUP, group_id))
    if again := replayed(store, seen):
        return _written(again)
    _require_version(was, if_match)
    now = was.changed(**changes)
    guards, joining = [seen.caller.user], []
    if admin_id is not None and admin_id != was.admin_id:
        admin = _required_admin(seen, admin_id)
        guards.append(admin)
        joining = _joining(admin, group_id)
    if not now.differs(was):
        remember(store, claim, seen.existing(GROUP, group_id), guards)
        return whole(seen.existing(GROUP, group_id)).after(keys.record(GROUP.name, group_id))
    changed = Change(was, now.changed(updated_at=timestamp()), "changed")
    return _written(save(store, claim, [changed, *joining], guards))


@decided_again
def delete_group(store: Store, claim: Claim, group_id: int, if_match: int | None = None) -> Shown:
    """Moves a group to the trash: it leaves all its users, and its tasks go."""
    asked = Question([keys.record(GROUP.name, group_id)], hashes=[keys.spread(f"g{group_id}")])
    seen = ask(store, claim, asked)
    if again := replayed(store, seen):
        return _removed(again)
    was = access.require_group(seen.caller, group_id, seen.record(GROUP, group_id))
    _require_version(was, if_match)
    members = _members(store, claim, group_id)
    rules.require_at_rest(seen.leaving, {user.id for user in members}, [group_id])
    gone = was.changed(deleted_at=timestamp(), member_ids=tuple(user.id for user in members))
    tasks = cascades.group_goes(store, claim, was, seen.hashes[0])
    changes = [Change(was, gone, "deleted"), *_leaving(members, group_id), *tasks.changes]
    return _removed(
        save(
            store,
            claim,
            changes,
            [seen.caller.user],
            counts=[*tasks.counts, Count(keys.members(group_id), "", len(members))],
            leaving=tasks.leaving,
            not_leaving=[rules.group_goes(group_id)],
        )
    )


@decided_again
def restore_group(store: Store, claim: Claim, group_id: int, if_match: int | None = None) -> Shown:
    """Takes a group back from the trash with its members, as far as they are there, and their tasks in it."""
    asked = [keys.record(GROUP.name, group_id), keys.trashed(GROUP.name, group_id)]
    seen = ask(store, claim, Question(asked, hashes=[keys.spread(f"g{group_id}", trash=True)]))
    access.require(seen.caller)
    if again := replayed(store, seen):
        return _written(again)
    was: Group | None = seen.trashed(GROUP, group_id)
    if was is None:
        raise NotFound(f"There is no group {group_id} in the trash.")
    _require_version(was, if_match)
    members = cascades.users_of(store, claim, was.member_ids or ())
    rules.require_at_rest(seen.leaving, {user.id for user in members}, [group_id])
    now = was.changed(
        deleted_at=None, member_ids=None, admin_id=_kept_admin(was, members), updated_at=timestamp()
    )
    tasks = cascades.group_comes_back(store, claim, now, members, seen.hashes[0])
    joining = [change for user in members for change in _joining(user, group_id)]
    changes = [Change(was, now, "restored"), *joining, *tasks.changes]
    names = [rules.group_goes(group_id)]
    return _written(save(store, claim, changes, [seen.caller.user], leaving=tasks.leaving, not_leaving=names))


def _listed(caller: Caller) -> tuple[int, ...] | None:
    return None if caller.is_owner else caller.group_ids


def _user_keys(user_id: int | None) -> list[str]:
    return [] if user_id is None else [keys.record(USER.name, user_id)]


def _user(store: Store, claim: Claim, user_id: int | None) -> User | None:
    if user_id is None:
        return None
    user: User | None = ask(store, claim, Question(_user_keys(user_id))).record(USER, user_id)
    return user


def _shown_admin(admin: User | None) -> dict[str, Any] | None:
    return None if admin is None else {"id": admin.id, "full_name": admin.full_name, "email": admin.email}


def _tasks_count(seen: Seen, group_id: int) -> int:
    """The tasks of all users in the group but those who are leaving."""
    gone = (rules.user_goes, lambda user_id: rules.member_goes(user_id, group_id))
    each = seen.hashes[0].items()
    return sum(count for user, count in each if not {name(int(user)) for name in gone} & seen.leaving)


def _required_admin(seen: Seen, admin_id: int) -> User:
    admin: User | None = seen.record(USER, admin_id)
    if admin is None:
        raise Invalid({"admin_id": [f"There is no user {admin_id}."]})
    if admin.role not in (GROUP_ADMIN, OWNER):
        raise Invalid({"admin_id": [f"User {admin_id} is no group_admin: give them the role first."]})
    return admin


def _kept_admin(was: Group, members: Sequence[User]) -> int | None:
    able = {user.id for user in members if user.role in (GROUP_ADMIN, OWNER)}
    return was.admin_id if was.admin_id in able else None


def _joining(user: User, group_id: int) -> list[Change]:
    if group_id in user.group_ids:
        return []
    groups = tuple(sorted({*user.group_ids, group_id}))
    return [Change(user, user.changed(group_ids=groups, updated_at=timestamp()), "changed")]


def _leaving(members: Sequence[User], group_id: int) -> list[Change]:
    return [Change(user, _without(user, group_id), "changed") for user in members]


def _without(user: User, group_id: int) -> User:
    kept = tuple(each for each in user.group_ids if each != group_id)
    return user.changed(group_ids=kept, updated_at=timestamp())


def _members(store: Store, claim: Claim, group_id: int) -> list[User]:
    members: list[User] = []
    page: Page | None = Page(per_page=finders.SLICE)
    while page is not None:
        blobs = ask(store, claim, Question(listing=finders.user_page((group_id,), page))).listing.blobs
        members += [codec.decode(USER, blob) for blob in blobs[: page.per_page]]
        cursor = finders.cursor_after(finders.BY_ID, members[-1].id) if len(blobs) > page.per_page else None
        page = None if cursor is None else Page(per_page=finders.SLICE, cursor=cursor)
    return members


def _require_version(group: Group, if_match: int | None) -> None:
    if if_match not in (None, group.version):
        raise Stale(f"Group {group.id} has version {group.version}.")


def _written(saved: Saved) -> Shown:
    return whole(saved.first).after(*saved.dirty, replayed=saved.again)


def _removed(saved: Saved) -> Shown:
    return deleted(saved.ids[0]).after(*saved.dirty, replayed=saved.again)
