"""A program of the product from its start to its end, told in the log."""

import atexit
import logging
import os
import sys
import threading
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any

import structlog

from taskapi.config import Settings
from taskapi.logs.wiring import configure
from taskapi.version import VERSION

log = structlog.get_logger("taskapi.life")

_running: set[int] = set()


def take_over(
    settings: Settings, service: str, around: Callable[[], Mapping[str, Any]] | None = None
) -> None:
    """Sets up the log of a program that is ours from top to bottom: warnings, and faults that nobody
    expected, become lines too."""
    if around is None:
        configure(settings, service)
    else:
        configure(settings, service, around)
    logging.captureWarnings(True)
    sys.excepthook = _fault
    threading.excepthook = _fault_of_thread


def tell_start(settings: Settings) -> None:
    """Tells once that this program begins, with what was set; and, when it comes to that, that it ends."""
    if os.getpid() in _running:
        return
    _running.add(os.getpid())
    log.info("started", version=VERSION, settings=settings.told())
    atexit.register(_tell_end, os.getpid())


def _tell_end(pid: int) -> None:
    """A fork inherits what is to be done at the end of its parent."""
    if pid == os.getpid():
        log.info("stopped", version=VERSION)


def _fault(kind: type[BaseException], fault: BaseException, trace: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        log.info("interrupted")
    else:
        log.critical("fault", exc_info=(kind, fault, trace))


def _fault_of_thread(told: threading.ExceptHookArgs) -> None:
    if told.exc_value is not None:
        _fault(told.exc_type, told.exc_value, told.exc_traceback)
