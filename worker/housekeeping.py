"""Signs of life, and what is cleared away."""

from typing import Any

import structlog
from celery import current_task
from celery.signals import heartbeat_sent, worker_ready

from taskapi.domain.errors import Unavailable
from taskapi.services.sweeping import sweep
from taskapi.store import heartbeats
from taskapi.store.heartbeats import BEAT
from worker.connections import broker, store
from worker.registering import job

CASCADE_SECONDS = 60.0

log = structlog.get_logger("worker.housekeeping")


@job("housekeeping.cascades")
def cascades() -> None:
    """Rung by the beat: goes on with what cascades could not do in one step."""
    try:
        swept = sweep(store(), CASCADE_SECONDS)
    except Unavailable as fault:
        log.warning("the sweep was cut short", reason=str(fault))
        return
    if swept:
        log.info("swept", tasks=swept)


@job("housekeeping.heartbeat")
def heartbeat() -> None:
    """Rung by the beat: proves that there is one, and a worker that hears it."""
    heartbeats.note(broker(), BEAT, str(current_task.request.hostname))


def note_worker(sender: Any, **_: object) -> None:
    """A worker's own sign, every few seconds; while the broker is away it is not missed."""
    try:
        heartbeats.note(broker(), _name_of(sender))
    except Unavailable:
        return


def _name_of(sender: Any) -> str:
    """Celery sends the consumer when it is ready, and its heart later."""
    return str(sender.hostname if hasattr(sender, "hostname") else sender.eventer.hostname)


worker_ready.connect(note_worker)
heartbeat_sent.connect(note_worker)
