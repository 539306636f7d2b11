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

log = structlog.get_logger("taskapi.bell")


class Bell:
    """Rings for the flush at most once a second, from when a write is announced until nothing is dirty.

    The thread that rings is begun by the first write of a process, so that each fork has its own.
    """

    def __init__(self, store: Store, send_job: Callable[..., None], pause: float = PAUSE_SECONDS) -> None:
        self._store = store
        self._send_job = send_job
        self._pause = pause
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
        self._wanted.set()

    def stop(self) -> None:
        """Ends the thread of this process, if it has one."""
        self._stopping.set()
        self._wanted.set()
        if self._thread is not None and self._process == os.getpid():
            self._thread.join(PATIENCE_SECONDS)

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
            self._once()
            if not self._stopping.wait(self._pause) and self._is_dirty():
                self._wanted.set()

    def _once(self) -> None:
        try:
            self._send_job(JOB)
        except Unavailable as refusal:
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
