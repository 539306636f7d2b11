"""save.lua: all or nothing, once, and only on what was read."""

import pytest

from taskapi.domain.callers import Claim, Operation
from taskapi.domain.errors import Full, KeyReused, Moved, NotFound, Taken, Unauthorized, Unavailable
from taskapi.domain.records import Credential, Task
from taskapi.store import client, codec, keys, state
from taskapi.store.client import Store
from taskapi.store.kinds import GROUP, TASK
from taskapi.store.plans import SAME_ID, Change
from taskapi.store.records import save
from tests.store.conftest import SYSTEM, Maker, every_command_sent_twice, open_anew


def everything(store: Store) -> dict[bytes, bytes]:
    return {name: store.redis.dump(name) for name in store.redis.scan_iter()}


def test_a_new_record_begins_with_its_id_and_ends_with_its_version(store: Store, make: Maker):
    make.user()
    task = make.task(title="Écrire", tags=("a", "b"))
    blob = store.redis.get("task:1")
    assert blob.startswith(b'{"id":1,"title":"')
    assert blob.endswith(b',"version":%d}' % task.version)
    assert codec.decode(TASK, blob) == task
    assert codec.version_of(blob) == task.version == state.EPOCH_SPAN + 2


def test_ids_count_up_from_one_for_each_kind(store: Store, make: Maker):
    assert [make.user().id, make.user().id] == [1, 2]
    assert [make.task().id, make.task().id] == [1, 2]


def test_no_id_is_given_beyond_the_ceiling(store: Store, make: Maker):
    make.user()
    store.redis.hset(keys.IDS, "task:ceiling", 1)
    make.task()
    before = everything(store)
    with pytest.raises(Full, match="task"):
        make.task()
    assert everything(store) == before


def test_several_new_records_in_one_save_get_ids_of_their_own(store: Store, make: Maker):
    user = make.user()
    tasks = [Task(title=name, user_id=user.id, created_at="", updated_at="") for name in "abc"]
    saved = save(store, SYSTEM, [Change(None, task, "created") for task in tasks])
    assert saved.ids == (1, 2, 3)
    assert saved.versions == (user.version + 1, user.version + 2, user.version + 3)
    assert make.task().id == 4


def test_a_credential_is_stored_under_the_id_of_its_user(store: Store, make: Maker):
    make.user()
    user = Change(None, make.user().changed(id=0, version=0, username="bob"), "created")
    credential = Change(None, Credential(password_hash="x", updated_at=""), "created", SAME_ID)
    assert save(store, SYSTEM, [user, credential]).ids == (3, 3)
    assert store.redis.exists("credential:3")


def test_a_change_of_a_record_that_has_moved_is_refused(store: Store, make: Maker):
    make.user()
    was = make.task()
    make.changed(was, title="first")
    before = everything(store)
    with pytest.raises(Moved):
        make.changed(was, title="second")
    assert everything(store) == before


def test_a_change_of_a_record_that_is_gone_is_refused(store: Store, make: Maker):
    make.user()
    was = make.task()
    make.purged(was)
    with pytest.raises((NotFound, Moved)):
        make.changed(was, title="late")


def test_a_right_withdrawn_between_read_and_write_refuses_the_write(store: Store, make: Maker):
    user = make.user()
    task = make.task()
    make.changed(user, role="group_admin")
    before = everything(store)
    with pytest.raises(Moved):
        save(store, SYSTEM, [Change(task, task.changed(title="x"), "changed")], guards=[user])
    assert everything(store) == before


def test_a_session_that_has_ended_refuses_the_write(store: Store, make: Maker):
    user = make.user()
    claim = Claim(user.id, session="gone")
    with pytest.raises(Unauthorized):
        save(store, claim, [Change(user, user.changed(full_name="x"), "changed")])


def test_a_task_is_refused_when_its_user_or_group_is_gone(store: Store, make: Maker):
    with pytest.raises(Moved):
        make.task(user_id=9)
    make.user()
    with pytest.raises(Moved):
        make.task(group_id=4)


def test_a_write_under_a_parent_that_is_being_deleted_is_refused(store: Store, make: Maker):
    make.user()
    store.redis.hset("leaving", "user:1", "{}")
    with pytest.raises(Exception, match="being deleted"):
        make.task()


def test_a_resent_write_is_applied_once(store: Store, make: Maker):
    make.user()
    task = make.task().changed(id=0, version=0)
    with every_command_sent_twice():
        again = save(store, SYSTEM, [Change(None, task, "created")])
    assert again.again
    assert again.first.blob == store.redis.get("task:2")
    assert store.redis.hget(keys.IDS, "task") == b"2"


