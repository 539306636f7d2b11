"""What a worker and a beat tell in the log; each line of a job names the job and the request that rang it."""

import logging
import re
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import structlog
from celery import current_app
from celery.apps import worker
from celery.signals import (
    beat_init,
    before_task_publish,
    setup_logging,
    task_postrun,
    task_prerun,
    worker_ready,
)
from celery.utils.log import get_multiprocessing_logger
from structlog.contextvars import bind_contextvars, get_contextvars, unbind_contextvars

from taskapi import logs
from taskapi.dispatch import REQUEST_ID

log = structlog.get_logger("worker.life")

BOUND = (REQUEST_ID, "job", "job_id")
_GIVEN_ID = re.compile(r"[A-Za-z0-9._-]{1,64}", re.ASCII)


def service_of(arguments: Sequence[str]) -> str:
    """As what a program of Celery logs, by the words that it was called with."""
    return "beat" if "beat" in arguments else "worker"


def take_over(**_: object) -> None:
    """Celery asks for this in place of its own logging, in each of its processes."""
    logs.take_over(current_app.settings, service_of(sys.argv[1:]))
    forking = get_multiprocessing_logger()
    forking.propagate = True
    forking.setLevel(max(logging.WARNING, forking.getEffectiveLevel()))
    worker.safe_say = say


def say(words: str, *_: object) -> None:
    """What Celery says when it is told to stop, which it would write past every log."""
    log.info(words)


def begin(task: Any = None, task_id: str = "", kwargs: Mapping[str, Any] | None = None, **_: object) -> None:
    """From now on each line tells the job, and the request that asked for it.

    `job_id` is that under which the owner sees the job, or else Celery's own.
    """
    known = str((task.request.headers or {}).get(REQUEST_ID) or "")
    bind_contextvars(job=task.name, job_id=(kwargs or {}).get("job_id", task_id))
    if _GIVEN_ID.fullmatch(known):
        bind_contextvars(**{REQUEST_ID: known})


def finish(**_: object) -> None:
    """What comes next is another job's."""
    unbind_contextvars(*BOUND)


def pass_on(headers: dict[str, Any] | None = None, **_: object) -> None:
    """A job that a job sends belongs to the same request."""
    known = get_contextvars().get(REQUEST_ID)
    if headers is not None and known is not None:
        headers.setdefault(REQUEST_ID, known)


def tell_start(**_: object) -> None:
    """Once this program is at work."""
    logs.tell_start(current_app.settings)


setup_logging.connect(take_over)
task_prerun.connect(begin)
task_postrun.connect(finish)
before_task_publish.connect(pass_on)
worker_ready.connect(tell_start)
beat_init.connect(tell_start)
