"""Cascades too large for one step: gone at once for every reader, finished whatever dies, taken back."""

import orjson
import pytest

from taskapi.domain.callers import Claim
from taskapi.domain.errors import Conflict, NotFound, Unauthorized
from taskapi.domain.filters import Page, TaskSearch
from taskapi.domain.rights import Right
from taskapi.services import cascades, groups, members, sweeping, task_lists, tasks, user_changes, users
from taskapi.store import leaving, scrub
from taskapi.store.reading import Question, ask
from tests.services.conftest import ADMIN, ANN, BOB, EVE, OWNER, claim, said

DELETE, MANAGE, MEMBERS, FIND = Right.DELETE_USER, Right.MANAGE_GROUPS, Right.MANAGE_MEMBERS, Right.FIND_TASKS
MANY = 12


@pytest.fixture(autouse=True)
def few_at_once(monkeypatch):
    """Five tasks are many here, and two are swept at a time."""
    monkeypatch.setattr(cascades, "MOST_AT_ONCE", 5)
    monkeypatch.setattr(sweeping, "AT_ONCE", 2)
    monkeypatch.setattr(sweeping, "PAUSE_SECONDS", 0)


@pytest.fixture
def full(house):
    """A dozen tasks of Ann in groups 1 and 2, one of Bob in 1, one of Eve in 2."""
    house.anns = [house.task(ANN, number % 2 + 1, title=f"a{number}") for number in range(MANY)]
    house.bobs, house.eves = house.task(BOB, 1), house.task(EVE, 2)
    return house


def listed(store, caller: int = OWNER, **search):
    return task_lists.list_tasks(store, claim(caller, FIND), TaskSearch(**search))


def ids(found) -> list[int]:
    return [orjson.loads(item)["id"] for item in found.items]


def delete_ann(store):
    return users.delete_user(store, claim(OWNER, DELETE), ANN)


def restore_ann(store):
    return users.restore_user(store, claim(OWNER, DELETE), ANN)


def test_everything_of_a_deleted_user_is_gone_from_the_first_instant(store, full):
    delete_ann(store)
    assert set(leaving.accounts(store)) == {f"user:{ANN}"}
    assert ids(listed(store)) == [full.bobs.id, full.eves.id]
    assert listed(store).total == 2
    assert ids(listed(store, group_id=1)) == [full.bobs.id]
    assert listed(store, ADMIN).total == 1
    for read in (lambda: tasks.read_task(store, claim(OWNER), full.anns[0].id),
                 lambda: tasks.change_task(store, claim(ADMIN), full.anns[0].id, {"title": "x"}),
                 lambda: tasks.remove_task(store, claim(OWNER), full.anns[0].id)):  # fmt: skip
        with pytest.raises(NotFound):
            read()
    with pytest.raises(Unauthorized):
        tasks.create_task(store, claim(ANN), {"title": "x"})


def test_the_sweep_ends_complete_and_exact(store, full):
    delete_ann(store)
    assert sweeping.sweep(store, 60) == MANY
    assert leaving.accounts(store) == {}
    assert all(full.stored(f"trash:task:{task.id}")["deleted_with"] == f"user:{ANN}" for task in full.anns)
    assert scrub.differences(store) == []


@pytest.mark.parametrize("dies_at", range(1, 8))
def test_a_sweep_that_dies_at_any_step_is_finished_by_the_next(store, full, monkeypatch, dies_at):
    delete_ann(store)
    save, calls = sweeping.save, []

    def dying(*args, **kwargs):
        calls.append(1)
        if len(calls) == dies_at:
            raise KeyboardInterrupt
        return save(*args, **kwargs)

    monkeypatch.setattr(sweeping, "save", dying)
    with pytest.raises(KeyboardInterrupt):
        sweeping.sweep(store, 60)
    assert listed(store).total == 2
    sweeping.sweep(store, 60)
    assert leaving.accounts(store) == {}
    assert scrub.differences(store) == []


def test_a_sweep_that_is_out_of_time_goes_on_later(store, full):
    delete_ann(store)
    assert sweeping.sweep(store, 0) == 0
    assert sweeping.sweep(store, 60) == MANY


def test_two_sweeps_at_once_do_it_once(store, full, monkeypatch):
    delete_ann(store)
    save, done = sweeping.save, []

    def raced(*args, **kwargs):
        if not done:
            done.append(1)
            sweeping.sweep(store, 60)
        return save(*args, **kwargs)

    monkeypatch.setattr(sweeping, "save", raced)
    sweeping.sweep(store, 60)
    assert store.redis.xlen("journal") == len({entry for entry, _ in store.redis.xrange("journal")})
    assert scrub.differences(store) == []


def test_a_deleted_user_comes_back_whole_or_not_yet(store, full):
    delete_ann(store)
    with pytest.raises(Conflict, match="Try again"):
        restore_ann(store)
    sweeping.sweep(store, 60)
    restore_ann(store)
    assert listed(store, ANN).total == 0
    sweeping.sweep(store, 60)
    assert ids(listed(store, ANN)) == [task.id for task in full.anns]
    assert scrub.differences(store) == []


