"""Registering, signing in and out, sessions, the own password."""

from __future__ import annotations

from typing import Any

from flask import request

from taskapi.api import tokens
from taskapi.api.callers import bearer_text
from taskapi.api.contracts import (
    accepts,
    asks,
    attempt,
    authenticated,
    lists,
    public,
    refuses,
    returns,
    signs_out,
    told_as,
)
from taskapi.api.schemas.accounts import (
    DeletedSession,
    Ended,
    NewPassword,
    Refresh,
    Register,
    SessionOut,
    SignedIn,
    SignIn,
    SignInQuery,
)
from taskapi.api.schemas.query import PageQuery, Query
from taskapi.api.schemas.users import UserOut
from taskapi.api.serving import Noun
from taskapi.api.tokens import Token
from taskapi.api.wiring import settings, store, wired
from taskapi.domain.callers import Claim
from taskapi.domain.errors import Forbidden, Invalid
from taskapi.domain.filters import Page
from taskapi.domain.rights import Right
from taskapi.services import accounts
from taskapi.services.accounts import Device
from taskapi.services.results import Listed, Login, Shown
from taskapi.store.sessions import Session

bp = Noun("auth", __name__)
LONGEST_AGENT = 200


@bp.post("/auth/register")
@public
@attempt("register")
@refuses(taken="", forbidden="Registration is closed.")
@accepts(Register, form=True)
@asks(SignInQuery)
@returns(SignedIn, 201, at="/users/{id}")
@told_as("registered")
def register(claim: Claim, sent: dict[str, Any]) -> Login:
    """Become a user, and be signed in."""
    if settings().registration == "closed":
        raise Forbidden("Registration is closed: ask the owner for an account.")
    return accounts.register(store(), claim, sent, _device(), life_seconds=_life())


@bp.post("/auth/login")
@public
@attempt("login")
@refuses(unauthorized="The name or the password is wrong.")
@accepts(SignIn, form=True)
@asks(SignInQuery)
@returns(SignedIn)
@told_as("signed in")
def log_in(claim: Claim, sent: dict[str, Any]) -> Login:
    """Sign in with a username, an e-mail address or an id."""
    name, password, owner_password = sent["username"], sent["password"], settings().owner_password
    return accounts.log_in(
        store(), claim, name, password, _device(), life_seconds=_life(), owner_password=owner_password
    )


@bp.post("/auth/refresh")
@public
@refuses(unauthorized="The refresh token is not valid, was used before, or its session has ended.")
@accepts(Refresh, optional=True)
@asks(SignInQuery)
@returns(SignedIn)
def refresh(claim: Claim, sent: dict[str, Any]) -> Login:
    """Trade a refresh token, in the body or as Bearer, for new tokens; each is good for one use."""
    text = sent.get("refresh_token") or bearer_text()
    if not text:
        raise Invalid({"refresh_token": ["Give a refresh token here, or as Bearer."]})
    return accounts.refresh(store(), claim, _session_of(tokens.refresh(text)), life_seconds=_life())


@bp.post("/auth/logout")
@authenticated(Right.OWN_ACCOUNT)
@signs_out
@returns(Ended)
@told_as("signed out")
def log_out(claim: Claim) -> Shown:
    """End the session of the token or cookie that is used."""
    return accounts.log_out(store(), claim)


@bp.get("/auth/me")
@authenticated(Right.OWN_ACCOUNT)
@asks(Query)
@returns(UserOut)
def read_me(claim: Claim) -> Shown:
    """Who the caller is."""
    return accounts.read_me(store(), claim)


@bp.get("/auth/sessions")
@authenticated(Right.OWN_ACCOUNT)
@asks(PageQuery)
@lists(SessionOut, "sessions")
def list_sessions(claim: Claim, wanted: Page) -> Listed:
    """Where the caller is signed in."""
    return accounts.list_sessions(store(), claim, wanted)


@bp.delete("/auth/sessions")
@authenticated(Right.OWN_ACCOUNT)
@signs_out
@returns(Ended)
@told_as("signed out everywhere")
def end_sessions(claim: Claim) -> Shown:
    """Sign out everywhere."""
    return accounts.end_sessions(store(), claim)


@bp.delete("/auth/sessions/<session_id>")
@authenticated(Right.OWN_ACCOUNT)
@returns(DeletedSession)
@told_as("session ended")
def end_session(claim: Claim, session_id: str) -> Shown:
    """Sign out in one place."""
    return accounts.end_session(store(), claim, session_id)


@bp.put("/auth/password")
@authenticated(Right.OWN_ACCOUNT)
@accepts(NewPassword)
@returns(SignedIn)
@told_as("password changed")
def change_password(claim: Claim, sent: dict[str, Any]) -> Login:
    """Take a new password; all sessions end, and one begins."""
    current, new = sent["current_password"], sent["new_password"]
    guard = wired().addresses.guard
    return guard(accounts.change_password, store(), claim, current, new, _device(), life_seconds=_life())


def _session_of(token: Token) -> Session:
    return Session(token.user_id, token.session, token.refresh_id)


def _device() -> Device:
    agent = request.headers.get("User-Agent", "").encode("latin-1", "replace").decode("utf-8", "replace")
    return Device(request.remote_addr or "-", "".join(filter(str.isprintable, agent))[:LONGEST_AGENT])


def _life() -> int:
    return settings().refresh_token_expire_days * 86400
