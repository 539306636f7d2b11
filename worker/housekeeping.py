"""Signs of life, and what is cleared away."""

from typing import Any

import structlog
from celery import current_app, current_task
from celery.signals import heartbeat_sent, worker_init, worker_ready

from taskapi.config.folders import folders_of
from taskapi.domain.errors import Full, Unavailable
from taskapi.services.sweeping import sweep
from taskapi.starting import require_safe_redis
from taskapi.store import heartbeats
from taskapi.store.heartbeats import BEAT
from taskapi.sync import daily_log
from taskapi.sync import ground as grounds
from worker.connections import broker, engine, store
from worker.registering import job

CASCADE_SECONDS = 60.0
GROUND = "housekeeping.ground"
EXPIRES_SECONDS = 60.0

log = structlog.get_logger("worker.housekeeping")


@job("housekeeping.cascades")
def cascades() -> None:
    """Rung by the beat: goes on with what cascades could not do in one step."""
    try:
        swept = sweep(store(), CASCADE_SECONDS)
    except (Unavailable, Full) as fault:
        log.warning("the sweep was cut short", reason=str(fault))
        return
    if swept:
        log.info("swept", tasks=swept)


@job(GROUND)
def ground() -> None:
    """Rung by the beat each minute, and by each worker that starts: settings and room of the stores."""
    settings = current_app.settings
    covered = settings.durability == "postgres"
    try:
        grounds.check(store(), engine(), folders_of(settings), covered=covered)
    except (Unavailable, Full) as fault:
        log.warning("the ground could not be checked", reason=str(fault))


@job("housekeeping.task_log")
def task_log() -> None:
    """Rung by the beat every ten minutes: writes the log of the days that are over and have none."""
    try:
        written = daily_log.write_missing(store(), engine())
    except (Unavailable, Full) as fault:
        log.warning("the log of the day could not be written", reason=str(fault))
        return
    if written:
        log.info("wrote the log of days", days=len(written), last=max(written), entries=sum(written.values()))


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


def refuse_unsafe_redis(**_: object) -> None:
    """A worker does not begin on what may lose acknowledged writes, where only a safe Redis will do."""
    require_safe_redis(current_app.settings, current_app.addresses.redis)


def ring_ground(**_: object) -> None:
    """A worker that is ready has the ground checked at once."""
    current_app.send_task(GROUND, expires=EXPIRES_SECONDS, retry=False)


worker_init.connect(refuse_unsafe_redis)
worker_ready.connect(ring_ground)
worker_ready.connect(note_worker)
heartbeat_sent.connect(note_worker)
