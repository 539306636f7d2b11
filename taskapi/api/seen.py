"""What is known of the request under way: its id, when it began, who calls, what is left of their limit."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, field
from secrets import token_hex
from time import perf_counter
from typing import Any

from flask import Request, has_request_context, request

_GIVEN_ID = re.compile(r"[A-Za-z0-9._-]{1,64}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Policy:
    """A limit as headers tell it: so many calls in so many seconds."""

    name: str
    calls: int
    seconds: int


@dataclass(slots=True)
class Noted:
    """The notes of one request. `full_in` is in seconds.

    `ambient` is cookie or basic: the credential is one that a browser adds by itself, whoever's page asks.
    `by_token` once it rests on a token that came as Bearer.
    """

    request_id: str
    began: float = field(default_factory=perf_counter)
    user_id: int = 0
    ambient: str = ""
    by_token: bool = False
    policy: Policy | None = None
    left: int = 0
    full_in: int = 0


class NotedRequest(Request):
    """A request with notes. The caller's own request id is kept if it looks like one."""

    def __init__(self, environ: dict[str, Any], *args: Any, **options: Any) -> None:
        super().__init__(environ, *args, **options)
        given = environ.get("HTTP_X_REQUEST_ID", "")
        self.noted = Noted(given if _GIVEN_ID.fullmatch(given) else token_hex(16))


def noted() -> Noted:
    """The notes of the request under way."""
    found: Noted = request.noted  # type: ignore[attr-defined]
    return found


def request_id() -> str:
    """The id under which this request is logged."""
    return noted().request_id


def current_request_id() -> str | None:
    """The same; None where no request is under way."""
    return request_id() if has_request_context() else None


def around() -> dict[str, str]:
    """What every line tells that is written during a request."""
    known = current_request_id()
    return {} if known is None else {"request_id": known}


def metered(policy: Policy, left: int, full_in: int) -> None:
    """Notes what is left of a limit; the tightest one is told."""
    notes = noted()
    if notes.policy is None or left < notes.left:
        notes.policy, notes.left, notes.full_in = policy, left, full_in


def limited(policy: Policy | None, wait: int) -> None:
    """Notes that nothing is left, of the limit that was noted before or else of this one."""
    notes = noted()
    notes.policy = notes.policy or policy
    notes.left, notes.full_in = 0, wait


def limit_headers(notes: Noted, policy: Policy) -> list[tuple[str, str]]:
    """The limit that was counted, in both notations."""
    left = str(notes.left)
    return [
        ("RateLimit", f'"{policy.name}";r={left};t={notes.full_in}'),
        ("RateLimit-Policy", f'"{policy.name}";q={policy.calls};w={policy.seconds}'),
        ("X-RateLimit-Limit", str(policy.calls)),
        ("X-RateLimit-Remaining", left),
        ("X-RateLimit-Reset", str(int(time.time()) + notes.full_in)),
    ]
