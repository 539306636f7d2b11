"""A write that its client repeats: answered as before, to whom it would still be allowed."""

from dataclasses import replace

import pytest

from taskapi.domain.callers import Claim, Operation
from taskapi.domain.errors import (
    Conflict,
    Forbidden,
    KeyReused,
    NotFound,
    Refused,
    Unauthorized,
)
from taskapi.domain.records import Task
from taskapi.domain.rights import Right
from taskapi.services import accounts, tasks, user_changes, users
from taskapi.services.accounts import Device
from taskapi.store import records
from taskapi.store.plans import Change
from taskapi.store.records import save
from tests.services.acts import BIG, groups, keyed, meanwhile, password
from tests.services.conftest import ADMIN, ANN, BOB, OWNER, claim, said

DELETE, CHANGE, FIND = Right.DELETE_USER, Right.CHANGE_USER, Right.FIND_TASKS


class TestRepeating:
    """A write that its client repeats is answered as before, for as long as the client may ask."""

    def test_a_large_write_is_answered_again(self, store, house):
        first = tasks.create_task(store, keyed(ANN), BIG)
        assert tasks.create_task(store, keyed(ANN), BIG).body == first.body

    def test_only_so_much_of_an_answer_is_kept(self, store, house):
        tasks.create_task(store, keyed(ANN), BIG)
        assert max(store.redis.strlen(name) for name in store.redis.scan_iter("op:*")) < 16_600

    def test_a_delete_is_answered_again_however_long_ago_it_was(self, store, house):
        task = house.task(ANN, 1, information=BIG["information"])
        first = tasks.remove_task(store, keyed(ANN), task.id)
        assert tasks.remove_task(store, keyed(ANN), task.id).body == first.body

    def test_a_restore_of_many_is_answered_again(self, store, house):
        for _ in range(100):
            house.task(ANN, 1)
        users.delete_user(store, claim(OWNER, DELETE), ANN)
        first = users.restore_user(store, keyed(OWNER, DELETE), ANN)
        assert users.restore_user(store, keyed(OWNER, DELETE), ANN).body == first.body

    def test_the_race_of_two_under_one_key_gives_one_answer(self, store, house, monkeypatch):
        answers = []
        meanwhile(monkeypatch, tasks, lambda: answers.append(tasks.create_task(store, keyed(ANN), BIG)))
        assert tasks.create_task(store, keyed(ANN), BIG).body == answers[0].body

    def test_a_write_that_changes_nothing_is_remembered_too(self, store, house):
        task = house.task(ANN, 1, title="same")
        tasks.change_task(store, keyed(ANN), task.id, {"title": "same"})
        with pytest.raises(KeyReused):
            tasks.change_task(store, keyed(ANN, fingerprint="other"), task.id, {"title": "other"})
        assert tasks.change_task(store, keyed(ANN), task.id, {"title": "same"}).replayed

    def test_a_right_that_was_lost_answers_nothing_again(self, store, house):
        task = house.task(BOB, 1)
        tasks.change_task(store, keyed(ADMIN), task.id, {"title": "x"})
        groups(store, ADMIN)
        with pytest.raises(NotFound):
            tasks.change_task(store, keyed(ADMIN), task.id, {"title": "x"})

    def test_a_task_that_has_moved_out_of_reach_is_not_answered_again(self, store, house):
        task = house.task(ANN, 1)
        tasks.change_task(store, keyed(ADMIN), task.id, {"title": "x"})
        tasks.change_task(store, claim(ANN), task.id, {"group_id": 2})
        with pytest.raises(NotFound):
            tasks.change_task(store, keyed(ADMIN), task.id, {"title": "x"})

    def test_a_password_that_has_changed_answers_nothing_again(self, store, house):
        task = house.task(ANN, 1)
        password(store, ANN, "first password")
        who = replace(keyed(ANN), credential_version=house.stored("credential:3")["version"])
        tasks.remove_task(store, claim(ANN), task.id)
        tasks.restore_task(store, who, task.id)
        password(store, ANN, "other password")
        with pytest.raises(Unauthorized):
            tasks.restore_task(store, who, task.id)

    def test_a_demoted_owner_is_not_answered_again(self, store, house):
        user_changes.change_user(store, claim(OWNER, CHANGE), ADMIN, {"role": "owner"})
        users.delete_user(store, keyed(ADMIN, DELETE), ANN)
        user_changes.change_user(store, claim(OWNER, CHANGE), ADMIN, {"role": "user"})
        with pytest.raises(Forbidden):
            users.delete_user(store, keyed(ADMIN, DELETE), ANN)

    def test_a_create_in_a_group_that_was_left_is_not_answered_again(self, store, house):
        groups(store, ADMIN, 1, 2)
        tasks.create_task(store, keyed(ADMIN), {"title": "x", "group_id": 2}, ANN)
        groups(store, ADMIN, 1)
        with pytest.raises(Refused):
            tasks.create_task(store, keyed(ADMIN), {"title": "x", "group_id": 2}, ANN)

    def test_a_registration_is_not_answered_again_for_a_deleted_user(self, store, house):
        who = replace(Claim(0), operation=Operation("k", "f"))
        fields = {"username": "zed", "password": "long password"}
        login = accounts.register(store, who, fields, Device("x"), life_seconds=60)
        users.delete_user(store, claim(OWNER, DELETE), login.user_id)
        with pytest.raises(Unauthorized):
            accounts.register(store, who, fields, Device("x"), life_seconds=60)

    def test_older_answers_are_shortened_and_never_applied_again(self, store, house):
        store.redis.hset("ids", "task:ceiling", 2000)
        for number in range(1003):
            who = replace(claim(ANN), operation=Operation(str(number), "f"))
            save(store, who, [Change(None, _plain(number), "created")])
        oldest = replace(claim(ANN), operation=Operation("0", "f"))
        assert store.redis.zcard("kept:3") == 1000
        assert len(store.redis.get(records.operation_key(oldest))) < 60
        assert said(tasks.create_task(store, oldest, {"title": "0"}))["id"] == 1
        tasks.remove_task(store, claim(ANN), 1)
        with pytest.raises(Conflict, match="task:1"):
            tasks.create_task(store, oldest, {"title": "0"})
        assert store.redis.hget("ids", "task") == b"1003"

    def test_a_password_hash_is_never_kept_with_an_answer(self, store, house):
        users.create_user(
            store, keyed(OWNER, Right.CREATE_USER), {"full_name": "N", "password": "long password"}
        )
        kept = b"".join(store.redis.get(name) for name in store.redis.scan_iter("op:*"))
        assert b"argon2" not in kept


def _plain(number: int) -> Task:
    return Task(title=str(number), user_id=ANN, created_at="", updated_at="")
