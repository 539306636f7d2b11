"""Parents whose tasks are being swept: gone, moved or brought back, some at a time."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from types import MappingProxyType
from typing import Any

import orjson

from taskapi.domain.callers import Claim
from taskapi.domain.cascades import group_goes, member_goes, user_goes
from taskapi.domain.clock import timestamp
from taskapi.domain.records import Task
from taskapi.store import codec, contents, keys
from taskapi.store.client import Store, faults_named, run
from taskapi.store.kinds import GROUP, TASK, USER

GONE, MOVED, BACK = "gone", "moved", "back"


@dataclass(frozen=True, slots=True)
class Account:
    """What a sweep has to do, for whom, and since when. `way` is GONE, MOVED or BACK."""

    way: str
    at: str
    actor: int
    request_id: str

    @property
    def text(self) -> str:
        """As it is kept."""
        return orjson.dumps(asdict(self)).decode()


def account(claim: Claim, way: str) -> str:
    """The account of a sweep that this caller has begun."""
    return Account(way, timestamp(), claim.user_id, claim.request_id).text


def accounts(store: Store) -> dict[str, Account]:
    """What is leaving, by name."""
    with faults_named():
        found: dict[Any, Any] = store.redis.hgetall(keys.LEAVING)
    return {name.decode(): Account(**orjson.loads(text)) for name, text in found.items()}


def tasks_of(store: Store, name: str, *, trash: bool, after: int, count: int) -> list[Task]:
    """The next tasks of that name by id, live or in the trash."""
    blobs = run(store, "sweep", name, "trash" if trash else "live", after, count)
    return [codec.decode(TASK, blob) for blob in blobs if blob is not None]


def resume(store: Store, coming_back: Collection[str] = ()) -> int:
    """Finds sweeps that were under way when Redis was lost, for admission, while it is closed; how many.

    An older Redis knows of some that are over: it would do them again, to whoever has come back since.
    """
    found: dict[Any, Any] = left_behind(store, coming_back, accounts(store))
    with faults_named():
        pipe: Any = store.redis.pipeline(transaction=True)
        pipe.delete(keys.LEAVING)
        if found:
            pipe.hset(keys.LEAVING, mapping=found)
        pipe.execute()
    return len(found)


def left_behind(
    store: Store, coming_back: Collection[str] = (), known: Mapping[str, Account] = MappingProxyType({})
) -> dict[str, str]:
    """What sweeps have not reached, by the tasks that are left: the account of each, by name.

    Tasks of a user or group that is not alive, or of somebody who is not in their group any more; and of
    those who are `coming_back`, if they are alive. What is `known` of a sweep that goes on stays its account.
    """
    back = {*coming_back, *(name for name, account in known.items() if account.way == BACK)}
    ways = dict.fromkeys(_alive(store, sorted(back)), BACK) | _going(store)
    return {name: _account(way, known.get(name)).text for name, way in sorted(ways.items())}


def _account(way: str, known: Account | None) -> Account:
    return known if known and known.way == way else Account(way, timestamp(), 0, "-")


def _alive(store: Store, names: list[str]) -> list[str]:
    """Those users and groups of which there is a live record: they have the same names."""
    return sorted({*names} - contents.missing(store, names))


def _going(store: Store) -> dict[str, str]:
    names: set[str] = set()
    with faults_named():
        holders: list[Any] = store.redis.hkeys(keys.spread("users"))
        for holder in holders:
            names |= _left_by(store, int(holder))
    return {name: MOVED if name.startswith("member:") else GONE for name in names}


def _left_by(store: Store, user_id: int) -> set[str]:
    blob: Any = store.redis.get(keys.record(USER.name, user_id))
    if blob is None:
        return {user_goes(user_id)}
    held: list[Any] = store.redis.hkeys(keys.spread(f"u{user_id}"))
    left = {int(group) for group in held} - {0, *codec.decode(USER, blob).group_ids}
    there = {group for group in left if store.redis.exists(keys.record(GROUP.name, group))}
    return {member_goes(user_id, group) for group in there} | {group_goes(group) for group in left - there}
