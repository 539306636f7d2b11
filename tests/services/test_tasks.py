"""Single tasks: whose they are, where they lie, and what follows from a change."""

import pytest

from taskapi.domain.callers import Claim, Operation
from taskapi.domain.errors import Conflict, Forbidden, Invalid, NotFound, Stale
from taskapi.domain.rights import Right
from taskapi.services import tasks
from taskapi.store import scrub
from tests.services.conftest import ADMIN, ANN, BOB, EVE, OWNER, claim, said


def test_a_task_lies_in_the_only_group_of_its_user_or_in_none(store, house):
    assert said(tasks.create_task(store, claim(BOB), {"title": "t"}, BOB))["group_id"] == 1
    assert said(tasks.create_task(store, claim(ANN), {"title": "t"}, ANN))["group_id"] is None
    assert said(tasks.create_task(store, claim(ANN), {"title": "t", "group_id": 2}))["group_id"] == 2
    assert said(tasks.create_task(store, claim(BOB), {"title": "t", "group_id": None}))["group_id"] is None


def test_an_admin_creates_for_users_of_their_group_in_that_group(store, house):
    made = said(tasks.create_task(store, claim(ADMIN), {"title": "t"}, ANN))
    assert (made["user_id"], made["group_id"]) == (ANN, 1)
    for group_id in (2, None):
        with pytest.raises(Invalid):
            tasks.create_task(store, claim(ADMIN), {"title": "t", "group_id": group_id}, ANN)
    with pytest.raises(Forbidden):
        tasks.create_task(store, claim(ADMIN), {"title": "t"}, EVE)


def test_a_group_that_is_not_the_users_is_refused_by_name(store, house):
    with pytest.raises(Invalid) as refused:
        tasks.create_task(store, claim(BOB), {"title": "t", "group_id": 2})
    assert "group_id" in refused.value.errors


def test_nobody_creates_for_another_user_without_the_right(store, house):
    with pytest.raises(Forbidden):
        tasks.create_task(store, claim(BOB), {"title": "t"}, ANN)
    with pytest.raises(Forbidden):
        tasks.create_task(store, claim(BOB), {"title": "t", "user_id": ANN})
    with pytest.raises(Invalid):
        tasks.create_task(store, claim(OWNER), {"title": "t", "user_id": BOB}, ANN)
    assert said(tasks.create_task(store, claim(OWNER), {"title": "t", "user_id": BOB}))["user_id"] == BOB


def test_a_path_that_names_another_user_is_refused_before_existence(store, house):
    task = house.task(BOB, 1)
    for task_id in (task.id, 999):
        with pytest.raises(Forbidden):
            tasks.read_task(store, claim(EVE), task_id, BOB)
        with pytest.raises(NotFound):
            tasks.read_task(store, claim(EVE), task_id)
    with pytest.raises(NotFound):
        tasks.read_task(store, claim(OWNER), task.id, ANN)
    with pytest.raises(NotFound):
        tasks.read_task(store, claim(OWNER), 1, 99)


def test_an_admin_sees_only_the_tasks_of_their_group(store, house):
    inside, outside = house.task(ANN, 1), house.task(ANN, 2)
    assert said(tasks.read_task(store, claim(ADMIN), inside.id, ANN))["id"] == inside.id
    with pytest.raises(NotFound):
        tasks.read_task(store, claim(ADMIN), outside.id, ANN)


def test_what_is_not_sent_is_not_touched_and_null_clears(store, house):
    task = house.task(BOB, 1, deadline="2026-01-01", information="old", tags=("a",))
    changed = said(tasks.change_task(store, claim(BOB), task.id, {"deadline": None, "tags": ("b",)}, BOB))
    assert (changed["deadline"], changed["information"], changed["tags"]) == (None, "old", ["b"])
    assert changed["version"] > task.version


def test_a_change_that_changes_nothing_writes_nothing(store, house):
    task = house.task(BOB, 1)
    same = tasks.change_task(store, claim(BOB), task.id, {"title": task.title})
    assert same.version == task.version


def test_done_sets_the_time_of_completion_once_and_open_again_clears_it(store, house):
    task = house.task(BOB, 1)
    done = said(tasks.finish_task(store, claim(BOB), task.id, BOB))
    assert done["status"] is True
    assert done["completed_at"]
    again = said(tasks.finish_task(store, claim(BOB), task.id))
    assert again == done
    reopened = said(tasks.change_task(store, claim(BOB), task.id, {"status": False}))
    assert reopened["completed_at"] is None
    assert said(tasks.create_task(store, claim(BOB), {"title": "t", "status": True}))["completed_at"]


def test_a_version_that_is_not_the_present_one_is_stale(store, house):
    task = house.task(BOB, 1)
    with pytest.raises(Stale):
        tasks.change_task(store, claim(BOB), task.id, {"title": "x"}, if_match=task.version - 1)
    assert tasks.change_task(store, claim(BOB), task.id, {"title": "x"}, if_match=task.version).version


