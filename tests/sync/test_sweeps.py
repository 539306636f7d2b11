"""Sweeps that were under way when Redis was lost, came back older, or went back."""

from contextlib import suppress

import pytest

from taskapi.db.engine import Engine
from taskapi.domain import failpoints
from taskapi.domain.callers import Claim
from taskapi.domain.clock import timestamp
from taskapi.domain.records import Group, User
from taskapi.outside.shelf import Shelf
from taskapi.services.sweeping import sweep
from taskapi.store import contents, leaving
from taskapi.store.client import Store
from taskapi.store.kinds import GROUP, USER, Kind
from taskapi.store.leaving import BACK, GONE
from taskapi.store.plans import Change
from taskapi.store.records import save
from taskapi.sync import restoring
from taskapi.sync.admission import admit
from taskapi.sync.flush import drain
from taskapi.sync.going_back import go_back, undo
from tests.sync.conftest import Crash, change, crash, create, new_task, snapshot, turn_back
from tests.sync.test_admission import forget_everything, require_settled, tasks_in_life
from tests.sync.test_going_back import kept


@pytest.fixture
def bob(opened: Store) -> User:
    """A user in a group, with two tasks there: 1 and 2."""
    now = timestamp()
    create(opened, Group(name="Team", created_at=now, updated_at=now))
    made: User = create(opened, User(full_name="Bob", group_ids=(1,), created_at=now, updated_at=now))
    for _ in range(2):
        new_task(opened, user_id=made.id, group_id=1)
    return made


def goes(store: Store, kind: Kind, number: int) -> None:
    """It goes to the trash; its tasks are still to be swept."""
    begin(store, kind, number, GONE, timestamp())


def comes_back(store: Store, kind: Kind, number: int) -> None:
    """It comes back; its tasks are still to be swept."""
    begin(store, kind, number, BACK, None)


def begin(store: Store, kind: Kind, number: int, way: str, deleted_at: str | None) -> None:
    was = contents.present(store, kind, [number])[0]
    assert was
    account = leaving.account(Claim(1, request_id="asked"), way)
    change = Change(was, was.changed(deleted_at=deleted_at), "swept")
    save(store, Claim(1), [change], leaving={f"{kind.name}:{number}": account})


@pytest.mark.parametrize("kind", [USER, GROUP])
def test_what_comes_back_comes_back_though_redis_was_lost(
    opened: Store, engine: Engine, bob: User, kind: Kind
):
    number = bob.id if kind is USER else 1
    goes(opened, kind, number)
    sweep(opened, 10)
    comes_back(opened, kind, number)
    drain(opened, engine, 5)
    forget_everything(opened)

    admit(opened, engine)

    assert sweep(opened, 10) == 2
    assert sorted(tasks_in_life(opened)) == [1, 2]
    require_settled(opened, engine)


def test_what_comes_back_comes_back_after_an_undo(opened: Store, engine: Engine, shelf: Shelf, bob: User):
    name = kept(opened, engine, shelf)
    goes(opened, USER, bob.id)
    sweep(opened, 10)
    comes_back(opened, USER, bob.id)
    go_back(opened, engine, shelf, name)
    assert (sweep(opened, 10), sorted(tasks_in_life(opened))) == (0, [1, 2])

    undo(opened, engine, shelf)

    assert tasks_in_life(opened) == []
    assert (sweep(opened, 10), sorted(tasks_in_life(opened))) == (2, [1, 2])
    require_settled(opened, engine)


@pytest.mark.parametrize("kind", [USER, GROUP])
def test_an_older_redis_does_not_sweep_what_has_come_back_since(
    opened: Store, engine: Engine, bob: User, kind: Kind
):
    number = bob.id if kind is USER else 1
    goes(opened, kind, number)
    drain(opened, engine, 5)
    old_disk = snapshot(opened)
    sweep(opened, 10)
    comes_back(opened, kind, number)
    sweep(opened, 10)
    drain(opened, engine, 5)
    turn_back(opened, old_disk)

    admit(opened, engine)

    assert (leaving.accounts(opened), sweep(opened, 10)) == ({}, 0)
    assert sorted(tasks_in_life(opened)) == [1, 2]
    require_settled(opened, engine)


def test_what_an_older_redis_knows_of_a_sweep_that_goes_on_stays(opened: Store, engine: Engine, bob: User):
    goes(opened, GROUP, 1)
    sweep(opened, 10)
    comes_back(opened, GROUP, 1)
    goes(opened, USER, bob.id)
    drain(opened, engine, 5)
    old_disk = snapshot(opened)
    new_task(opened)
    drain(opened, engine, 5)
    turn_back(opened, old_disk)
    known = leaving.accounts(opened)

    admit(opened, engine)

    assert leaving.accounts(opened) == {"group:1": known["group:1"]}
    assert known["group:1"].request_id == "asked"


def test_who_joins_a_group_later_is_not_given_what_stayed_in_the_trash(
    opened: Store, engine: Engine, bob: User
):
    goes(opened, GROUP, 1)
    sweep(opened, 10)
    bob = change(opened, bob, group_ids=())
    comes_back(opened, GROUP, 1)
    sweep(opened, 10)
    change(opened, bob, group_ids=(1,))
    drain(opened, engine, 5)
    forget_everything(opened)

    admit(opened, engine)

    assert (sweep(opened, 10), tasks_in_life(opened)) == (0, [])
    require_settled(opened, engine)


@pytest.mark.parametrize("line", restoring.LINES)
@pytest.mark.parametrize("kind", [USER, GROUP])
def test_what_comes_back_comes_back_though_a_rebuild_dies_on_the_way(
    opened: Store, engine: Engine, shelf: Shelf, bob: User, kind: Kind, line: str
):
    number = bob.id if kind is USER else 1
    goes(opened, kind, number)
    sweep(opened, 10)
    comes_back(opened, kind, number)
    with failpoints.armed(line, crash), suppress(Crash):
        restoring.rebuild(opened, engine, shelf)

    admit(opened, engine)

    sweep(opened, 10)
    assert sorted(tasks_in_life(opened)) == [1, 2]
    require_settled(opened, engine)
