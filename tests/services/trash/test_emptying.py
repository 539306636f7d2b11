"""The trash after its time: what is purged, what follows from it, and what stays."""

from typing import Any

import pytest

from taskapi.domain import clock
from taskapi.domain.clock import timestamp
from taskapi.domain.errors import NotFound
from taskapi.domain.records import Credential, File
from taskapi.domain.rights import Right
from taskapi.domain.trash import Return, term
from taskapi.services import emptying, groups, sweeping, tasks, users
from taskapi.services.emptying import empty_trash
from taskapi.store import dirty, keys, leaving, scrub
from taskapi.store.client import Store
from taskapi.store.plans import Change
from taskapi.store.records import save
from tests.services.conftest import ANN, BOB, OWNER, House, claim, said
from tests.services.trash.conftest import DELETE, MANAGE, Days, delete_ann, emptied, everywhere, restore_ann


def test_a_task_lies_in_the_trash_for_its_time_and_is_purged_then(store: Store, house: House, days: Days):
    task, other = house.task(ANN, 1, tags=("a",)), house.task(ANN, 1)
    tasks.remove_task(store, claim(ANN), task.id)
    days.pass_by(29.9)
    tasks.remove_task(store, claim(ANN), other.id)
    assert emptied(store) == {}
    days.pass_by(0.2)

    assert emptied(store) == {"tasks": 1}

    assert everywhere(store, f"task:{task.id}") == [keys.PURGED]
    assert everywhere(store, f"task:{other.id}") == [keys.TRASH]
    with pytest.raises(NotFound):
        tasks.restore_task(store, claim(ANN), task.id)
    assert dirty.journal(store)[-1].action == "purged"
    assert emptied(store) == {}
    assert scrub.differences(store) == []


def test_what_was_taken_out_or_put_in_again_has_its_whole_time_again(store: Store, house: House, days: Days):
    back, again = house.task(ANN, 1), house.task(ANN, 1)
    for task in (back, again):
        tasks.remove_task(store, claim(ANN), task.id)
    days.pass_by(20)
    for task in (back, again):
        tasks.restore_task(store, claim(ANN), task.id)
    tasks.remove_task(store, claim(ANN), again.id)
    store.redis.zadd(keys.TRASHED, {f"task:{again.id}": 0})  # Redis's clock had been wrong
    days.pass_by(20)
    assert emptied(store) == {}
    assert everywhere(store, f"task:{back.id}") == [""]
    days.pass_by(11)
    assert emptied(store) == {"tasks": 1}


@pytest.mark.parametrize("count", [1, 4, 9])
def test_a_user_goes_with_their_password_their_name_and_every_task(
    store: Store, house: House, days: Days, count: int
):
    made = [house.task(ANN, number % 2 + 1).id for number in range(count)]
    login = Credential(password_hash="x", updated_at=timestamp())
    save(store, claim(0), [Change(None, login, "created", str(ANN))])
    tasks.remove_task(store, claim(ANN), made[0])
    delete_ann(store)
    days.pass_by(31)
    assert emptied(store, dry_run=True) == {"users": 1, "tasks": count}
    assert everywhere(store, f"user:{ANN}") == [keys.TRASH]

    assert emptied(store) == {"users": 1, "tasks": count}

    for name in (f"user:{ANN}", f"credential:{ANN}", *(f"task:{number}" for number in made)):
        assert everywhere(store, name) == [keys.PURGED]
    with pytest.raises(NotFound):
        restore_ann(store)
    fields = {
        "full_name": "Another",
        "username": "ANN",
        "email": "ann@example.org",
        "password": "long-enough",
    }
    assert said(users.create_user(store, claim(OWNER, Right.CREATE_USER), fields))["id"] > ANN
    assert scrub.differences(store) == []


def test_what_was_deleted_before_its_user_goes_first_and_the_user_comes_back_without(
    store: Store, house: House, days: Days
):
    alone, along = house.task(ANN, 1), house.task(ANN, 1)
    tasks.remove_task(store, claim(ANN), alone.id)
    days.pass_by(10)
    delete_ann(store)
    days.pass_by(21)
    assert emptied(store) == {"tasks": 1}
    restore_ann(store)
    assert everywhere(store, f"task:{alone.id}") == [keys.PURGED]
    assert everywhere(store, f"task:{along.id}") == [""]
    assert scrub.differences(store) == []


def test_a_group_goes_with_what_went_with_it_and_its_name_is_free(store: Store, house: House, days: Days):
    made = [house.task(who, 1).id for who in (ANN, ANN, BOB)]
    groups.delete_group(store, claim(OWNER, MANAGE), 1)
    days.pass_by(31)
    assert emptied(store, dry_run=True) == {"groups": 1}
    assert emptied(store) == {"groups": 1, "tasks": 3}
    for name in ("group:1", *(f"task:{number}" for number in made)):
        assert everywhere(store, name) == [keys.PURGED]
    with pytest.raises(NotFound):
        groups.restore_group(store, claim(OWNER, MANAGE), 1)
    assert said(groups.create_group(store, claim(OWNER, MANAGE), {"name": "ONE"}))["id"] > 1
    assert scrub.differences(store) == []


