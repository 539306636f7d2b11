"""Who somebody is: register, sign in and out, sessions, passwords."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from taskapi.domain.callers import Caller, Claim
from taskapi.domain.errors import Conflict, Invalid, NotFound, Unauthorized
from taskapi.domain.filters import Page
from taskapi.domain.records import OWNER_ID, Credential
from taskapi.domain.records import USER as PLAIN_USER
from taskapi.services import passwords
from taskapi.services.again import decided_again
from taskapi.services.passwords import VerifiedMemory
from taskapi.services.results import Listed, Login, Shown, computed, whole
from taskapi.services.user_changes import change_user
from taskapi.services.users import account_changes
from taskapi.store import codec, keys, sessions
from taskapi.store.client import Store
from taskapi.store.codec import Stored
from taskapi.store.kinds import CREDENTIAL, USER
from taskapi.store.reading import Question, ask, replayed
from taskapi.store.records import save
from taskapi.store.sessions import Ended, Session

ALL_SESSIONS = Page(per_page=sessions.MOST_PER_USER)
WRONG = "The name or the password is wrong."


@dataclass(frozen=True, slots=True)
class Device:
    """Where somebody signs in from."""

    address: str
    agent: str = ""


@dataclass(frozen=True, slots=True)
class Account:
    """A user with the credential that was read with them."""

    user: Stored
    credential: Credential


def register(
    store: Store, claim: Claim, fields: Mapping[str, Any], device: Device, *, life_seconds: int
) -> Login:
    """A new plain user, signed in. A role they ask for is kept for the owner to grant."""
    asked = fields.get("role")
    values = {name: value for name, value in fields.items() if name != "role"}
    values["full_name"] = values.get("full_name") or values.get("username") or values.get("email")
    values["requested_role"] = None if asked in (None, PLAIN_USER) else asked
    # A question first: with the store away it gives up sooner than a save does.
    known = replayed(store, ask(store, claim, Question()))
    saved = known or save(store, claim, account_changes(values))
    version = saved.versions[1]
    session = sessions.begin(store, claim, saved.first.id, version, life_seconds, asdict(device))
    return _login(whole(saved.first).after(*saved.dirty, replayed=saved.again), session)


@decided_again
def log_in(
    store: Store,
    claim: Claim,
    name: str,
    password: str,
    device: Device,
    *,
    life_seconds: int,
    owner_password: str | None = None,
) -> Login:
    """A new session for whoever has that name (username, e-mail or id) and password.

    The system owner's is `owner_password` and no other, where it is given.
    """
    account = _verified(store, name, password, owner_password)
    user, version = account.user, account.credential.version
    session = sessions.begin(store, claim, user.id, version, life_seconds, asdict(device))
    return _login(whole(user).after(replayed=session.again), session)


def refresh(store: Store, claim: Claim, session: Session, *, life_seconds: int) -> Login:
    """The session goes on under a new refresh id; one that was used before, by another operation, ends it."""
    seen = ask(store, Claim(session.user_id, session=session.id), Question())
    user = whole(seen.existing(USER, seen.caller.id))
    # Last, for nothing may refuse once the old id is used up.
    return _login(user, sessions.rotate(store, claim, session, life_seconds))


def require_caller(store: Store, claim: Claim) -> None:
    """Raises unless the caller may call: Unauthorized, Forbidden or Limited."""
    _ = ask(store, claim, Question()).caller


def log_out(store: Store, claim: Claim) -> Shown:
    """Ends the session that the caller's token belongs to; without one there is nothing to end."""
    caller = ask(store, claim, Question()).caller
    ended = sessions.end(store, claim, caller.id, claim.session) if claim.session else Ended(0)
    return _ended(ended)


def read_me(store: Store, claim: Claim) -> Shown:
    """The caller."""
    seen = ask(store, claim, Question())
    return whole(seen.existing(USER, seen.caller.id))


