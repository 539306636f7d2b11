"""How a worker and a beat come back to a broker that was away: soon, however long it took."""

from typing import Any

from celery.app.amqp import AMQP
from kombu.connection import Connection

PAUSE_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 3.0


class _Line(Connection):
    """Tries again every few seconds; Celery itself would wait for half a minute after a long absence."""

    def ensure_connection(self, *args: Any, **options: Any) -> Any:
        """As its parent does, with other pauses."""
        options |= {"interval_start": PAUSE_SECONDS, "interval_step": PAUSE_SECONDS}
        options |= {"interval_max": LONGEST_PAUSE_SECONDS}
        return super().ensure_connection(*args, **options)  # type: ignore[no-untyped-call]


class Soon(AMQP):  # type: ignore[misc]
    """Celery's messages, over such lines."""

    Connection = _Line
