"""Accounts: register, sign in, sessions, passwords."""

import time

import orjson
import pytest

from taskapi.domain.callers import Claim, Operation
from taskapi.domain.errors import Conflict, Invalid, NotFound, Taken, Unauthorized
from taskapi.domain.rights import Right
from taskapi.services import accounts, passwords, user_changes, users
from taskapi.services.accounts import Device
from taskapi.services.passwords import VerifiedMemory
from taskapi.services.results import Login
from taskapi.store.sessions import Session
from tests.services.conftest import OWNER, claim, said

HERE = Device("127.0.0.1", "curl")
PUBLIC = Claim(0)
ADA = {"username": "Ada", "email": "ada@example.org", "password": "analytical"}


def register(store, **fields) -> Login:
    return accounts.register(store, PUBLIC, ADA | fields, HERE, life_seconds=60)


def log_in(store, name: str = "ada", password: str = "analytical") -> Login:
    return accounts.log_in(store, PUBLIC, name, password, HERE, life_seconds=60)


def signed_in(login: Login) -> Claim:
    return Claim(login.user_id, Right.OWN_ACCOUNT, session=login.session)


@pytest.fixture
def ada(store, house) -> Login:
    return register(store)


def test_who_registers_is_a_plain_user_and_signed_in(store, ada):
    user = said(ada.user)
    assert (user["role"], user["full_name"], user["requested_role"]) == ("user", "Ada", None)
    assert said(accounts.read_me(store, signed_in(ada))) == user
    assert accounts.read_me(store, signed_in(ada)).version == ada.user.version


def test_a_role_that_is_asked_for_is_kept_and_not_given(store, house):
    user = said(register(store, role="group_admin").user)
    assert (user["role"], user["requested_role"]) == ("user", "group_admin")


def test_an_email_alone_names_an_account(store, house):
    fields = {"email": "x@example.org", "password": "analytical"}
    login = accounts.register(store, PUBLIC, fields, HERE, life_seconds=60)
    assert said(login.user)["full_name"] == "x@example.org"


def test_a_name_is_registered_once_whatever_its_case(store, ada):
    with pytest.raises(Taken):
        register(store, username="ADA", email=None)


def test_a_registration_under_the_same_key_makes_one_user(store, house):
    by = Claim(0, operation=Operation("k", "f"))
    logins = [accounts.register(store, by, ADA, HERE, life_seconds=60) for _ in range(2)]
    assert [login.user.replayed for login in logins] == [False, True]
    assert logins[0].user_id == logins[1].user_id


@pytest.mark.parametrize("name", ["ada", "ADA", "ada@example.org", "Ada@Example.org", None])
def test_one_signs_in_by_username_email_or_id(store, ada, name):
    login = log_in(store, name or str(ada.user_id))
    assert login.user_id == ada.user_id
    assert login.session != ada.session


@pytest.mark.parametrize(
    ("name", "password"),
    [("ada", "wrong"), ("nobody", "analytical"), ("9999", "analytical"), ("x@y.org", "a"), ("", "a")],
)
def test_a_wrong_name_and_a_wrong_password_sound_the_same(store, ada, name, password):
    with pytest.raises(Unauthorized, match=accounts.WRONG):
        log_in(store, name, password)


def test_a_deleted_user_cannot_sign_in(store, ada):
    users.delete_user(store, claim(OWNER, Right.DELETE_USER), ada.user_id)
    with pytest.raises(Unauthorized):
        log_in(store)


def test_a_refreshed_session_goes_on_and_a_reused_refresh_ends_it(store, ada):
    following = accounts.refresh(
        store, PUBLIC, Session(ada.user_id, ada.session, ada.refresh_id), life_seconds=60
    )
    assert following.session == ada.session
    with pytest.raises(Unauthorized):
        accounts.refresh(store, PUBLIC, Session(ada.user_id, ada.session, ada.refresh_id), life_seconds=60)
    with pytest.raises(Unauthorized):
        accounts.read_me(store, signed_in(ada))


def test_signing_out_ends_this_session_only(store, ada):
    other = log_in(store)
    assert said(accounts.log_out(store, signed_in(ada))) == {"ended": 1}
    with pytest.raises(Unauthorized):
        accounts.read_me(store, signed_in(ada))
    assert accounts.read_me(store, signed_in(other))
    assert said(accounts.log_out(store, Claim(ada.user_id, Right.OWN_ACCOUNT))) == {"ended": 0}


