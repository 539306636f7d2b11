"""Ids: from 1 on, under what is leased, and user 1 is nobody's but the owner's."""

import pytest

from taskapi.db.engine import Engine
from taskapi.domain.callers import Claim
from taskapi.domain.clock import timestamp
from taskapi.domain.errors import Full
from taskapi.domain.records import OWNER, Group
from taskapi.services import accounts
from taskapi.services.owner import ensure_owner
from taskapi.store import contents
from taskapi.store.client import Store
from taskapi.store.kinds import USER
from taskapi.sync.catching_up import catch_up
from taskapi.sync.flush import drain
from tests.sync.conftest import create


def test_who_registers_before_there_is_an_owner_does_not_become_the_owner(store: Store, engine: Engine):
    catch_up(store, engine, 5)  # a worker was first
    first = register(store, "mallory")

    ensure_owner(store, "admin@example.org", "owner-password")

    owner, other = contents.present(store, USER, [1, 2])
    assert (owner.username, owner.email, owner.role) == (None, "admin@example.org", OWNER)
    assert (first, other.username) == (2, "mallory")
    assert register(store, "ada") == 3


def test_there_is_no_gap_between_the_owner_and_the_next(store: Store, engine: Engine):
    catch_up(store, engine, 5)
    ensure_owner(store, "admin@example.org", "owner-password")
    assert register(store, "ada") == 2


def register(store: Store, username: str) -> int:
    """The id of a new user."""
    fields = {"username": username, "password": "correct horse"}
    return accounts.register(store, Claim(0), fields, accounts.Device("a"), life_seconds=3600).user_id


def test_ids_end_at_the_lease_until_postgresql_gives_more(opened: Store, engine: Engine):
    opened.redis.hset("ids", "group", 1000)
    now = timestamp()
    with pytest.raises(Full):
        create(opened, Group(name="Team", created_at=now, updated_at=now))
    drain(opened, engine, 5)
    assert create(opened, Group(name="Team", created_at=now, updated_at=now)).id == 1001