def list_sessions(store: Store, claim: Claim, page: Page = ALL_SESSIONS) -> Listed:
    """The caller's sessions, newest first; `current` marks the one that asks."""
    caller = ask(store, claim, Question()).caller
    rows = sessions.of_user(store, caller.id)
    begin = _place(rows, page)
    shown = rows[begin : begin + page.per_page]
    items = tuple(computed(row | {"current": row["id"] == claim.session}).body for row in shown)
    following = shown[-1]["id"] if begin + page.per_page < len(rows) and shown else None
    return Listed("sessions", items, len(rows), following)


def end_session(store: Store, claim: Claim, session_id: str) -> Shown:
    """Ends one session of the caller."""
    caller = ask(store, claim, Question()).caller
    ended = sessions.end(store, claim, caller.id, session_id)
    if not ended.count:
        raise NotFound("You have no such session.")
    return computed({"id": session_id, "deleted": True}).after(replayed=ended.again)


def end_sessions(store: Store, claim: Claim) -> Shown:
    """Ends all sessions of the caller, this one too."""
    caller = ask(store, claim, Question()).caller
    return _ended(sessions.end(store, claim, caller.id))


def change_password(
    store: Store, claim: Claim, current_password: str, new_password: str, device: Device, *, life_seconds: int
) -> Login:
    """A new password. Every session ends, and a new one begins for the caller."""
    caller: Caller = ask(store, claim, Question()).caller
    if caller.id == OWNER_ID:
        raise Conflict("The system owner's password is set by OWNER_PASSWORD.")
    changes = {"password": new_password, "current_password": current_password}
    shown = change_user(store, claim, caller.id, changes)
    account = _found(store, str(caller.id))
    if account is None:
        raise Unauthorized("This account is gone.")
    version = account.credential.version
    session = sessions.begin(store, claim, caller.id, version, life_seconds, asdict(device))
    return _login(shown, session)


def verify_basic(
    store: Store, memory: VerifiedMemory, name: str, password: str, owner_password: str | None = None
) -> tuple[int, int]:
    """(user id, credential version) of that name and password; raises Unauthorized.

    A pair that was verified within the last minute is not hashed again; whoever uses the answer
    compares the version with the stored credential. The system owner's password is `owner_password` and no
    other, where it is given.
    """
    known = memory.recall(name, password)
    if known is None:
        account = _verified(store, name, password, owner_password)
        known = account.user.id, account.credential.version
        memory.remember(name, password, *known)
    return known


def _verified(store: Store, name: str, password: str, owner_password: str | None) -> Account:
    account = _found(store, name)
    if account is not None and account.user.id == OWNER_ID and owner_password is not None:
        matches = passwords.are_same(owner_password, password)
    else:
        matches = passwords.matches(account.credential.password_hash if account else None, password)
    if account is None or not matches:
        raise Unauthorized(WRONG, user_id=account.user.id if account else None)
    return account


def _found(store: Store, name: str) -> Account | None:
    """Who has that username, e-mail or id."""
    seen = ask(store, Claim(0), _question(name))
    user, credential = seen.held or (seen.found.get(f"user:{name}"), seen.found.get(f"credential:{name}"))
    if user is None or credential is None:
        return None
    return Account(Stored(USER, user), codec.decode(CREDENTIAL, credential))


def _question(name: str) -> Question:
    if name.isascii() and name.isdecimal() and len(name) < 17:
        return Question([keys.record(USER.name, int(name)), keys.record(CREDENTIAL.name, int(name))])
    field = "email" if "@" in name else "username"
    prefixes = (keys.record(USER.name, 0)[:-1], keys.record(CREDENTIAL.name, 0)[:-1])
    return Question(holder=(keys.unique(USER.name, field), codec.fold(name)), holder_prefixes=prefixes)


def _place(rows: list[dict[str, str]], page: Page) -> int:
    """Where the page begins."""
    if page.cursor is None:
        return page.offset
    places = [place for place, row in enumerate(rows) if row["id"] == page.cursor]
    if not places:
        raise Invalid({"cursor": ["The session behind which this page begins has ended."]})
    return places[0] + 1


def _ended(ended: Ended) -> Shown:
    return computed({"ended": ended.count}).after(replayed=ended.again)


def _login(user: Shown, session: Session) -> Login:
    return Login(user, session.user_id, session.id, session.refresh_id)
