"""Access, refresh and cookie tokens: made and checked by flask-jwt-extended, and remembered once checked."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, NoReturn

from flask import Flask
from flask_jwt_extended import JWTManager, create_access_token, create_refresh_token, decode_token
from flask_jwt_extended.exceptions import JWTExtendedException
from jwt.exceptions import ExpiredSignatureError, PyJWTError

from taskapi.config import Settings
from taskapi.domain.errors import TokenExpired, Unauthorized

MOST_REMEMBERED = 10_000
LONGEST = 4096
_ENDED = "This token is not valid, or has expired."


@dataclass(frozen=True, slots=True)
class Token:
    """What a checked token says: its kind is access, refresh or cookie, and no kind passes for another.

    `refresh_id` is empty but in a refresh token; `expires` is in Unix seconds.
    """

    kind: str
    user_id: int
    session: str
    expires: float
    refresh_id: str = ""


class Tokens:
    """The tokens of one app.

    A checked access or cookie token is remembered, because checking one costs more than the whole read that
    it is for; its expiry is looked at on every use, and the session that it names is read with the data.
    """

    def __init__(self) -> None:
        self._remembered: OrderedDict[str, Token] = OrderedDict()
        self._lock = threading.Lock()

    def access(self, text: str) -> Token:
        """The access token in that text; raises Unauthorized, and TokenExpired if time alone has ended it."""
        return self._known(text, "access")

    def cookie(self, text: str) -> Token:
        """The token in a session cookie; raises Unauthorized."""
        return self._known(text, "cookie")

    def _known(self, text: str, kind: str) -> Token:
        found = self._remembered.get(text)
        if found is None or found.kind != kind:
            found = _checked(text, kind)
            self._remember(text, found)
        if found.expires <= time.time():
            raise _over(kind)
        return found

    def _remember(self, text: str, token: Token) -> None:
        with self._lock:
            self._remembered[text] = token
            while len(self._remembered) > MOST_REMEMBERED:
                self._remembered.popitem(last=False)


def refresh(text: str) -> Token:
    """The refresh token in that text; raises Unauthorized."""
    found = _checked(text, "refresh")
    if not found.refresh_id:
        raise Unauthorized(_ENDED)
    return found


def made(user_id: int, session: str, refresh_id: str) -> tuple[str, str]:
    """An access and a refresh token for a session."""
    access = create_access_token(str(user_id), additional_claims={"sid": session})
    return access, create_refresh_token(str(user_id), additional_claims={"sid": session, "rid": refresh_id})


def made_cookie(user_id: int, session: str, seconds: int) -> str:
    """A token for the cookie of a session, good for as long as that."""
    claims = {"sid": session, "type": "cookie"}
    return create_access_token(
        str(user_id), expires_delta=timedelta(seconds=seconds), additional_claims=claims
    )


def register(app: Flask, settings: Settings) -> None:
    """Binds flask-jwt-extended to the app: HS256 and nothing else."""
    app.config.update(
        JWT_SECRET_KEY=settings.jwt_secret_key,
        JWT_ALGORITHM=settings.algorithm,
        JWT_DECODE_ALGORITHMS=[settings.algorithm],
        JWT_ACCESS_TOKEN_EXPIRES=settings.access_token_expire_minutes * 60,
        JWT_REFRESH_TOKEN_EXPIRES=settings.refresh_token_expire_days * 86400,
    )
    JWTManager(app)


def _checked(text: str, kind: str) -> Token:
    if len(text) > LONGEST:
        raise Unauthorized(_ENDED)
    try:
        return _read(decode_token(text), kind)
    except ExpiredSignatureError:
        _expired(text, kind)
    except (PyJWTError, JWTExtendedException, UnicodeError):
        raise Unauthorized(_ENDED) from None


def _expired(text: str, kind: str) -> NoReturn:
    """Raises what a token is refused with that is well signed, and over."""
    try:
        _read(decode_token(text, allow_expired=True), kind)
    except (PyJWTError, JWTExtendedException):
        raise Unauthorized(_ENDED) from None
    raise _over(kind)


def _over(kind: str) -> Unauthorized:
    return TokenExpired() if kind == "access" else Unauthorized(_ENDED)


def _read(said: dict[str, Any], kind: str) -> Token:
    if said["type"] != kind:
        raise Unauthorized(f"This is no {kind} token.")
    subject, session = said.get("sub"), said.get("sid")
    if not (
        isinstance(subject, str) and subject.isascii() and subject.isdigit() and isinstance(session, str)
    ):
        raise Unauthorized(_ENDED)
    if not session or len(subject) > 16:
        raise Unauthorized(_ENDED)
    return Token(said["type"], int(subject), session, float(said.get("exp", 0)), str(said.get("rid", "")))
