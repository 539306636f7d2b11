"""Batches under an Idempotency-Key: carried out once, answered again."""

from dataclasses import replace
from typing import Any

import pytest

from taskapi.domain.callers import Operation
from taskapi.domain.errors import KeyReused, Refused
from taskapi.services import batch, tasks
from tests.services.conftest import BOB, claim, said
from tests.services.test_batch import meanwhile, statuses


def keyed(user_id: int, key: str = "k", fingerprint: str = "f") -> Any:
    return replace(claim(user_id), operation=Operation(key, fingerprint))


def test_a_batch_is_carried_out_once_and_answered_alike(store, house):
    one, two = house.task(BOB, 1, priority=1), house.task(BOB, 1)
    sent = ([one.id, 99, two.id], {"priority": 1})
    first = batch.change_tasks(store, keyed(BOB), *sent)
    tasks.change_task(store, claim(BOB), two.id, {"priority": 3})

    again = batch.change_tasks(store, keyed(BOB), *sent)

    assert (first.replayed, again.replayed) == (False, True)
    assert again.body == first.body
    assert house.stored(f"task:{two.id}")["priority"] == 3


def test_a_delete_is_answered_as_it_was(store, house):
    ids = [house.task(BOB, 1).id, 99]
    first = batch.change_tasks(store, keyed(BOB), ids, {}, "delete")
    assert batch.change_tasks(store, keyed(BOB), ids, {}, "delete").body == first.body


def test_what_had_nothing_to_change_is_not_changed_later(store, house):
    task = house.task(BOB, 1)
    first = batch.change_tasks(store, keyed(BOB), [task.id], {"title": task.title})
    tasks.change_task(store, claim(BOB), task.id, {"title": "later"})
    again = batch.change_tasks(store, keyed(BOB), [task.id], {"title": task.title})
    assert (again.replayed, again.body) == (True, first.body)
    assert house.stored(f"task:{task.id}")["title"] == "later"


def test_what_was_passed_by_and_would_pass_now_says_so(store, house):
    task, gone = house.task(BOB, 1), house.task(BOB, 1)
    tasks.remove_task(store, claim(BOB), gone.id)
    batch.change_tasks(store, keyed(BOB), [task.id, gone.id], {"title": "n"})
    tasks.restore_task(store, claim(BOB), gone.id)
    answer = said(batch.change_tasks(store, keyed(BOB), [task.id, gone.id], {"title": "n"}))
    assert statuses(answer) == {task.id: 200, gone.id: 409}
    assert house.stored(f"task:{gone.id}")["title"] != "n"


def test_two_at_the_same_moment_are_one(store, house):
    task = house.task(BOB, 1)

    def send() -> Any:
        return batch.change_tasks(store, keyed(BOB), [task.id], {"title": "n"})

    with meanwhile(send):
        again = send()
    assert (said(again)["updated"], again.replayed) == (1, True)


def test_another_request_under_the_key_is_refused(store, house):
    task = house.task(BOB, 1)
    batch.change_tasks(store, keyed(BOB), [task.id], {"title": "n"})
    with pytest.raises(KeyReused):
        batch.change_tasks(store, keyed(BOB, fingerprint="g"), [task.id], {"title": "m"})


def test_a_caller_who_is_gone_is_not_answered_again(store, house):
    task = house.task(BOB, 1)
    batch.change_tasks(store, keyed(BOB), [task.id], {"title": "n"})
    house.make.changed(house.bob, deleted_at="2026-01-01T00:00:00.000Z")
    with pytest.raises(Refused):
        batch.change_tasks(store, keyed(BOB), [task.id], {"title": "n"})
