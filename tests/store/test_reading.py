"""read.lua: the caller, their limit and the records in one round trip that writes nothing."""

import time
from dataclasses import replace

import pytest

from taskapi.domain.callers import Claim, Operation
from taskapi.domain.errors import Damaged, Forbidden, KeyReused, Limited, NotFound, Unauthorized, Unavailable
from taskapi.domain.records import Credential, Task
from taskapi.domain.rights import Right
from taskapi.store import keys, sessions
from taskapi.store.client import Limit, Store
from taskapi.store.kinds import TASK
from taskapi.store.plans import Change
from taskapi.store.reading import Question, ask
from taskapi.store.records import save
from tests.store.conftest import SYSTEM, Maker, every_command_sent_twice


@pytest.fixture
def account(store: Store, make: Maker):
    """A user with a password, and their credential as stored."""
    user = make.user()
    save(store, SYSTEM, [Change(None, Credential(password_hash="h", updated_at="t"), "created", "1")])
    return user


def limited(store: Store, *limits: Limit) -> tuple[Store, list[tuple[int, int]]]:
    heard: list[tuple[int, int]] = []
    return replace(store, limits=limits, metered=lambda left, full: heard.append((left, full))), heard


def test_one_question_brings_the_caller_and_the_records(store, make):
    user, task = make.user(role="owner"), None
    task = make.task()
    seen = ask(store, Claim(1, Right.ADMINISTER), Question(["task:1", "task:2"]))
    assert seen.caller.user == user
    assert seen.record(TASK, 1) == task
    assert seen.stored(TASK, 2) is None
    with pytest.raises(NotFound):
        seen.existing(TASK, 2)


def test_what_is_no_record_is_told_before_anybody_reads_it(store, make):
    make.user(role="owner")
    store.redis.set("task:1", "broken")
    with pytest.raises(Damaged):
        ask(store, Claim(1, Right.ADMINISTER), Question(["task:1"])).stored(TASK, 1)


def test_a_role_without_the_right_is_refused(store, make):
    make.user()
    with pytest.raises(Forbidden):
        _ = ask(store, Claim(1, Right.ADMINISTER), Question()).caller


def test_a_caller_who_is_gone_is_nobody(store, make):
    with pytest.raises(Unauthorized):
        _ = ask(store, Claim(1), Question()).caller
    user = make.user()
    make.changed(user, deleted_at="2026-01-01T00:00:00.000Z")
    with pytest.raises(Unauthorized):
        _ = ask(store, Claim(1), Question()).caller


def test_a_password_that_has_changed_since_it_was_verified_counts_no_more(store, account):
    version = int(store.redis.get("credential:1").split(b'"version":')[1][:-1])
    assert ask(store, Claim(1, credential_version=version), Question()).caller.id == 1
    with pytest.raises(Unauthorized):
        _ = ask(store, Claim(1, credential_version=version - 1), Question()).caller


def test_a_session_that_has_ended_is_refused(store, account):
    with pytest.raises(Unauthorized):
        ask(store, Claim(1, session="none"), Question())


def test_whoever_holds_a_unique_value_is_found(store, make):
    make.user(username="Alice")
    seen = ask(
        store,
        Claim(0),
        Question(holder=(keys.unique("user", "username"), "alice"), holder_prefixes=["user:"]),
    )
    assert b'"Alice"' in seen.held[0]
    none = ask(
        store, Claim(0), Question(holder=(keys.unique("user", "username"), "bob"), holder_prefixes=["user:"])
    )
    assert none.held == ()


def test_calls_beyond_the_limit_are_refused_until_the_bucket_has_refilled(store, account):
    store, heard = limited(store, Limit(3, 600))
    for _ in range(3):
        ask(store, Claim(1), Question())
    assert [left for left, _ in heard] == [2, 1, 0]
    with pytest.raises(Limited) as refused:
        ask(store, Claim(1), Question())
    assert 0 < refused.value.retry_after <= 0.2
    time.sleep(refused.value.retry_after)
    ask(store, Claim(1), Question())


def test_each_caller_has_a_limit_of_their_own_and_the_tightest_counts(store, account, make):
    make.user()
    store, heard = limited(store, Limit(100, 60_000), Limit(1, 60_000))
    ask(store, Claim(1), Question())
    ask(store, Claim(2), Question())
    with pytest.raises(Limited):
        ask(store, Claim(2), Question())
    assert heard[-1][0] == 0


def test_a_request_counts_once_however_often_it_asks(store, account):
    store, heard = limited(store, Limit(1, 60_000))
    claim = Claim(1)
    for _ in range(3):
        ask(store, claim, Question())
    assert len(heard) == 1
    with pytest.raises(Limited):
        ask(store, Claim(1), Question())


def test_a_clock_that_goes_back_locks_nobody_out(store, account):
    store, _ = limited(store, Limit(2, 60_000))
    ask(store, Claim(1), Question())
    store.redis.hincrby("limits", "1:2:60000", 3600_000_000)
    with pytest.raises(Limited) as refused:
        ask(store, Claim(1), Question())
    assert refused.value.retry_after <= 60


