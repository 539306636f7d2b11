"""How every endpoint is served: credentials, input, the view, and its answer made ready."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import wraps
from typing import Any

import structlog
from flask import Blueprint, Response, request
from marshmallow import ValidationError
from werkzeug.exceptions import HTTPException

from taskapi.api import answers, cookies, inputs, preconditions, seen
from taskapi.api.addresses import ANONYMOUS
from taskapi.api.contracts import Contract, View, contract_of
from taskapi.api.operations import operation
from taskapi.api.wiring import store, wired
from taskapi.domain.callers import Claim, Operation
from taskapi.domain.deadlines import within
from taskapi.domain.errors import Refused, Unauthorized
from taskapi.domain.rights import Right
from taskapi.services import accounts

log = structlog.get_logger("taskapi.api")

ANSWER_SECONDS = 1.8
"""By then all servers have answered, or the request is refused; what it asks to wait for takes longer."""


@dataclass(frozen=True, slots=True)
class Read:
    """A request as its contract takes it: what the view is given by name, what the query says besides, the
    name of the write, and the versions of `If-Match` (None where it is not minded)."""

    given: dict[str, Any]
    asked: inputs.Asked
    operation: Operation | None
    versions: tuple[int, ...] | None


class Noun(Blueprint):
    """A blueprint whose views are served as their contracts say. A view without a right is refused."""

    def add_url_rule(
        self,
        rule: str,
        endpoint: str | None = None,
        view_func: View | None = None,
        *args: Any,
        **options: Any,
    ) -> None:
        """Adds a path; the view itself stays as it was written."""
        super().add_url_rule(rule, endpoint, view_func and endpoint_of(view_func), *args, **options)


def endpoint_of(view: View) -> View:
    """The view as Flask calls it; one and the same however many paths it has. It must name a right."""
    ready: View | None = getattr(view, "endpoint", None)
    if ready is None:
        ready = _endpoint(view, contract_of(view))
        view.endpoint = ready  # type: ignore[attr-defined]
    return ready


def _endpoint(view: View, contract: Contract) -> View:
    if contract.right is None:
        raise TypeError(f"{view.__name__} names no right")
    right = contract.right

    @wraps(view)
    def endpoint(**given: Any) -> Response:
        with within(ANSWER_SECONDS):
            return served(given)

    def served(given: dict[str, Any]) -> Response:
        if right is Right.PUBLIC and not contract.uncounted:
            wired().addresses.count(contract.attempts or ANONYMOUS)
        claim = _claim(right)
        with _caller_first(claim):
            cookies.require_meant(claim)
            read = _read(contract, known=claim.user_id != 0)
        given |= read.given
        returned = _confirmed(claim, lambda confirmed: _called(view, contract, read, confirmed, given))
        response = answers.answer(contract, returned, read.asked)
        if contract.event:
            log.info(contract.event, user=seen.noted().user_id or None, address=request.remote_addr)
        return response

    endpoint.contract = contract  # type: ignore[attr-defined]
    return endpoint


def _claim(right: Right) -> Claim:
    notes = seen.noted()
    if right is Right.PUBLIC:
        return Claim(0, request_id=notes.request_id)
    with _strangers_counted():
        claim = wired().callers.claim(right, notes.request_id)
    notes.user_id = claim.user_id
    return claim


@contextmanager
def _strangers_counted() -> Iterator[None]:
    """Counts a call whose credentials are missing or refused against its address."""
    try:
        yield
    except Unauthorized:
        wired().addresses.count(ANONYMOUS)
        raise


@contextmanager
def _caller_first(claim: Claim) -> Iterator[None]:
    """What is wrong with a request is told to nobody who may not call: they are told that instead.

    Only then is the caller looked up for it: a good request costs no look more.
    """
    try:
        yield
    except (Refused, ValidationError, HTTPException):
        if claim.user_id:
            _confirmed(claim, lambda anew: accounts.require_caller(store(), anew))
        raise


def _read(contract: Contract, *, known: bool) -> Read:
    """The request, as the contract takes it; whoever calls without being `known` has no keys of their own."""
    body = None if contract.body is None else inputs.body(contract)
    asked = inputs.asked(contract)
    given: dict[str, Any] = {}
    if contract.body is not None and body is not None:
        given["sent"] = contract.body.values(body)
    if contract.query is not None and contract.query.has_wanted:
        given["wanted"] = asked.wanted
    key = request.environ.get("HTTP_IDEMPOTENCY_KEY")
    named = None if key is None else operation(wired().secret, key, body, known=known)
    versions = preconditions.wanted_versions() if contract.conditional else None
    return Read(given, asked, named, versions)


def _confirmed(claim: Claim, serve: Callable[[Claim], Any]) -> Any:
    """What comes of serving; once more, if the claim rests on a remembered password that has changed."""
    try:
        return serve(claim)
    except Unauthorized:
        if claim.user_id == 0:
            raise
        with _strangers_counted():
            anew = wired().callers.verified_anew(claim)
            if anew is None:
                raise
        return serve(anew)


def _called(view: View, contract: Contract, read: Read, claim: Claim, given: dict[str, Any]) -> Any:
    if contract.share:
        accounts.require_caller(store(), claim)
        wired().addresses.count(contract.share)
    named = claim if read.operation is None else replace(claim, operation=read.operation)
    if read.versions is None:
        return view(named, **given)
    return preconditions.on_condition(read.versions, lambda version: view(named, **given, if_match=version))
