"""The beat table: what is rung when. Two beats ring twice, which changes nothing."""

from typing import Any

FLUSH_SECONDS = 5.0
HEARTBEAT_SECONDS = 5.0
CASCADE_SECONDS = 2.0
GROUND_SECONDS = 60.0


def beat_schedule(sweep_seconds: float) -> dict[str, dict[str, Any]]:
    """Each entry expires when the next is due: a worker that comes late does the newest alone.

    Until one comes they lie in the broker, a small message a second; the first worker throws them away.
    """
    every = {
        "sync.flush": FLUSH_SECONDS,
        "sync.sweep": sweep_seconds,
        "housekeeping.heartbeat": HEARTBEAT_SECONDS,
        "housekeeping.cascades": CASCADE_SECONDS,
        "housekeeping.ground": GROUND_SECONDS,
    }
    return {
        name: {"task": name, "schedule": seconds, "options": {"expires": max(seconds, FLUSH_SECONDS)}}
        for name, seconds in every.items()
    }
