"""Every wait for PostgreSQL has an end: a server that is frozen answers neither yes nor no.

It is the deadline of whoever asks; outside of any each single wait has its own.
"""

import select
import time
from typing import Any

import psycopg2
from psycopg2 import extensions

from taskapi.domain import deadlines

CONNECT_SECONDS = 2.0
STATEMENT_SECONDS = 30.0
ANSWER_SECONDS = STATEMENT_SECONDS + 2.0
"""The server ends a statement by itself before; only one that is frozen is left behind."""


def install() -> None:
    """Has every connection of this program wait as told here."""
    extensions.set_wait_callback(_wait)


def _wait(connection: Any) -> None:
    """Until the connection has what it waits for; when time is over, OperationalError, which closes it."""
    end = _end_for(connection)
    while (state := connection.poll()) != extensions.POLL_OK:
        ready = select.poll()
        ready.register(connection, select.POLLIN if state == extensions.POLL_READ else select.POLLOUT)
        left = max(0.0, min(end - time.monotonic(), ANSWER_SECONDS))
        if not ready.poll(left * 1000) and time.monotonic() >= end:
            raise psycopg2.OperationalError("it does not answer")


def _end_for(connection: Any) -> float:
    is_open = connection.status in (extensions.STATUS_READY, extensions.STATUS_BEGIN)
    longest = time.monotonic() + (ANSWER_SECONDS if is_open else CONNECT_SECONDS)
    end = deadlines.end()
    if end is None:
        return longest
    return end if is_open else min(end, longest)
