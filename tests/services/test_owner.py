"""User 1 follows the settings at every start."""

import pytest

from taskapi.domain.errors import Invalid
from taskapi.services.owner import ensure_owner, owner_again
from taskapi.store import state


class TestOwner:
    """User 1 follows the settings at every start."""

    def test_user_1_is_made_once_and_only_once(self, store):
        for _ in range(2):
            ensure_owner(store, "o@example.org", "admin1234")
        assert store.redis.hget("ids", "user") == b"1"
        assert b'"role":"owner"' in store.redis.get("user:1")
        assert store.redis.xlen("journal") == 2

    def test_user_1_has_id_1_even_after_ids_have_jumped(self, store):
        store.redis.hset("ids", mapping={"user": 1000, "user:ceiling": 2000})
        ensure_owner(store, "o@example.org", "admin1234")
        assert store.redis.exists("user:1", "credential:1") == 2
        assert store.redis.hget("ids", "user") == b"1000"

    def test_a_new_password_in_the_settings_ends_the_sessions(self, store):
        ensure_owner(store, "o@example.org", "admin1234")
        store.redis.zadd("sessions:1", {"s": 9})
        ensure_owner(store, "new@example.org", "admin1234")
        assert store.redis.exists("sessions:1")
        ensure_owner(store, "new@example.org", "another password")
        assert not store.redis.exists("sessions:1")

    def test_an_email_of_another_user_is_refused_with_what_to_do(self, store, house):
        with pytest.raises(Invalid) as refused:
            ensure_owner(store, "ann@example.org", "admin1234")
        assert "OWNER_EMAIL" in refused.value.errors

    def test_a_restore_that_is_over_is_told_though_the_next_one_has_begun(self, store):
        ensure_owner(store, "o@example.org", "admin1234")
        assert state.freeze(store, "the next one")
        told = owner_again(store, "new@example.org", "admin1234")["owner"]
        assert "being restored" in told
        assert state.thaw(store, "the next one")
        assert owner_again(store, "new@example.org", "admin1234") == {}