def test_a_task_moves_to_another_user_only_where_that_user_is(store, house):
    task = house.task(BOB, 1)
    moved = said(tasks.change_task(store, claim(ADMIN), task.id, {"user_id": ANN}))
    assert (moved["user_id"], moved["group_id"]) == (ANN, 1)
    with pytest.raises(Invalid):
        tasks.change_task(store, claim(OWNER), task.id, {"user_id": EVE})
    assert (
        said(tasks.change_task(store, claim(OWNER), task.id, {"user_id": EVE, "group_id": 2}))["user_id"]
        == EVE
    )
    with pytest.raises(Forbidden):
        tasks.change_task(store, claim(EVE), task.id, {"user_id": BOB})
    with pytest.raises(Invalid):
        tasks.change_task(store, claim(OWNER), task.id, {"user_id": 77})
    assert scrub.differences(store) == []


def test_a_user_moves_their_own_task_between_their_groups(store, house):
    task = house.task(ANN, 1)
    assert said(tasks.change_task(store, claim(ANN), task.id, {"group_id": 2}))["group_id"] == 2
    assert said(tasks.change_task(store, claim(ANN), task.id, {"group_id": None}))["group_id"] is None
    other = house.task(ANN, 1)
    with pytest.raises(Invalid):
        tasks.change_task(store, claim(ADMIN), other.id, {"group_id": 2})


def test_a_removed_task_is_in_the_trash_and_comes_back(store, house):
    task = house.task(BOB, 1)
    assert said(tasks.remove_task(store, claim(BOB), task.id, BOB)) == {"id": task.id, "deleted": True}
    with pytest.raises(NotFound):
        tasks.read_task(store, claim(BOB), task.id)
    with pytest.raises(NotFound):
        tasks.remove_task(store, claim(BOB), task.id)
    back = said(tasks.restore_task(store, claim(BOB), task.id))
    assert (back["title"], "deleted_at" in back) == (task.title, False)
    assert scrub.differences(store) == []


def test_a_task_comes_back_without_a_group_that_its_user_has_left(store, house):
    task = house.task(ANN, 2)
    tasks.remove_task(store, claim(ANN), task.id)
    house.make.changed(house.ann, group_ids=(1,))
    assert said(tasks.restore_task(store, claim(ANN), task.id))["group_id"] is None


def test_a_task_does_not_come_back_without_its_user(store, house):
    task = house.task(BOB, 1)
    tasks.remove_task(store, claim(BOB), task.id)
    house.make.changed(house.bob, deleted_at="2026-01-01T00:00:00.000Z")
    with pytest.raises(NotFound, match="gone"):
        tasks.restore_task(store, claim(OWNER), task.id)


def test_a_purged_task_is_gone_from_the_trash_too(store, house):
    live, trashed = house.task(BOB, 1), house.task(BOB, 1)
    tasks.remove_task(store, claim(BOB), trashed.id)
    for task in (live, trashed):
        tasks.remove_task(store, claim(BOB), task.id, permanent=True)
        with pytest.raises(NotFound):
            tasks.restore_task(store, claim(BOB), task.id)
    assert scrub.differences(store) == []


@pytest.mark.parametrize(
    "write",
    [
        lambda store, by, task: tasks.create_task(store, by, {"title": "new"}),
        lambda store, by, task: tasks.change_task(store, by, task.id, {"title": "new"}),
        lambda store, by, task: tasks.remove_task(store, by, task.id),
    ],
)
def test_a_write_under_the_same_key_gives_the_first_answer_again(store, house, write):
    task = house.task(BOB, 1)
    by = Claim(BOB, Right.WORK_ON_TASKS, operation=Operation("k", "f"))
    first, second = write(store, by, task), write(store, by, task)
    assert (first.replayed, second.replayed) == (False, True)
    assert first.body == second.body


def test_a_restore_under_the_same_key_gives_the_first_answer_again(store, house):
    task = house.task(BOB, 1)
    tasks.remove_task(store, claim(BOB), task.id)
    by = Claim(BOB, Right.WORK_ON_TASKS, operation=Operation("k", "f"))
    assert tasks.restore_task(store, by, task.id).body == tasks.restore_task(store, by, task.id).body


def test_who_is_outrun_decides_again_and_gives_up_after_three_times(store, house, monkeypatch):
    task = house.task(BOB, 1)
    save, tries = tasks.save, []

    def outrun(*args, **kwargs):
        tries.append(1)
        house.make.changed(house.task_now(task.id), information=str(len(tries)))
        return save(*args, **kwargs)

    house.task_now = lambda task_id: tasks.ask(store, Claim(0), tasks.Question([f"task:{task_id}"])).record(
        tasks.TASK, task_id
    )
    monkeypatch.setattr(tasks, "save", outrun)
    with pytest.raises(Conflict):
        tasks.change_task(store, claim(BOB), task.id, {"title": "never"})
    assert len(tries) == 3


def test_a_caller_who_loses_the_right_between_read_and_write_is_refused(store, house, monkeypatch):
    task = house.task(ANN, 1)
    save = tasks.save

    def demoted_first(*args, **kwargs):
        monkeypatch.setattr(tasks, "save", save)
        house.make.changed(house.admin, role="user")
        return save(*args, **kwargs)

    monkeypatch.setattr(tasks, "save", demoted_first)
    with pytest.raises(NotFound):
        tasks.change_task(store, claim(ADMIN), task.id, {"title": "x"})
    assert house.stored(f"task:{task.id}")["title"] == task.title
