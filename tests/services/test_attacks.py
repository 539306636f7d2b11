"""What once broke: races of cascades, repeated writes, rights that had ended, full memory."""

from dataclasses import replace

import pytest

from taskapi.domain.callers import Claim
from taskapi.domain.errors import (
    Full,
    Invalid,
    Limited,
    NotFound,
    Stale,
    Unauthorized,
    Unavailable,
)
from taskapi.domain.filters import Order, Page, TaskSearch
from taskapi.domain.records import Task
from taskapi.domain.rights import Right
from taskapi.services import accounts, durability, task_lists, tasks, user_changes, users
from taskapi.services.accounts import Device
from taskapi.store import client, dirty, finders, scrub, sessions
from taskapi.store.plans import Change
from taskapi.store.records import save
from taskapi.store.sessions import Session
from tests.services.acts import groups, meanwhile, password
from tests.services.conftest import ADMIN, ANN, BOB, OWNER, claim

DELETE, CHANGE, FIND = Right.DELETE_USER, Right.CHANGE_USER, Right.FIND_TASKS


class TestCascades:
    """Nothing comes under a parent between the moment it was looked at and the moment it goes."""

    def test_a_task_created_while_its_user_is_deleted_goes_too(self, store, house, monkeypatch):
        new = {"title": "o", "group_id": 1}
        meanwhile(monkeypatch, users, lambda: tasks.create_task(store, claim(ANN), new))
        users.delete_user(store, claim(OWNER, DELETE), ANN)
        assert task_lists.list_tasks(store, claim(OWNER, FIND), TaskSearch()).total == 0

    @pytest.mark.parametrize("way", ["created", "restored"])
    def test_a_task_that_appears_while_its_user_leaves_moves_too(self, store, house, monkeypatch, way):
        trashed = house.task(ANN, 2)
        tasks.remove_task(store, claim(ANN), trashed.id)
        act = {
            "created": lambda: tasks.create_task(store, claim(ANN), {"title": "o", "group_id": 2}),
            "restored": lambda: tasks.restore_task(store, claim(ANN), trashed.id),
        }[way]
        meanwhile(monkeypatch, user_changes, act)
        groups(store, ANN, 1)
        assert task_lists.list_tasks(store, claim(OWNER, FIND), TaskSearch(group_id=2)).total == 0
        assert scrub.differences(store) == []

    def test_a_task_deleted_meanwhile_does_not_stop_the_deletion(self, store, house, monkeypatch):
        task = house.task(ANN, 1)
        meanwhile(monkeypatch, users, lambda: tasks.remove_task(store, claim(ANN), task.id))
        users.delete_user(store, claim(OWNER, DELETE), ANN)
        assert house.stored(f"user:{ANN}") is None


def _plain(number: int) -> Task:
    return Task(title=str(number), user_id=ANN, created_at="", updated_at="")


class TestFullMemory:
    """What makes room passes when there is none."""

    @pytest.fixture
    def full(self, store):
        yield lambda: store.redis.config_set("maxmemory", 1_000_000)
        store.redis.config_set("maxmemory", 0)

    @pytest.mark.parametrize("permanent", [True, False])
    def test_deletes_pass_and_creates_do_not(self, store, house, full, permanent):
        task = house.task(ANN)
        full()
        with pytest.raises(Full):
            tasks.create_task(store, claim(ANN), {"title": "t"})
        tasks.remove_task(store, claim(ANN), task.id, permanent=permanent)
        users.delete_user(store, claim(OWNER, DELETE), BOB)

    def test_one_can_sign_in_to_make_room(self, store, house, full):
        password(store, ANN, "first password")
        full()
        login = accounts.log_in(store, Claim(0), "ann", "first password", Device("a"), life_seconds=60)
        assert login.user_id == ANN


def test_what_is_in_quarantine_is_not_committed(store, house):
    task = house.task(ANN, 1)
    mark = next(mark for mark in dirty.peek(store).marks if mark.name == f"task:{task.id}")
    dirty.quarantine(store, [mark], "bad")
    assert not durability.wait_until_committed(store, [mark.name], 0.05)


def test_a_store_that_is_lost_while_waiting_does_not_unsay_the_write(store, house, monkeypatch):
    def away(*_):
        raise Unavailable("away")

    monkeypatch.setattr(dirty, "is_committed", away)
    assert not durability.wait_until_committed(store, ["task:1"], 1)


def test_a_refresh_that_is_refused_leaves_the_token_good(store, house):
    password(store, ANN, "first password")
    login = accounts.log_in(store, Claim(0), "ann", "first password", Device("a"), life_seconds=60)
    limited = replace(store, limits=(client.Limit(1, 60_000),))
    task_lists.list_tasks(limited, claim(ANN, FIND), TaskSearch())
    with pytest.raises(Limited):
        accounts.refresh(limited, Claim(0), Session(ANN, login.session, login.refresh_id), life_seconds=60)
    store.redis.delete("limits")
    assert accounts.refresh(limited, Claim(0), Session(ANN, login.session, login.refresh_id), life_seconds=60)


def test_the_last_name_to_sign_in_with_is_not_taken_away(store, house):
    fred = house.make.user(username="fred")
    with pytest.raises(Invalid):
        user_changes.change_user(store, claim(OWNER, CHANGE), fred.id, {"username": None})


