"""Cache-aside: an answer that is remembered on the broker Redis, or loaded once and then remembered."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from secrets import token_hex
from typing import Any

import redis
import structlog

from taskapi.domain import deadlines
from taskapi.domain.errors import Unavailable
from taskapi.store import keys
from taskapi.store.client import broker_faults_named, client_of, script

CONNECT_SECONDS = 0.2
ANSWER_SECONDS = 0.3
LOAD_SECONDS = 3.0
"""Whoever loads for longer than this has died, or is given up: the next one loads."""

SHORTEST_PAUSE, LONGEST_PAUSE = 0.005, 0.05

log = structlog.get_logger("taskapi.cache")


@dataclass(frozen=True, slots=True)
class Cache:
    """The broker Redis as the place where answers are remembered."""

    redis: redis.Redis


def connect(url: str) -> Cache:
    """The cache on that broker. Nothing is sent before the first use."""
    return Cache(client_of(url, connect=CONNECT_SECONDS, answer=ANSWER_SECONDS, retries=0))


def remembered(
    cache: Cache, key: str, seconds: float, load: Callable[[], bytes], *, patience: float = LOAD_SECONDS
) -> bytes:
    """What is remembered under that key; or else what is loaded, and remembered for so many seconds.

    Of many who ask at once one loads and the others wait for it, for `patience` seconds and no longer than
    their own deadline; then they load themselves. What a load raises is not remembered: its caller is told,
    and the next one loads. While the broker is away everybody loads, and nothing is remembered.
    """
    mine = token_hex(8)
    try:
        found = _found(cache, key, mine, patience)
    except Unavailable as away:
        log.warning("an answer could not be looked up in the cache", key=key, reason=str(away))
        return load()
    return _loaded(cache, key, seconds, load, mine) if found is None else found


def _found(cache: Cache, key: str, mine: str, patience: float) -> bytes | None:
    """The answer, also if another was just loading it; None for whose turn it is to load."""
    until, pause = time.monotonic() + min(patience, deadlines.left()), SHORTEST_PAUSE
    with broker_faults_named():
        found: Any = cache.redis.get(key)
    answer: bytes | None = found
    while answer is None:
        answer, is_mine = _asked_for_turn(cache, key, mine)
        if is_mine or time.monotonic() >= until:
            break
        time.sleep(pause)
        pause = min(2 * pause, LONGEST_PAUSE)
    return answer


def _asked_for_turn(cache: Cache, key: str, mine: str) -> tuple[bytes | None, bool]:
    """The answer, if it is there by now; and else whether the turn to load it was free."""
    with broker_faults_named():
        pipe: Any = cache.redis.pipeline(transaction=True)
        pipe.get(key)
        pipe.set(keys.loading(key), mine, nx=True, px=int(LOAD_SECONDS * 1000))
        answer, is_mine = pipe.execute()
    if answer is not None and is_mine:
        _end_turn(cache, key, mine)
    return answer, bool(is_mine)


def _loaded(cache: Cache, key: str, seconds: float, load: Callable[[], bytes], mine: str) -> bytes:
    answer: bytes | None = None
    try:
        answer = load()
        return answer
    finally:
        _end_turn(cache, key, mine, answer, seconds)


def _end_turn(cache: Cache, key: str, mine: str, answer: bytes | None = None, seconds: float = 0.0) -> None:
    """Remembers the answer, if there is one, and lets the next one load, if it is still this one's turn."""
    kept = ("", 0) if answer is None else (answer, int(seconds * 1000))
    try:
        with broker_faults_named():
            cache.redis.eval(script("remember").source, 0, key, keys.loading(key), mine, *kept)
    except Unavailable as away:
        log.warning("an answer could not be remembered", key=key, reason=str(away))
