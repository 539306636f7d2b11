"""Waiting until PostgreSQL has what was written."""

from __future__ import annotations

import time
from collections.abc import Sequence

from taskapi.domain.deadlines import anew
from taskapi.domain.errors import Unavailable
from taskapi.store import dirty
from taskapi.store.client import Store

POLL_SECONDS = 0.02


def wait_until_committed(store: Store, written: Sequence[str], seconds: float) -> bool:
    """Whether these (kind:id@version) were committed to PostgreSQL within that time.

    What PostgreSQL refuses is not committed, however long one waits. Whether it is can also not be
    known: the write stands, so nothing is raised.
    """
    until = time.monotonic() + seconds
    try:
        with anew(seconds):
            while not dirty.is_committed(store, written):
                if time.monotonic() >= until:
                    return False
                time.sleep(POLL_SECONDS)
    except Unavailable:
        return False
    return True