def test_a_login_that_races_a_deletion_is_over(store, house, monkeypatch):
    password(store, ANN, "first password")
    begin = sessions.begin

    def after_the_deletion(*args):
        users.delete_user(store, claim(OWNER, DELETE), ANN)
        return begin(*args)

    monkeypatch.setattr(sessions, "begin", after_the_deletion)
    with pytest.raises(Unauthorized):
        accounts.log_in(store, Claim(0), "ann", "first password", Device("a"), life_seconds=60)


@pytest.mark.parametrize(("field", "value"), [("priority", "x"), ("title", 1), ("status", 0), ("id", True)])
def test_a_cursor_with_a_value_of_another_type_is_refused(store, house, field, value):
    house.task(ANN)
    order = Order(field)
    page = Page(cursor=finders.cursor_after(order, 1, value))
    with pytest.raises(Invalid):
        task_lists.list_tasks(store, claim(ANN, FIND), TaskSearch(order=order, page=page))


def test_the_cursor_of_a_long_text_stays_short(store, house):
    for number in range(3):
        house.task(ANN, title="😀" * 150 + str(number))
    search = TaskSearch(order=Order("title"), page=Page(1))
    cursor = task_lists.list_tasks(store, claim(ANN, FIND), search).next_cursor
    assert len(cursor) < 1000


def test_a_record_is_changed_once_in_a_save(store, house):
    task = house.task(ANN, 1)
    changes = [task.changed(status=True), task.changed(priority=3)]
    with pytest.raises(ValueError, match="twice"):
        save(store, Claim(0), [Change(task, now, "changed") for now in changes])


def test_a_save_of_very_many_answers_after_writing(store, house):
    store.redis.hset("ids", "task:ceiling", 100_000)
    assert len(save(store, Claim(0), [Change(None, _plain(0), "created")] * 4500).ids) == 4500


def test_a_password_change_counts_once(store, house):
    password(store, ANN, "first password")
    limited = replace(store, limits=(client.Limit(1, 60_000),))
    own = claim(ANN, Right.OWN_ACCOUNT)
    assert accounts.change_password(
        limited, own, "first password", "other password", Device("a"), life_seconds=60
    )


def test_a_refused_group_does_not_tell_membership(store, house):
    for name in ("three", "four"):
        house.make.group(name=name)
    task = house.task(ANN, 1)

    def told(group_id: int, act) -> str:
        with pytest.raises(Invalid) as refused:
            act(group_id)
        return refused.value.errors["group_id"][0].replace(str(group_id), "G")

    def create(group_id: int) -> None:
        tasks.create_task(store, claim(ADMIN), {"title": "x", "group_id": group_id}, ANN)

    def change(group_id: int) -> None:
        tasks.change_task(store, claim(ADMIN), task.id, {"group_id": group_id})

    for act in (create, change):
        assert told(2, act) == told(4, act)


def test_a_purge_from_the_trash_minds_the_version(store, house):
    task = house.task(ANN, 1)
    tasks.remove_task(store, claim(ANN), task.id)
    with pytest.raises(Stale):
        tasks.remove_task(store, claim(ANN), task.id, permanent=True, if_match=task.version)


def test_an_admin_restores_nothing_of_one_who_left(store, house):
    task = house.task(ANN, 1)
    tasks.remove_task(store, claim(ANN), task.id)
    groups(store, ANN, 2)
    with pytest.raises(NotFound):
        tasks.restore_task(store, claim(ADMIN), task.id)


def test_an_admin_takes_no_task_of_another_out_of_their_group(store, house):
    task = house.task(ANN, 1)
    with pytest.raises(Invalid):
        tasks.change_task(store, claim(ADMIN), task.id, {"user_id": ADMIN, "group_id": None})


def test_mine_and_another_user_are_nobodys_tasks(store, house):
    house.task(ANN, 1)
    search = TaskSearch(mine=True, user_id=ANN)
    assert task_lists.list_tasks(store, claim(OWNER, FIND), search).total == 0


def test_an_unknown_user_of_a_new_task_is_an_error_in_the_body(store, house):
    with pytest.raises(Invalid) as refused:
        tasks.create_task(store, claim(OWNER), {"title": "t", "user_id": 77})
    assert "user_id" in refused.value.errors


def test_who_is_nobody_is_told_so_before_anything_else(store, house):
    with pytest.raises(Unauthorized):
        users.delete_user(store, claim(99, DELETE), OWNER)


def test_a_page_of_a_large_group_costs_by_the_page(store, house):
    for number in range(60):
        house.make.user(full_name=str(number), group_ids=(1,))
        house.task(6 + number, 1)
    search = TaskSearch(group_id=1, page=Page(5, 3))

    def calls() -> int:
        store.redis.config_resetstat()
        task_lists.list_tasks(store, claim(ADMIN, FIND), search)
        commands = store.redis.info("commandstats")
        return sum(row["calls"] for name, row in commands.items() if name.startswith("cmdstat_z"))

    calls()
    before = calls()
    for number in range(60):
        house.make.user(full_name=str(number), group_ids=(1,))
        house.task(66 + number, 1)
    assert calls() <= before + 10
