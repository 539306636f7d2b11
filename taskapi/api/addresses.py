"""Limits per address, for those who are nobody yet: registering, logging in, guessing passwords; and those
of single endpoints."""

from __future__ import annotations

import logging
import math
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Network, ip_address
from types import MappingProxyType
from typing import Any, ParamSpec, TypeVar

from flask import Flask, request
from flask_limiter import Limiter, RateLimitExceeded
from limits import parse_many

from taskapi.api import seen
from taskapi.domain.errors import Limited, Unauthorized, Unavailable, WrongPassword
from taskapi.store.client import broker_faults_named, client_of

ANONYMOUS = "anonymous"
MOST_SHUT_OUT = 10_000
OF_CALLERS = frozenset({"by_date"})
"""What is counted per caller, wherever they call from."""

NO_OTHERS: Mapping[str, str | None] = MappingProxyType({})
PATIENCE_SECONDS = 0.3
Given = ParamSpec("Given")
Answer = TypeVar("Answer")


class Addresses:
    """What each address may still do, and each caller at some endpoints.

    Counted on the broker Redis; while that is away, in memory.
    """

    def __init__(
        self,
        broker_url: str,
        attempts: str | None,
        anonymous: str | None,
        others: Mapping[str, str | None] = NO_OTHERS,
    ) -> None:
        """`attempts` limits each kind of attempt, `anonymous` all other calls without good credentials.

        `others` are the limits of single endpoints, by what they are called there.
        """
        self._limiter = _limiter(broker_url)
        self._policy = policy_of("password", attempts)
        limits = dict.fromkeys(("login", "register"), attempts or anonymous)
        limits |= {"password": attempts, ANONYMOUS: anonymous, **others}
        self._count = {
            scope: self._limiter.shared_limit(limit, scope=scope, key_func=_key_of(scope))(_counted(scope))
            for scope, limit in limits.items()
            if limit is not None
        }
        self._shut_out: OrderedDict[str, float] = OrderedDict()
        self._lock = threading.Lock()

    def count(self, scope: str) -> None:
        """Counts one call from this address, or of this caller; raises Limited when there were too many."""
        if scope not in self._count:
            return
        try:
            self._count[scope]()
        except RateLimitExceeded:
            raise Limited(self._told(scope)) from None
        self._told(scope)

    def guard(self, check: Callable[Given, Answer], *args: Given.args, **kwargs: Given.kwargs) -> Answer:
        """Runs a check of a password. Its failures count; an address with too many is not listened to.

        A good password costs no look at the counter: who is shut out is remembered here.
        """
        address = _address()
        wait = self._shut_out.get(address, 0.0) - time.monotonic()
        if wait > 0:
            seen.limited(self._policy, math.ceil(wait))
            raise Limited(wait)
        try:
            return check(*args, **kwargs)
        except (Unauthorized, WrongPassword):
            self._failed(address)
            raise

    def _failed(self, address: str) -> None:
        try:
            self.count("password")
        except Limited as refusal:
            with self._lock:
                self._shut_out[address] = time.monotonic() + refusal.retry_after
                while len(self._shut_out) > MOST_SHUT_OUT:
                    self._shut_out.popitem(last=False)
            raise

    def _told(self, scope: str) -> float:
        """Tells the answer what is left; returns the seconds until one more is allowed."""
        now = self._limiter.current_limit
        if now is None:
            return 1.0
        policy = seen.Policy(scope, now.limit.amount, now.limit.get_expiry())
        try:
            with broker_faults_named():
                left, reset_at = now.remaining, now.reset_at
        except Unavailable:
            return float(policy.seconds)
        # Flask-Limiter rounds up, and adds one.
        wait = min(float(policy.seconds), max(1.0, reset_at - time.time()))
        seen.metered(policy, left, math.ceil(wait))
        return wait


def policy_of(name: str, limit: str | None) -> seen.Policy | None:
    """A limit in Flask-Limiter's notation, as headers tell it; of several the tightest."""
    if limit is None:
        return None
    tightest = min(parse_many(limit), key=lambda each: each.amount / each.get_expiry())
    return seen.Policy(name, tightest.amount, tightest.get_expiry())


def _limiter(broker_url: str) -> Limiter:
    limiter = Limiter(
        key_func=_address,
        strategy="moving-window",
        key_prefix="taskapi",
        storage_uri="redis://",
        storage_options=_pooled(broker_url),
        in_memory_fallback_enabled=True,
        # An app that nobody calls: the hooks of Flask-Limiter would cost every request of ours.
        app=Flask("addresses"),
    )
    limiter.logger.addFilter(_is_news)
    return limiter


def _is_news(record: logging.LogRecord) -> bool:
    """That somebody was refused is told by the answer's own line."""
    return not str(record.msg).startswith("ratelimit ")


def _pooled(broker_url: str) -> Any:
    """A pool with time-outs of ours: Flask-Limiter's own would let a sign-in wait for seconds."""
    client = client_of(broker_url, connect=PATIENCE_SECONDS, answer=PATIENCE_SECONDS, retries=0)
    return {"connection_pool": client.connection_pool}


def _counted(scope: str) -> Callable[[], None]:
    """A function to hang a limit on; Flask-Limiter tells limits apart by its name."""

    def counted() -> None:
        """Does nothing: being called is what counts."""

    counted.__qualname__ = f"counted_{scope}"
    return counted


def _key_of(scope: str) -> Callable[[], str]:
    return _caller if scope in OF_CALLERS else _address


def _caller() -> str:
    return f"user {seen.noted().user_id}"


def _address() -> str:
    return _network(request.remote_addr or "-")


@lru_cache(maxsize=1024)
def _network(address: str) -> str:
    """What one client has: an address of IPv4, of IPv6 a network of 2**64, among which it may change."""
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(found, IPv4Address):
        return str(found)
    return str(found.ipv4_mapped or IPv6Network((found, 64), strict=False))
