"""How every endpoint is served: credentials, input, the view, and its answer made ready."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import wraps
from typing import Any

from flask import Blueprint, Response, request

from taskapi.api import answers, inputs, preconditions, seen
from taskapi.api.addresses import ANONYMOUS
from taskapi.api.contracts import Contract, View, contract_of
from taskapi.api.operations import operation
from taskapi.api.wiring import wired
from taskapi.domain.callers import Claim
from taskapi.domain.errors import Unauthorized
from taskapi.domain.rights import Right


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
        if right is Right.PUBLIC and not contract.uncounted:
            wired().addresses.count(contract.attempts or ANONYMOUS)
        claim = _claim(right)
        body = None if contract.body is None else inputs.body(contract)
        asked = inputs.asked(contract)
        if contract.body is not None and body is not None:
            given["sent"] = contract.body.values(body)
        if contract.query is not None and contract.query.has_wanted:
            given["wanted"] = asked.wanted
        return answers.answer(contract, _confirmed(view, contract, claim, body, given), asked)

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


def _named(claim: Claim, body: dict[str, Any] | None) -> Claim:
    """The claim with the caller's name for this write, if they gave one."""
    key = request.environ.get("HTTP_IDEMPOTENCY_KEY")
    if key is None:
        return claim
    return replace(claim, operation=operation(wired().secret, key, body, known=claim.user_id != 0))


def _confirmed(
    view: View, contract: Contract, claim: Claim, body: dict[str, Any] | None, given: dict[str, Any]
) -> Any:
    """What the view returns; once more, if the claim rests on a remembered password that has changed."""
    try:
        return _called(view, contract, _named(claim, body), given)
    except Unauthorized:
        if claim.user_id == 0:
            raise
        with _strangers_counted():
            anew = wired().callers.verified_anew(claim)
            if anew is None:
                raise
        return _called(view, contract, _named(anew, body), given)


def _called(view: View, contract: Contract, claim: Claim, given: dict[str, Any]) -> Any:
    if not contract.conditional:
        return view(claim, **given)
    return preconditions.on_condition(lambda version: view(claim, **given, if_match=version))
