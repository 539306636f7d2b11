"""Logins. One that is not here has ended, whatever its tokens say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from secrets import token_hex
from typing import Any

from taskapi.domain.clock import timestamp
from taskapi.domain.errors import Moved, Unauthorized
from taskapi.store import keys
from taskapi.store.client import Store, faults_named, run
from taskapi.store.errors import refusal
from taskapi.store.kinds import CREDENTIAL, USER

MOST_PER_USER = 100
SHOWN = ("created_at", "refreshed_at", "address", "agent")


@dataclass(frozen=True, slots=True)
class Session:
    """A login and the id of the one refresh token that is good for it."""

    user_id: int
    id: str
    refresh_id: str


def begin(
    store: Store, user_id: int, credential_version: int, life: int, about: Mapping[str, str]
) -> Session:
    """A new session of `life` seconds; raises Moved if the credential is not that version any more, and
    Unauthorized if the user is gone.

    `about` says where it was begun: address and agent.
    """
    session = Session(user_id, token_hex(16), token_hex(16))
    moment = timestamp()
    values = {"refresh": session.refresh_id, "created_at": moment, "refreshed_at": moment, **about}
    flat = [text for pair in values.items() for text in pair]
    guards = (keys.record(USER.name, user_id), keys.record(CREDENTIAL.name, user_id), credential_version)
    done = _run(store, "begin", *_named(session), life, *guards, MOST_PER_USER, *flat)
    if done < 0:
        raise Unauthorized("This account is gone.")
    if done == 0:
        raise Moved("The password has changed.")
    return session


def rotate(store: Store, session: Session, life: int) -> Session:
    """The session with a new refresh id; raises Unauthorized if it is over.

    An id that was used before ends the session: somebody else may have the token.
    """
    following = Session(session.user_id, session.id, token_hex(16))
    done = _run(
        store, "rotate", *_named(session), life, session.refresh_id, following.refresh_id, timestamp()
    )
    if done == 1:
        return following
    raise Unauthorized(
        "This refresh token was used before; the session has ended." if done else "The session has ended."
    )


def end(store: Store, user_id: int, *session_ids: str) -> int:
    """Ends those sessions of a user, or all; returns how many there were."""
    return _run(store, "end", keys.sessions(user_id), keys.session(user_id, ""), *session_ids)


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


def _run(store: Store, *args: Any) -> int:
    reply: Any = run(store, "session", *args)
    if isinstance(reply, list):
        raise refusal(reply)
    return int(reply)