def test_what_was_in_the_trash_before_stays_there(store, full):
    before = full.anns.pop()
    tasks.remove_task(store, claim(ANN), before.id)
    delete_ann(store)
    sweeping.sweep(store, 60)
    restore_ann(store)
    sweeping.sweep(store, 60)
    assert before.id not in ids(listed(store, ANN))
    assert listed(store, ANN).total == MANY - 1


def test_nothing_is_written_for_a_user_who_is_being_brought_back(store, full):
    delete_ann(store)
    sweeping.sweep(store, 60)
    restore_ann(store)
    with pytest.raises(Conflict):
        tasks.create_task(store, claim(ANN), {"title": "x"})
    with pytest.raises(Conflict):
        delete_ann(store)
    sweeping.sweep(store, 60)
    assert said(tasks.create_task(store, claim(ANN), {"title": "x"}))["user_id"] == ANN


def test_the_many_tasks_of_who_leaves_a_group_move_on(store, full, monkeypatch):
    monkeypatch.setattr(cascades, "MOST_AT_ONCE", 3)
    members.remove_member(store, claim(ADMIN, MEMBERS), 1, ANN)
    assert full.bobs.id in ids(listed(store, group_id=1))
    assert len(ids(listed(store, group_id=1))) == 1
    with pytest.raises(Conflict):
        members.add_member(store, claim(OWNER, MEMBERS), 1, ANN)
    sweeping.sweep(store, 60)
    assert {full.stored(f"task:{task.id}")["group_id"] for task in full.anns} == {2}
    assert members.add_member(store, claim(OWNER, MEMBERS), 1, ANN)[1]
    assert scrub.differences(store) == []


def test_the_many_tasks_of_who_leaves_every_group_go(store, full):
    user_changes.change_user(store, claim(OWNER, Right.CHANGE_USER), ANN, {"group_ids": ()})
    assert listed(store, ANN).total == 0
    sweeping.sweep(store, 60)
    names = {full.stored(f"trash:task:{task.id}")["deleted_with"] for task in full.anns}
    assert names == {f"member:{ANN}:1", f"member:{ANN}:2"}
    assert scrub.differences(store) == []


def test_who_leaves_the_next_group_too_while_they_are_swept_loses_nothing_half(store, full, monkeypatch):
    monkeypatch.setattr(cascades, "MOST_AT_ONCE", 3)
    members.remove_member(store, claim(ADMIN, MEMBERS), 1, ANN)
    with pytest.raises(Conflict):
        members.remove_member(store, claim(OWNER, MEMBERS), 2, ANN)
    sweeping.sweep(store, 60)
    members.remove_member(store, claim(OWNER, MEMBERS), 2, ANN)
    sweeping.sweep(store, 60)
    assert listed(store).total == 2
    assert scrub.differences(store) == []


def test_a_user_who_is_deleted_when_they_were_moved_takes_all_along_and_back(store, full, monkeypatch):
    monkeypatch.setattr(cascades, "MOST_AT_ONCE", 3)
    members.remove_member(store, claim(ADMIN, MEMBERS), 1, ANN)
    with pytest.raises(Conflict):
        delete_ann(store)
    sweeping.sweep(store, 60)
    delete_ann(store)
    sweeping.sweep(store, 60)
    assert listed(store).total == 2
    users.restore_user(store, claim(OWNER, DELETE), ANN)
    sweeping.sweep(store, 60)
    assert listed(store).total == MANY + 2
    assert scrub.differences(store) == []


def test_a_large_group_goes_and_comes_back(store, full):
    groups.delete_group(store, claim(OWNER, MANAGE), 1)
    assert listed(store).total == MANY // 2 + 1
    with pytest.raises(Conflict):
        groups.restore_group(store, claim(OWNER, MANAGE), 1)
    sweeping.sweep(store, 60)
    assert scrub.differences(store) == []
    groups.restore_group(store, claim(OWNER, MANAGE), 1)
    sweeping.sweep(store, 60)
    assert listed(store).total == MANY + 2
    assert scrub.differences(store) == []


def test_a_group_tells_no_tasks_of_who_is_leaving(store, full):
    delete_ann(store)
    assert said(groups.read_group(store, claim(OWNER, Right.READ_GROUP), 1))["tasks_count"] == 1
    seen = ask(store, Claim(0), Question(listing=["merge", "task:", 0, "", 0, 9, "all", 1, "0:2"]))
    assert seen.listing.total == 2


def test_the_trash_shows_what_was_swept_and_no_more(store, full):
    delete_ann(store)
    assert task_lists.list_trash(store, claim(OWNER, FIND), Page()).total == 0
    sweeping.sweep(store, 60)
    assert task_lists.list_trash(store, claim(OWNER, FIND), Page()).total == MANY
