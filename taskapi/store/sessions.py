"""Logins. One that is not here has ended, whatever its tokens say."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import dataclass, replace
from secrets import token_hex
from typing import Any

import structlog

from taskapi.domain.callers import Claim
from taskapi.domain.clock import timestamp
from taskapi.domain.errors import KeyReused, Moved, Unauthorized
from taskapi.store import keys
from taskapi.store.client import Store, faults_named, run
from taskapi.store.errors import refusal
from taskapi.store.kinds import CREDENTIAL, USER
from taskapi.store.records import INTERNAL_LIFE_MS, KEPT_LIFE_MS, operation_key

log = structlog.get_logger("taskapi.sessions")

MOST_PER_USER = 100
SHOWN = ("created_at", "refreshed_at", "address", "agent")


@dataclass(frozen=True, slots=True)
class Session:
    """A login and the id of the one refresh token that is good for it.

    `again` says that it had been begun before, by this very operation.
    """

    user_id: int
    id: str
    refresh_id: str
    again: bool = False


@dataclass(frozen=True, slots=True)
class Ended:
    """How many sessions have ended; `again` if that had been done before, by this very operation."""

    count: int
    again: bool = False


def begin(
    store: Store, claim: Claim, user_id: int, credential_version: int, life: int, about: Mapping[str, str]
) -> Session:
    """A new session of `life` seconds; raises Moved if the credential is not that version any more, and
    Unauthorized if the user is gone.

    `about` says where it was begun: address and agent. An operation that its client named and that is
    repeated gets the session that it has begun, even if that is over by now.
    """
    session = Session(user_id, token_hex(16), token_hex(16))
    moment = timestamp()
    values = {"refresh": session.refresh_id, "created_at": moment, "refreshed_at": moment, **about}
    flat = [text for pair in values.items() for text in pair]
    guards = (keys.record(USER.name, user_id), keys.record(CREDENTIAL.name, user_id), credential_version)
    operation = keys.begun(operation_key(replace(claim, user_id=user_id))) if claim.operation else ""
    kept = (operation, KEPT_LIFE_MS, f"{session.id} {session.refresh_id}")
    done = _run(store, "begin", *_named(session), life, *guards, MOST_PER_USER, *kept, *flat)
    if isinstance(done, bytes):
        session_id, refresh_id = done.decode().split()
        return Session(user_id, session_id, refresh_id, again=True)
    if done < 0:
        raise Unauthorized("This account is gone.")
    if done == 0:
        raise Moved("The password has changed.")
    return session


def rotate(store: Store, claim: Claim, session: Session, life: int) -> Session:
    """The session with a new refresh id; raises Unauthorized if it is over.

    An id that was used before ends the session: somebody else may have the token. Not so by the same
    operation: one that its client named leads to the same new id each time.
    """
    following = replace(session, refresh_id=_successor(claim, session.refresh_id))
    done = _run(
        store, "rotate", *_named(session), life, session.refresh_id, following.refresh_id, timestamp()
    )
    if done == 1:
        return following
    if done:
        log.warning("refresh token reused; its session has ended", user=session.user_id, session=session.id)
        raise Unauthorized("This refresh token was used before; the session has ended.")
    raise Unauthorized("The session has ended.")


def end(store: Store, claim: Claim, user_id: int, *session_ids: str) -> Ended:
    """Ends those sessions of a user, or all; says how many there were.

    The operation that does it again ends none, and is told the same; raises KeyReused if it was another's.
    """
    operation = claim.operation
    fingerprint = operation.fingerprint if operation else ""
    kept = (operation_key(claim), KEPT_LIFE_MS if operation else INTERNAL_LIFE_MS, fingerprint)
    done = _run(store, "end", keys.sessions(user_id), keys.session(user_id, ""), *kept, *session_ids)
    if isinstance(done, int):
        return Ended(done)
    its_own, _, count = done.decode().partition("\n")
    if its_own != fingerprint:
        raise KeyReused("This Idempotency-Key was used for another request.")
    return Ended(int(count), again=operation is not None)


def end_all(store: Store) -> None:
    """Ends every session of everybody, also in a Redis that is not open."""
    with faults_named():
        for pattern in (keys.session("*", "*"), keys.sessions("*")):
            for name in store.redis.scan_iter(pattern, count=1000):
                store.redis.unlink(name)


def of_user(store: Store, user_id: int) -> list[dict[str, str]]:
    """The sessions of a user, newest first: {id, created_at, refreshed_at, address, agent}."""
    with faults_named():
        names: list[Any] = store.redis.zrange(keys.sessions(user_id), 0, -1, desc=True)
        ids = [name.decode() for name in names]
        pipe = store.redis.pipeline(transaction=False)
        for session_id in ids:
            pipe.hmget(keys.session(user_id, session_id), SHOWN)
        rows = zip(ids, pipe.execute(), strict=True)
    return [_shown(session_id, values) for session_id, values in rows if values[0] is not None]


def _shown(session_id: str, values: list[bytes | None]) -> dict[str, str]:
    return {"id": session_id} | {
        name: (value or b"").decode() for name, value in zip(SHOWN, values, strict=True)
    }


def _named(session: Session) -> tuple[str, str, str]:
    return keys.session(session.user_id, session.id), keys.sessions(session.user_id), session.id


def _successor(claim: Claim, refresh_id: str) -> str:
    """The refresh id that comes next; nobody guesses that of an operation, whose id is a keyed digest."""
    if claim.operation is None:
        return token_hex(16)
    return hmac.new(claim.operation.id.encode(), refresh_id.encode(), "sha256").hexdigest()[:32]


def _run(store: Store, *args: Any) -> int | bytes:
    """The script's number, or what was kept of an operation that was done before."""
    reply: Any = run(store, "session", *args)
    if isinstance(reply, list) and reply[0] == b"again":
        kept: bytes = reply[1]
        return kept
    if isinstance(reply, list):
        raise refusal(reply)
    return int(reply)
