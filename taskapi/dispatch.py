"""Sending jobs to the workers by name: a Celery client that knows the broker and no task."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from celery import Celery
from kombu.exceptions import ChannelError, OperationalError

from taskapi.domain.errors import Unavailable

CONNECT_SECONDS = 1.0


def sender(broker_url: str) -> Callable[..., None]:
    """A `send_job(name, **kwargs)`; raises Unavailable within seconds when the broker is away.

    Connects at the first job, and forgets a job that could not be sent: all work can be found again.
    """
    # Celery's word for a socket; redis-py says unix.
    broker = broker_url.replace("unix://", "redis+socket://", 1)
    client = Celery("taskapi", broker=broker, set_as_current=False, fixups=[])
    client.conf.update(
        broker_connection_timeout=CONNECT_SECONDS,
        broker_connection_retry=False,
        broker_transport_options={
            "socket_connect_timeout": CONNECT_SECONDS,
            "socket_timeout": CONNECT_SECONDS,
            "max_retries": 0,
        },
        task_ignore_result=True,
        task_publish_retry=False,
    )

    def send_job(name: str, **kwargs: Any) -> None:
        """Sends one job."""
        try:
            client.send_task(name, kwargs=kwargs, ignore_result=True, retry=False)
        except (OperationalError, ChannelError) as fault:
            raise Unavailable("The broker of the background jobs is away.") from fault

    return send_job