def test_two_limits_of_one_period_are_counted_apart(store, account):
    store, _ = limited(store, Limit(2, 60_000), Limit(100, 60_000))
    for _ in range(2):
        ask(store, Claim(1), Question())
    with pytest.raises(Limited):
        ask(store, Claim(1), Question())


def test_a_thousand_reads_leave_the_append_only_file_as_it_was(store, account, make):
    make.task()
    store, _ = limited(store, Limit(10_000, 60_000))
    ask(store, Claim(1), Question(["task:1"]))
    before = store.redis.info("persistence")["aof_current_size"]
    for _ in range(1000):
        ask(store, Claim(1), Question(["task:1"]))
    assert store.redis.info("persistence")["aof_current_size"] == before


def test_reads_go_on_when_the_memory_is_full(store, account):
    store, _ = limited(store, Limit(10, 60_000))
    store.redis.config_set("maxmemory", 1)
    try:
        assert ask(store, Claim(1), Question()).caller.id == 1
    finally:
        store.redis.config_set("maxmemory", 0)


def test_nobody_reads_while_the_server_is_unverified(store, account):
    store.redis.hset(keys.META, "state", "closed")
    with pytest.raises(Unavailable):
        ask(store, Claim(1), Question())


def test_a_kept_answer_comes_with_the_question(store, account):
    claim = Claim(1, operation=Operation("k", "f"))
    assert ask(store, claim, Question()).replayed is None
    task = Task(title="a", user_id=1, created_at="", updated_at="")
    first = save(store, claim, [Change(None, task, "created")])
    replayed = ask(store, claim, Question()).replayed
    assert replayed is not None
    assert replayed.first == first.first


class TestSessions:
    """Logins: one refresh token is good at a time."""

    def begun(self, store: Store) -> sessions.Session:
        version = int(store.redis.get("credential:1").split(b'"version":')[1][:-1])
        return sessions.begin(store, Claim(0), 1, version, 60, {"address": "127.0.0.1", "agent": "curl"})

    def test_a_session_lets_its_caller_in_until_it_is_ended(self, store, account):
        session = self.begun(store)
        claim = Claim(1, session=session.id)
        assert ask(store, claim, Question()).caller.id == 1
        assert sessions.end(store, Claim(1), 1, session.id).count == 1
        with pytest.raises(Unauthorized):
            ask(store, claim, Question())

    def test_a_refresh_id_is_good_once_and_its_second_use_ends_the_session(self, store, account):
        first = self.begun(store)
        second = sessions.rotate(store, Claim(0), first, 60)
        assert (second.id, second.refresh_id != first.refresh_id) == (first.id, True)
        with pytest.raises(Unauthorized, match="used before"):
            sessions.rotate(store, Claim(0), first, 60)
        with pytest.raises(Unauthorized):
            sessions.rotate(store, Claim(0), second, 60)

    def test_a_resent_rotation_counts_once(self, store, account):
        session = self.begun(store)
        with every_command_sent_twice():
            following = sessions.rotate(store, Claim(0), session, 60)
        assert sessions.rotate(store, Claim(0), following, 60).id == session.id

    def test_no_session_begins_on_a_password_that_has_just_changed(self, store, account):
        with pytest.raises(Exception, match="password has changed"):
            sessions.begin(store, Claim(0), 1, 5, 60, {})

    def test_sessions_are_listed_newest_first_and_all_end_together(self, store, account):
        begun = [self.begun(store), self.begun(store)]
        listed = sessions.of_user(store, 1)
        assert {row["id"] for row in listed} == {session.id for session in begun}
        assert listed[0]["agent"] == "curl"
        assert sessions.end(store, Claim(1), 1).count == 2
        assert sessions.of_user(store, 1) == []

    def test_sessions_end_once_by_one_operation(self, store, account):
        claim = Claim(1, operation=Operation("k", "f"))
        self.begun(store)
        assert sessions.end(store, claim, 1) == sessions.Ended(1)
        kept = self.begun(store)
        assert sessions.end(store, claim, 1) == sessions.Ended(1, again=True)
        assert [row["id"] for row in sessions.of_user(store, 1)] == [kept.id]
        with pytest.raises(KeyReused):
            sessions.end(store, Claim(1, operation=Operation("k", "another")), 1)

    def test_a_resent_end_says_how_many_it_ended(self, store, account):
        session = self.begun(store)
        with every_command_sent_twice():
            assert sessions.end(store, Claim(1), 1, session.id) == sessions.Ended(1)

    def test_the_oldest_sessions_make_room(self, store, account, monkeypatch):
        monkeypatch.setattr(sessions, "MOST_PER_USER", 2)
        for _ in range(4):
            self.begun(store)
        assert len(sessions.of_user(store, 1)) == 2

    def test_a_session_is_gone_when_its_time_is_over(self, store, account):
        session = self.begun(store)
        assert 0 < store.redis.ttl(keys.session(1, session.id)) <= 60

    def test_no_session_begins_while_the_server_is_unverified(self, store, account):
        version = int(store.redis.get("credential:1").split(b'"version":')[1][:-1])
        store.redis.hset(keys.META, "state", "closed")
        with pytest.raises(Unavailable):
            sessions.begin(store, Claim(0), 1, version, 60, {})
