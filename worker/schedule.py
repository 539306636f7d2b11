"""The beat table: what is rung when. Two beats ring twice, which changes nothing."""

from datetime import time
from typing import Any

from celery.schedules import crontab

FLUSH_SECONDS = 5.0
HEARTBEAT_SECONDS = 5.0
CASCADE_SECONDS = 2.0
GROUND_SECONDS = 60.0
BACKUP_SECONDS = 300.0
TASK_LOG_SECONDS = 600.0
CLEANUPS = (
    *("cleanup.trash", "cleanup.sessions", "cleanup.answers"),
    *("cleanup.limits", "cleanup.jobs", "cleanup.backups", "cleanup.uploads"),
)
HOUR_SECONDS = 3600.0
DAILY_PATIENCE_SECONDS = 6 * 3600.0


def beat_schedule(sweep_seconds: float, backup_at: time = time(3)) -> dict[str, dict[str, Any]]:
    """Each entry expires when the next is due: a worker that comes late does the newest alone.

    Both stores are compared an hour after the daily backup, of which a worker sees every few minutes
    whether it is due: one that was missed is made up for. So with the clean-up jobs, each at its minute of
    every hour.

    Until one comes they lie in the broker, a small message a second; the first worker throws them away.
    """
    every = {
        "sync.flush": FLUSH_SECONDS,
        "sync.sweep": sweep_seconds,
        "housekeeping.heartbeat": HEARTBEAT_SECONDS,
        "housekeeping.cascades": CASCADE_SECONDS,
        "housekeeping.ground": GROUND_SECONDS,
        "backup.daily": BACKUP_SECONDS,
        "housekeeping.task_log": TASK_LOG_SECONDS,
    }
    daily = {"sync.compare": crontab(hour=(backup_at.hour + 1) % 24, minute=backup_at.minute)}
    hourly = {name: crontab(minute=7 * (place + 1)) for place, name in enumerate(CLEANUPS)}
    rung: list[tuple[str, Any, float]]
    rung = [(name, seconds, max(seconds, FLUSH_SECONDS)) for name, seconds in every.items()]
    rung += [(name, moment, HOUR_SECONDS) for name, moment in hourly.items()]
    rung += [(name, moment, DAILY_PATIENCE_SECONDS) for name, moment in daily.items()]
    return {
        name: {"task": name, "schedule": when, "options": {"expires": patience}}
        for name, when, patience in rung
    }