def test_who_is_purged_does_not_come_back_with_their_group(store: Store, house: House, days: Days):
    bobs, anns = house.task(BOB, 1), house.task(ANN, 1)
    users.delete_user(store, claim(OWNER, DELETE), BOB)
    days.pass_by(20)
    groups.delete_group(store, claim(OWNER, MANAGE), 1)
    days.pass_by(11)
    assert emptied(store) == {"users": 1, "tasks": 1}
    groups.restore_group(store, claim(OWNER, MANAGE), 1)
    assert everywhere(store, f"task:{bobs.id}") == [keys.PURGED]
    assert everywhere(store, f"task:{anns.id}") == [""]
    assert scrub.differences(store) == []


def test_what_went_with_a_parent_never_goes_before_it(store: Store, house: House, days: Days):
    made = [house.task(ANN, 2).id for _ in range(3)]
    delete_ann(store)
    store.redis.zadd(keys.TRASHED, {f"user:{ANN}": clock.milliseconds(clock.ago(-60))})
    days.pass_by(31)
    assert emptied(store) == {}
    restore_ann(store)
    assert all(everywhere(store, f"task:{number}") == [""] for number in made)


def test_a_sweep_under_way_is_left_alone(store: Store, house: House, days: Days):
    made = [house.task(ANN, number % 2 + 1).id for number in range(7)]
    delete_ann(store)
    days.pass_by(31)
    restore_ann(store)
    assert set(leaving.accounts(store)) == {f"user:{ANN}"}
    assert emptied(store) == {}
    sweeping.sweep(store, 60)
    assert all(everywhere(store, f"task:{number}") == [""] for number in made)
    assert emptied(store) == {}
    assert scrub.differences(store) == []


def test_who_is_being_swept_away_is_left_alone(store: Store, house: House, days: Days):
    made = [house.task(ANN, number % 2 + 1).id for number in range(7)]
    users.delete_user(store, claim(OWNER, DELETE), ANN)
    days.pass_by(31)
    assert emptied(store) == {}
    sweeping.sweep(store, 60)
    assert emptied(store) == {"users": 1, "tasks": len(made)}
    assert scrub.differences(store) == []


def test_what_a_restore_has_brought_into_the_trash_has_its_whole_time_again(
    store: Store, house: House, days: Days
):
    for _ in range(2):
        house.task(ANN, 1)
    for number in (1, 2):
        tasks.remove_task(store, claim(ANN), number)
    brought = int(house.stored("trash:task:1")["version"])
    days.pass_by(31)
    lately = Return(brought - 1, brought, clock.ago(1))
    assert dict(empty_trash(store, term(30, [lately]))) == {"tasks": 1}
    assert everywhere(store, "task:1") == [keys.TRASH]


def test_a_task_goes_with_its_files_in_one_step(
    store: Store, house: House, days: Days, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(emptying, "AT_ONCE", 4)
    made = [house.task(ANN, 1).id for _ in range(4)]
    for number, count in zip(made, (0, 1, 6, 0), strict=True):
        attached(store, number, count)
    for number in made[:2]:
        tasks.remove_task(store, claim(ANN), number)
    delete_ann(store)
    days.pass_by(31)
    sizes: list[int] = []
    real = emptying.save

    def measured(*args: Any, **options: Any) -> Any:
        sizes.append(len(args[2]))
        return real(*args, **options)

    monkeypatch.setattr(emptying, "save", measured)
    assert emptied(store, dry_run=True) == {"users": 1, "tasks": 4, "files": 7}

    assert emptied(store) == {"users": 1, "tasks": 4, "files": 7}

    assert sizes == [4, 7, 1]
    assert store.redis.keys("file:*") == store.redis.keys("files:*") == []
    assert scrub.differences(store) == []


def test_tasks_with_many_files_go_in_several_steps(
    store: Store, house: House, days: Days, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(emptying, "AT_ONCE", 4)
    for count in (2, 1, 3):
        number = house.task(ANN, 1).id
        attached(store, number, count)
        tasks.remove_task(store, claim(ANN), number)
    days.pass_by(31)
    before = store.redis.xlen("journal")
    assert emptied(store) == {"tasks": 3, "files": 6}
    assert store.redis.xlen("journal") == before + 9
    assert scrub.differences(store) == []


def attached(store: Store, task_id: int, count: int) -> None:
    for number in range(count):
        about = {"filename": f"{number}.txt", "content_type": "text/plain", "size": 1, "sha256": "0" * 64}
        file = File(task_id=task_id, user_id=ANN, created_at=timestamp(), **about)
        save(store, claim(0), [Change(None, file, "created")])