def test_sessions_are_listed_and_ended_one_by_one_or_together(store, ada):
    other = log_in(store)
    rows = [orjson.loads(item) for item in accounts.list_sessions(store, signed_in(ada)).items]
    assert {row["id"]: row["current"] for row in rows} == {ada.session: True, other.session: False}
    assert said(accounts.end_session(store, signed_in(ada), other.session)) == {
        "id": other.session,
        "deleted": True,
    }
    with pytest.raises(NotFound):
        accounts.end_session(store, signed_in(ada), other.session)
    assert said(accounts.end_sessions(store, signed_in(ada))) == {"ended": 1}


def test_a_new_password_ends_every_session_and_begins_one(store, ada):
    login = accounts.change_password(
        store, signed_in(ada), "analytical", "difference engine", HERE, life_seconds=60
    )
    with pytest.raises(Unauthorized):
        accounts.read_me(store, signed_in(ada))
    assert accounts.read_me(store, signed_in(login))
    with pytest.raises(Unauthorized):
        log_in(store)
    assert log_in(store, password="difference engine")


def test_the_current_password_must_be_given_and_right(store, ada):
    by = Claim(ada.user_id, Right.CHANGE_USER)
    for changes in ({"password": "new password"}, {"email": "b@example.org", "current_password": "wrong"}):
        with pytest.raises(Invalid) as refused:
            user_changes.change_user(store, by, ada.user_id, changes)
        assert "current_password" in refused.value.errors
    changed = user_changes.change_user(
        store, by, ada.user_id, {"email": "b@example.org", "current_password": "analytical"}
    )
    assert said(changed)["email"] == "b@example.org"
    assert log_in(store, "b@example.org")


def test_the_answer_to_a_new_password_is_the_user_and_never_the_hash(store, ada):
    by = claim(OWNER, Right.CHANGE_USER)
    shown = user_changes.change_user(store, by, ada.user_id, {"password": "set by the owner"})
    assert said(shown)["username"] == "Ada"
    assert b"argon2" not in shown.body
    assert log_in(store, password="set by the owner")


def test_a_user_without_password_gets_one_from_the_owner(store, house):
    user_changes.change_user(
        store, claim(OWNER, Right.CHANGE_USER), house.ann.id, {"password": "set by the owner"}
    )
    assert log_in(store, "ann", "set by the owner")


def test_the_system_owners_password_is_not_changed_here(store, house):
    with pytest.raises(Conflict, match="OWNER_PASSWORD"):
        accounts.change_password(store, claim(OWNER, Right.OWN_ACCOUNT), "a", "b", HERE, life_seconds=60)


class TestVerifiedMemory:
    """A password that was just verified is not hashed again, and counts no longer than it is the password."""

    def test_the_second_time_nothing_is_hashed(self, store, ada, monkeypatch):
        memory = VerifiedMemory()
        first = accounts.verify_basic(store, memory, "ada", "analytical")
        monkeypatch.setattr(passwords, "matches", None)
        assert accounts.verify_basic(store, memory, "ada", "analytical") == first

    def test_another_password_or_name_is_not_remembered(self, store, ada):
        memory = VerifiedMemory()
        accounts.verify_basic(store, memory, "ada", "analytical")
        assert memory.recall("ada", "analytica") is None
        assert memory.recall("adaa", "nalytical") is None
        with pytest.raises(Unauthorized):
            accounts.verify_basic(store, memory, "ada", "wrong")

    def test_it_is_forgotten_after_a_minute(self, store, ada, monkeypatch):
        memory = VerifiedMemory()
        memory.remember("ada", "x", 1, 2)
        later = time.monotonic() + passwords.REMEMBERED_SECONDS + 1
        monkeypatch.setattr(passwords.time, "monotonic", lambda: later)
        assert memory.recall("ada", "x") is None

    def test_it_does_not_grow_without_end(self, monkeypatch):
        monkeypatch.setattr(passwords, "MOST_REMEMBERED", 2)
        memory = VerifiedMemory()
        for number in range(5):
            memory.remember("n", str(number), 1, 2)
        assert len(memory.entries) <= 2

    def test_neither_names_nor_passwords_are_kept(self):
        memory = VerifiedMemory()
        memory.remember("ada", "analytical", 1, 2)
        assert "analytical" not in repr(memory.entries)
