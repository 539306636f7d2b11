"""The doorbell: after a write, a worker is told to carry it to PostgreSQL, never inside the request."""

from __future__ import annotations

import atexit
import os
import threading
from collections.abc import Callable

import structlog

from taskapi.domain.errors import Unavailable
from taskapi.store import dirty
from taskapi.store.client import Store

JOB = "sync.flush"
PAUSE_SECONDS = 1.0
PATIENCE_SECONDS = 2.0
EXPIRES_SECONDS = 5.0

log = structlog.get_logger("taskapi.bell")


def _always() -> bool:
    """The permission of a bell that is alone."""
    return True


class Bell:
    """Rings for the flush at most once a second, from when a write is announced until nothing is dirty.

    The thread that rings is begun by the first write of a process, so that each fork has its own. Where
    there are several, `may_ring` says whether none has rung just now. What was announced and not rung for
    when the process ends is rung for then.
    """

    def __init__(
        self,
        store: Store,
        send_job: Callable[..., None],
        pause: float = PAUSE_SECONDS,
        may_ring: Callable[[], bool] = _always,
    ) -> None:
        self._store = store
        self._send_job = send_job
        self._pause = pause
        self._may_ring = may_ring
        self._owed = False
        self._lock = threading.Lock()
        self._process = 0
        self._away = False
        self._thread: threading.Thread | None = None
        self._wanted = threading.Event()
        self._stopping = threading.Event()

    def ring(self) -> None:
        """Announces that something is dirty. Costs nothing worth counting, and never fails."""
        if not self._is_running():
            self._begin()
        self._owed = True
        self._wanted.set()

    def stop(self) -> None:
        """Ends the thread of this process, if it has one, and rings once more if that is owed."""
        self._stopping.set()
        self._wanted.set()
        if self._thread is not None and self._process == os.getpid():
            self._thread.join(PATIENCE_SECONDS)
            if self._owed:
                self._once(_always)

    def _begin(self) -> None:
        """A thread for this process; what a parent process left behind is of no use here."""
        with self._lock:
            if self._is_running():
                return
            self._wanted, self._stopping = threading.Event(), threading.Event()
            self._thread = threading.Thread(target=self._keep_ringing, name="bell", daemon=True)
            self._thread.start()
            self._process = os.getpid()
            atexit.register(self.stop)

    def _is_running(self) -> bool:
        return self._process == os.getpid() and self._thread is not None and self._thread.is_alive()

    def _keep_ringing(self) -> None:
        while self._wanted.wait() and not self._stopping.is_set():
            self._wanted.clear()
            self._once(self._may_ring)
            if not self._stopping.wait(self._pause) and self._is_dirty():
                self._wanted.set()

    def _once(self, may_ring: Callable[[], bool]) -> None:
        """Rings, unless it may not: then a ring is owed, as what was announced may be newer than the last."""
        try:
            self._owed = not may_ring()
            if not self._owed:
                self._send_job(JOB, expires=EXPIRES_SECONDS)
        except Unavailable as refusal:
            self._owed = True
            if not self._away:
                log.warning("broker away: the sync waits for its beat", reason=str(refusal))
            self._away = True
        else:
            self._away = False

    def _is_dirty(self) -> bool:
        """Whether to ring again; with the store away there is nothing that a flush could carry."""
        try:
            return dirty.count(self._store) > 0
        except Unavailable:
            return False
