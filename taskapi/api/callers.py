"""From the credentials of a request to a claim: in a fixed order, and what is present but wrong ends it."""

from __future__ import annotations

import base64
import binascii
from dataclasses import replace
from functools import lru_cache

from flask import request
from werkzeug.sansio.http import parse_cookie

from taskapi.api import seen
from taskapi.api.addresses import Addresses
from taskapi.api.tokens import Tokens
from taskapi.config import Settings
from taskapi.domain.callers import Claim
from taskapi.domain.errors import Unauthorized
from taskapi.domain.records import OWNER_ID
from taskapi.domain.rights import Right
from taskapi.services import accounts, passwords
from taskapi.services.passwords import VerifiedMemory
from taskapi.store.client import Store

SESSION = "session"
_UNREADABLE = "The Basic credentials cannot be read: they are name:password, in UTF-8 and then in base64."


class Callers:
    """Who may call this app, and how."""

    def __init__(self, settings: Settings, store: Store, addresses: Addresses) -> None:
        self._owner_password = settings.owner_password
        self._store = store
        self._addresses = addresses
        self._tokens = Tokens()
        self._verified = VerifiedMemory()

    def claim(self, right: Right, request_id: str) -> Claim:
        """The claim that the request's credentials support; raises Unauthorized without good ones."""
        user_id, session, credential = self._who()
        return Claim(user_id, right, session, credential, request_id)

    def verified_anew(self, claim: Claim) -> Claim | None:
        """The claim after another look at its password, or None if it rests on none or nothing has changed.

        Raises Unauthorized if the password is wrong by now.
        """
        if claim.credential_version is None:
            return None
        _, _, rest = request.environ.get("HTTP_AUTHORIZATION", "").partition(" ")
        user_id, version = self._addresses.guard(self._basic_anew, rest)
        if version == claim.credential_version:
            return None
        return replace(claim, user_id=user_id, credential_version=version)

    def _who(self) -> tuple[int, str | None, int | None]:
        """User id, session and credential version."""
        password = request.environ.get("HTTP_X_OWNER_PASSWORD")
        if password is not None:
            self._addresses.guard(self._require_owner, password)
            return OWNER_ID, None, None
        given = request.environ.get("HTTP_AUTHORIZATION")
        if given is None:
            return self._by_cookie()
        scheme, _, rest = given.partition(" ")
        if scheme.lower() == "bearer":
            seen.noted().by_token = True
            token = self._tokens.access(rest.strip())
            return token.user_id, token.session, None
        if scheme.lower() == "basic":
            seen.noted().ambient = "basic"
            user_id, version = self._addresses.guard(self._basic, rest)
            return user_id, None, version
        raise Unauthorized("Sign in with Bearer or Basic.")

    def _by_cookie(self) -> tuple[int, str, None]:
        texts = session_cookies()
        if not texts:
            raise Unauthorized("Sign in first: no credentials were given.", missing=True)
        seen.noted().ambient = "cookie"
        if len(texts) > 1:
            raise Unauthorized("Two different session cookies were sent.")
        token = self._tokens.cookie(texts[0])
        return token.user_id, token.session, None

    def _require_owner(self, password: str) -> None:
        if not passwords.are_same(_as_sent(password), self._owner_password):
            raise Unauthorized("The owner password is wrong.")

    def _basic(self, encoded: str) -> tuple[int, int]:
        name, password = _basic_pair(encoded)
        return accounts.verify_basic(self._store, self._verified, name, password, self._owner_password)

    def _basic_anew(self, encoded: str) -> tuple[int, int]:
        name, password = _basic_pair(encoded)
        known = accounts.verify_basic(self._store, VerifiedMemory(), name, password, self._owner_password)
        self._verified.remember(name, password, *known)
        return known


def bearer_text() -> str | None:
    """The text of a Bearer token, if one was sent: the request rests on that from here on."""
    scheme, _, rest = request.environ.get("HTTP_AUTHORIZATION", "").partition(" ")
    seen.noted().by_token = scheme.lower() == "bearer"
    return rest.strip() if seen.noted().by_token else None


def session_cookies() -> tuple[str, ...]:
    """The texts of the session cookies that were sent, each once: a browser may have several of one name."""
    sent = request.environ.get("HTTP_COOKIE")
    return _sessions_in(sent) if sent else ()


@lru_cache(maxsize=1024)
def _sessions_in(sent: str) -> tuple[str, ...]:
    """The same, remembered: a browser sends one header again and again."""
    return tuple(dict.fromkeys(parse_cookie(sent).getlist(SESSION)))


def _basic_pair(encoded: str) -> tuple[str, str]:
    try:
        text = base64.b64decode(encoded.strip(), validate=True).decode()
    except (binascii.Error, ValueError):
        raise Unauthorized(_UNREADABLE) from None
    name, parted, password = text.partition(":")
    if not parted or not name or "\0" in text or len(text) > 1024:
        raise Unauthorized(_UNREADABLE)
    return name, password


def _as_sent(header: str) -> str:
    """A header's text; the server hands its bytes over as Latin-1."""
    return header.encode("latin-1", "replace").decode("utf-8", "replace")