def test_a_kept_write_answers_with_the_record_as_it_was_then(store: Store, make: Maker):
    make.user()
    claim = Claim(0, operation=Operation("key", fingerprint="abc"))
    task = Task(title="then", user_id=1, created_at="", updated_at="")
    first = save(store, claim, [Change(None, task, "created")])
    make.changed(first.first.record, title="later")
    again = save(store, claim, [Change(None, task, "created")])
    assert again.again
    assert again.first.record.title == "then"


def test_a_kept_key_with_another_request_is_refused(store: Store, make: Maker):
    make.user()
    task = Task(title="a", user_id=1, created_at="", updated_at="")
    save(store, Claim(0, operation=Operation("k", "one")), [Change(None, task, "created")])
    with pytest.raises(KeyReused):
        save(store, Claim(0, operation=Operation("k", "two")), [Change(None, task, "created")])


def test_the_same_key_of_another_caller_is_another_operation(store: Store, make: Maker):
    make.user()
    task = Task(title="a", user_id=1, created_at="", updated_at="")
    ids = [
        save(store, Claim(n, operation=Operation("k", "")), [Change(None, task, "created")]).ids
        for n in (0, 1)
    ]
    assert ids == [(1,), (2,)]


def test_a_unique_value_is_refused_to_a_second_record_whatever_its_case(store: Store, make: Maker):
    make.user(username="Alice", email="Straße@example.org")
    before = everything(store)
    with pytest.raises(Taken) as refused:
        make.user(username="aLICE")
    assert refused.value.field == "username"
    with pytest.raises(Taken, match="email"):
        make.user(email="STRASSE@EXAMPLE.ORG")
    assert everything(store) == before


def test_two_new_records_of_one_save_cannot_share_a_unique_value(store: Store, make: Maker):
    user = make.user()
    twin = Change(None, user.changed(id=0, version=0, username="twin"), "created")
    with pytest.raises(Taken):
        save(store, SYSTEM, [twin, twin])


def test_a_unique_value_is_free_after_its_holder_gave_it_up_and_kept_in_the_trash(store: Store, make: Maker):
    user = make.changed(make.user(username="alice"), username="bob")
    second = make.user(username="alice")
    trashed = make.changed(second, deleted_at="2026-01-01T00:00:00.000Z")
    with pytest.raises(Taken):
        make.user(username="alice")
    make.purged(trashed)
    assert make.user(username="alice").id > user.id


def test_a_refusal_in_the_last_change_leaves_nothing_of_the_others(store: Store, make: Maker):
    user = make.user(username="alice")
    task = make.task()
    before = everything(store)
    clash = Change(None, user.changed(id=0, version=0), "created")
    with pytest.raises(Taken):
        save(store, SYSTEM, [Change(task, task.changed(title="x"), "changed"), clash])
    assert everything(store) == before


def test_the_sessions_of_a_user_end_with_the_write_that_says_so(store: Store, make: Maker):
    user = make.user()
    store.redis.hset("session:1:abc", "refresh", "r")
    store.redis.zadd("sessions:1", {"abc": 9})
    save(store, SYSTEM, [Change(user, user.changed(role="owner"), "changed")], sessions_end=[1])
    assert not store.redis.exists("session:1:abc", "sessions:1")


def test_nothing_is_written_before_the_server_was_verified(store: Store, make: Maker):
    user = make.user()
    store.redis.hset(keys.META, "run", "another")
    with pytest.raises(Unavailable):
        make.task()
    store.redis.script_flush()
    with pytest.raises(Unavailable):
        make.changed(user, full_name="x")
    open_anew(store)
    assert make.task().id == 1


def test_a_server_without_room_refuses_before_the_first_write(store: Store, make: Maker):
    make.user()
    task = make.task()
    before = everything(store)
    store.redis.config_set("maxmemory", 1)
    try:
        with pytest.raises(Full):
            make.changed(task, title="x" * 100)
    finally:
        store.redis.config_set("maxmemory", 0)
    assert everything(store) == before


def test_a_server_that_is_away_is_named_so():
    nowhere = client.connect("redis://127.0.0.1:1/0")
    with pytest.raises(Unavailable, match="away"):
        Maker(nowhere).user()


def test_an_id_is_reserved_once_and_never_without_a_lease(store: Store, make: Maker):
    assert [state.reserve(store, GROUP), state.reserve(store, GROUP)] == [1, 2]
    assert make.group().id == 3
    store.redis.hset(keys.IDS, "group:ceiling", 3)
    with pytest.raises(Full, match="group"):
        state.reserve(store, GROUP)
    state.close(store)
    with pytest.raises(Unavailable):
        state.reserve(store, GROUP)
