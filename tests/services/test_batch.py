"""Batches: each task by the rules for one, one question and one save for all."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from taskapi.domain.errors import Conflict, Forbidden, Invalid, NotFound, Unauthorized
from taskapi.services import batch, tasks
from taskapi.store import scrub
from taskapi.store.lines import Lines
from tests.services.conftest import ADMIN, ANN, BOB, EVE, OWNER, House, claim, said


@contextmanager
def commands() -> Iterator[list[int]]:
    """How many commands the store was sent within the block."""
    sent, once = [0], Lines.exchange

    def counted(lines: Lines, *command: Any, **options: Any) -> Any:
        sent[0] += 1
        return once(lines, *command, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Lines, "exchange", counted)
        yield sent


def statuses(answer: dict[str, Any]) -> dict[int, int]:
    return {result["id"]: result["status"] for result in answer["results"]}


def test_all_tasks_change_in_one_question_and_one_save(store, house):
    ids = [house.task(BOB, 1).id for _ in range(20)]
    batch.change_tasks(store, claim(BOB), ids[:1], {"priority": 3})
    with commands() as sent:
        shown = batch.change_tasks(store, claim(BOB), ids, {"priority": 1, "tags": ("x",)})
    assert sent == [2]
    assert (said(shown)["updated"], said(shown)["failed"]) == (20, 0)
    assert len(shown.dirty) == 20
    assert {house.stored(f"task:{task_id}")["priority"] for task_id in ids} == {1}
    assert scrub.differences(store) == []


def test_five_hundred_go_at_once_and_one_more_is_refused(store, house):
    ids = [house.task(BOB, 1).id for _ in range(500)]
    assert said(batch.change_tasks(store, claim(ADMIN), ids, {}, "mark_done"))["updated"] == 500
    for wrong in ([], [*ids, 501]):
        with pytest.raises(Invalid):
            batch.change_tasks(store, claim(ADMIN), wrong, {}, "mark_done")
    assert scrub.differences(store) == []


def test_each_task_is_answered_as_it_would_be_alone(store, house):
    mine, other, unseen = house.task(BOB, 1), house.task(ANN, 1), house.task(EVE, 2)
    answer = said(batch.change_tasks(store, claim(ADMIN), [mine.id, 99, unseen.id, other.id], {"title": "n"}))
    assert statuses(answer) == {mine.id: 200, 99: 404, unseen.id: 404, other.id: 200}
    assert (answer["updated"], answer["failed"]) == (2, 2)
    assert answer["results"][0] == {"id": mine.id, "status": 200, "success": True}
    assert answer["results"][1] == {
        "id": 99,
        "status": 404,
        "success": False,
        "error": "There is no task 99.",
    }
    assert house.stored(f"task:{unseen.id}")["title"] != "n"


CHANGES: list[dict[str, Any]] = [
    {"title": "n"}, {"group_id": 1}, {"group_id": 2}, {"group_id": None}, {"group_id": 9}, {"user_id": BOB},
    {"user_id": EVE, "group_id": 2}, {"user_id": EVE}, {"user_id": 99}, {"user_id": ANN, "group_id": 1},
    {"status": True},
]  # fmt: skip


@pytest.mark.parametrize("user_id", [OWNER, ADMIN, ANN, EVE])
@pytest.mark.parametrize("changes", CHANGES, ids=str)
def test_a_batch_and_single_calls_come_to_the_same(store, house, user_id, changes):
    def some() -> list[int]:
        places = [(ANN, 1), (ANN, 2), (ANN, None), (BOB, 1), (EVE, 2), (ADMIN, 1)]
        return [house.task(*place).id for place in places]

    alone, together = some(), some()
    answer = said(batch.change_tasks(store, claim(user_id), together, changes))
    expected = [outcome(store, user_id, task_id, changes) for task_id in alone]
    assert list(statuses(answer).values()) == expected
    for one, other in zip(alone, together, strict=True):
        assert essence(house, one) == essence(house, other)
    assert scrub.differences(store) == []


def outcome(store, user_id: int, task_id: int, changes: dict[str, Any]) -> int:
    try:
        tasks.change_task(store, claim(user_id), task_id, changes)
    except (Invalid, Forbidden, NotFound) as refusal:
        return {Invalid: 400, Forbidden: 403, NotFound: 404}[type(refusal)]
    return 200


def essence(house: House, task_id: int) -> dict[str, Any]:
    passing = ("id", "version", "created_at", "updated_at", "completed_at")
    found = house.stored(f"task:{task_id}")
    return {name: value for name, value in found.items() if name not in passing}


def test_a_wrong_place_is_an_error_of_its_item_with_its_sentence(store, house):
    inside, outside = house.task(ANN, 1), house.task(BOB, 1)
    answer = said(batch.change_tasks(store, claim(OWNER), [inside.id, outside.id], {"group_id": 2}))
    assert statuses(answer) == {inside.id: 200, outside.id: 400}
    assert answer["results"][1]["error"] == f"User {BOB} is not in group 2."


def test_done_sets_the_time_and_what_is_done_stays_as_it_is(store, house):
    task, done = house.task(BOB, 1), house.task(BOB, 1, status=True, completed_at="2026-01-01T00:00:00.000Z")
    shown = batch.change_tasks(store, claim(BOB), [task.id, done.id], {}, "mark_done")
    assert said(shown)["updated"] == 2
    now = house.stored(f"task:{task.id}")
    assert (shown.dirty, bool(now["completed_at"])) == ((f"task:{task.id}@{now['version']}",), True)
    assert house.stored(f"task:{done.id}")["version"] == done.version


def test_deleting_moves_to_the_trash(store, house):
    ids = [house.task(BOB, 1).id, house.task(BOB).id]
    assert said(batch.change_tasks(store, claim(BOB), [*ids, 99], {}, "delete"))["updated"] == 2
    assert all(house.stored(f"trash:task:{task_id}") for task_id in ids)
    assert statuses(said(batch.change_tasks(store, claim(BOB), ids, {}, "delete"))) == dict.fromkeys(ids, 404)


def test_a_task_that_is_named_twice_is_one(store, house):
    task = house.task(BOB, 1)
    answer = said(batch.change_tasks(store, claim(BOB), [task.id, task.id], {"title": "n"}))
    assert (len(answer["results"]), answer["updated"]) == (1, 1)


def test_nothing_to_change_is_a_success_without_a_write(store, house):
    task = house.task(BOB, 1)
    for changes in ({}, {"title": task.title}):
        shown = batch.change_tasks(store, claim(BOB), [task.id], changes)
        assert (said(shown)["updated"], shown.dirty) == (1, ())
    assert house.stored(f"task:{task.id}")["version"] == task.version


def test_all_or_nothing_names_what_has_failed(store, house):
    task = house.task(BOB, 1)
    with pytest.raises(Conflict) as refused:
        batch.change_tasks(store, claim(BOB), [task.id, 99], {"title": "n"}, atomic=True)
    assert refused.value.details == {
        "results": [{"id": 99, "status": 404, "success": False, "error": "There is no task 99."}]
    }
    assert house.stored(f"task:{task.id}")["version"] == task.version
    shown = batch.change_tasks(store, claim(BOB), [task.id], {"title": "n"}, atomic=True)
    assert said(shown)["updated"] == 1


def test_an_action_that_is_none_or_has_no_use_for_updates_is_refused(store, house):
    for updates, action in (({}, "finish"), ({"title": "n"}, "mark_done"), ({"title": "n"}, "delete")):
        with pytest.raises(Invalid):
            batch.change_tasks(store, claim(OWNER), [1], updates, action)


def test_a_caller_who_is_gone_changes_nothing(store, house):
    with pytest.raises(Unauthorized):
        batch.change_tasks(store, claim(99), [house.task(BOB, 1).id], {"title": "n"})


@contextmanager
def meanwhile(act: Any) -> Iterator[None]:
    """Somebody is faster: acts once between the reading and the writing."""
    once, acted = batch.save, []

    def later(*args: Any, **kwargs: Any) -> Any:
        if not acted:
            acted.append(True)
            act()
        return once(*args, **kwargs)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(batch, "save", later)
        yield


def test_a_task_that_changes_meanwhile_is_decided_on_again(store, house):
    first, second = house.task(BOB, 1), house.task(BOB, 1)
    with meanwhile(lambda: tasks.change_task(store, claim(BOB), second.id, {"information": "kept"})):
        answer = said(batch.change_tasks(store, claim(BOB), [first.id, second.id], {"title": "n"}))
    assert answer["updated"] == 2
    changed = house.stored(f"task:{second.id}")
    assert (changed["title"], changed["information"]) == ("n", "kept")


def test_a_right_that_ends_meanwhile_ends_for_every_item(store, house):
    mine, other = house.task(ADMIN), house.task(BOB, 1)
    with meanwhile(lambda: house.make.changed(house.admin, group_ids=())):
        answer = said(batch.change_tasks(store, claim(ADMIN), [mine.id, other.id], {"title": "n"}))
    assert statuses(answer) == {mine.id: 200, other.id: 404}


def test_the_new_users_membership_is_what_a_move_rests_on(store, house):
    task = house.task(ANN, 1)
    with meanwhile(lambda: house.make.changed(house.bob, group_ids=())):
        answer = said(batch.change_tasks(store, claim(ADMIN), [task.id], {"user_id": BOB}))
    assert statuses(answer) == {task.id: 403}
