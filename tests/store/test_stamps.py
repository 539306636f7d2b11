"""Whatever changes a task changes the stamp of each scope that sees it, before or after, and of no other."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from taskapi.domain.clock import timestamp
from taskapi.domain.errors import Unavailable
from taskapi.domain.filters import Scope
from taskapi.domain.records import Task
from taskapi.store import scrub, stamps, state
from taskapi.store.client import Store
from taskapi.store.held import Held
from taskapi.store.kinds import TASK
from taskapi.store.plans import Change
from taskapi.store.records import save
from taskapi.store.replacing import REPLACED, replace
from tests.store.conftest import SYSTEM, Maker

ALL = Scope(everything=True)
SCOPES = {
    "all": ALL,
    "user 1": Scope(user=1),
    "user 2": Scope(user=2),
    "user 3": Scope(user=3),
    "group 1": Scope(groups=(1,), user=4),
    "group 2": Scope(groups=(2,), user=5),
    "both groups": Scope(groups=(1, 2), user=6),
    "a pair": Scope(pairs=((1, 1),)),
}


@pytest.fixture
def people(make: Maker) -> Maker:
    for name in ("One", "Two"):
        make.group(name=name)
    for number in range(3):
        make.user(full_name=f"User {number}", group_ids=(1, 2))
    return make


@pytest.fixture
def task(people: Maker) -> Task:
    return people.task(user_id=1, group_id=1)


@contextmanager
def moving(store: Store, *expected: str) -> Iterator[None]:
    before = _stamps(store)
    yield
    after = _stamps(store)
    assert {name for name in SCOPES if before[name] != after[name]} == set(expected)


def _stamps(store: Store) -> dict[str, str | None]:
    return {name: stamps.stamp(store, scope) for name, scope in SCOPES.items()}


OF_THE_TASK = ("all", "user 1", "group 1", "both groups", "a pair")


def test_a_new_task(store: Store, people: Maker) -> None:
    with moving(store, *OF_THE_TASK):
        people.task(user_id=1, group_id=1)
    with moving(store, "all", "user 3"):
        people.task(user_id=3)


@pytest.mark.parametrize("values", [{"title": "Another"}, {"status": True}, {"deadline": "2026-01-01"}])
def test_a_change_of_what_it_says(store: Store, people: Maker, task: Task, values: dict[str, object]) -> None:
    with moving(store, *OF_THE_TASK):
        people.changed(task, **values)


def test_a_move_to_another_user_and_group(store: Store, people: Maker, task: Task) -> None:
    with moving(store, *OF_THE_TASK, "user 2", "group 2"):
        people.changed(task, user_id=2, group_id=2)


def test_the_trash_and_back_and_the_purge(store: Store, people: Maker, task: Task) -> None:
    with moving(store, *OF_THE_TASK):
        gone = people.changed(task, deleted_at=timestamp())
    with moving(store, *OF_THE_TASK):
        back = people.changed(gone, deleted_at=None)
    with moving(store, *OF_THE_TASK):
        people.purged(back)


def test_many_tasks_in_one_save(store: Store, people: Maker, task: Task) -> None:
    other = people.task(user_id=2, group_id=2)
    with moving(store, *OF_THE_TASK, "user 2", "group 2"):
        save(store, SYSTEM, [Change(one, one.changed(priority=1), "changed") for one in (task, other)])


def test_a_save_of_five_hundred_tasks_of_as_many_users(store: Store, make: Maker) -> None:
    users = [make.user(full_name=f"User {number}") for number in range(250)]
    fresh = [make.task(user_id=user.id) for user in users]
    before = [stamps.stamp(store, Scope(user=user.id)) for user in users]
    save(store, SYSTEM, [Change(one, one.changed(title="Another"), "changed") for one in fresh])
    after = [stamps.stamp(store, Scope(user=user.id)) for user in users]
    assert all(was != now for was, now in zip(before, after, strict=True))


def test_other_kinds_of_record_leave_all_stamps(store: Store, people: Maker, task: Task) -> None:
    with moving(store):
        people.changed(people.user(full_name="Eve"), full_name="Eva")
        people.group(name="Third")


def test_a_refused_write_leaves_all_stamps(store: Store, people: Maker, task: Task) -> None:
    people.changed(task, title="Another")
    with moving(store), pytest.raises(Exception, match="has changed"):
        people.changed(task, title="Too late")


def test_a_repair_from_postgresql_stamps_all(store: Store, people: Maker, task: Task) -> None:
    blob = store.redis.get(f"task:{task.id}")
    store.redis.delete("dirty", "dirty:since")
    with moving(store, *SCOPES):
        held = Held(TASK, task.id, "", blob, None, None, is_apart=False)
        assert replace(store, held, task.changed(title="Newer"), task.version)[0] == REPLACED


@pytest.mark.parametrize("spoil", ["twice", "risen"])
def test_a_scrub_that_takes_away_a_text_stamps_all(
    store: Store, people: Maker, task: Task, spoil: str
) -> None:
    if spoil == "twice":
        store.redis.set("trash:task:1", store.redis.get("task:1").replace(b'"version":', b'"version":1'))
    else:
        store.redis.set("purged:task:1", b'{"id":1,"purged":true,"version":9007199254740991}')
    with moving(store):
        scrub.scrub(store)
    with moving(store, *SCOPES):
        scrub.scrub(store, repair=True)


def test_another_epoch_is_another_stamp(store: Store, task: Task) -> None:
    before = _stamps(store)
    found = state.look(store)
    state.close(store)
    assert state.open_for(store, found.run, "test", 2, 0, found.ids)
    assert all(before[name] != now for name, now in _stamps(store).items())


def test_nothing_is_remembered_while_a_parent_is_leaving(store: Store, task: Task) -> None:
    store.redis.hset("leaving", "user:3", "{}")
    assert set(_stamps(store).values()) == {None}


def test_nothing_is_remembered_of_a_scope_of_very_many_parts(store: Store, task: Task) -> None:
    assert stamps.stamp(store, Scope(groups=tuple(range(1, 1001)))) is None
    assert stamps.stamp(store, Scope(groups=tuple(range(1, 1000)))) is not None


def test_a_closed_store_has_no_stamps(store: Store) -> None:
    state.close(store)
    with pytest.raises(Unavailable):
        stamps.stamp(store, ALL)


def test_the_parts_of_a_scope_name_it() -> None:
    named: Callable[[Scope], str] = lambda scope: "+".join(stamps.parts(scope))  # noqa: E731
    assert named(ALL) == "all"
    assert named(Scope(groups=(2, 1), user=3)) == "g1+g2+u3"
    assert named(Scope(user=3)) == "u3"
