"""Sending jobs to the workers by name: a Celery client that knows the broker and no task."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from celery import Celery
from kombu.exceptions import ChannelError, OperationalError
from kombu.transport import redis as over_redis

from taskapi.domain.deadlines import within
from taskapi.domain.errors import Unavailable
from taskapi.store import keys
from taskapi.store.client import BROKER_AWAY, broker_faults_named, client_of
from taskapi.store.wires import TcpWire, TlsWire

CONNECT_SECONDS = 0.3
ANSWER_SECONDS = 0.6
SEND_SECONDS = 1.5
QUEUE = "celery"
REQUEST_ID = "request_id"
MOST_WAITING = 100
# A little less than the second after which a bell asks again.
TURN_MS = 900


class _Channel(over_redis.Channel):
    connection_class: Any = TcpWire
    connection_class_ssl: Any = TlsWire


class _Transport(over_redis.Transport):
    """Kombu's, over connections that keep to the deadline of whoever sends."""

    Channel = _Channel


def _nobody() -> str | None:
    """The id of the request in which nobody asked."""
    return None


def sender(broker_url: str, request_id: Callable[[], str | None] = _nobody) -> Callable[..., None]:
    """A `send_job(name, **kwargs)`; raises Unavailable within seconds when the broker is away.

    Connects at the first job, and forgets a job that could not be sent: all work can be found again.
    A job carries the id of the request under way, if there is one, so that the worker's lines tell it.
    """
    # Celery's word for a socket; redis-py says unix.
    broker = broker_url.replace("unix://", "redis+socket://", 1)
    client = Celery("taskapi", broker=broker, set_as_current=False, fixups=[])
    client.conf.update(
        broker_transport=_Transport,
        broker_connection_timeout=CONNECT_SECONDS,
        broker_connection_retry=False,
        broker_transport_options={
            "socket_connect_timeout": CONNECT_SECONDS,
            "socket_timeout": ANSWER_SECONDS,
            "max_retries": 0,
        },
        task_ignore_result=True,
        task_publish_retry=False,
    )

    def send_job(name: str, *, expires: float | None = None, **kwargs: Any) -> None:
        """Sends one job; no worker does it later than after `expires` seconds."""
        known = request_id()
        headers = None if known is None else {REQUEST_ID: known}
        quick = {"ignore_result": True, "retry": False}
        try:
            with within(SEND_SECONDS):
                client.send_task(name, kwargs=kwargs, expires=expires, headers=headers, **quick)
        except (OperationalError, ChannelError) as fault:
            raise Unavailable(BROKER_AWAY) from fault

    return send_job


def turn_taker(broker_url: str) -> Callable[[], bool]:
    """A `may_ring()`: True once a second over all processes, and not while many jobs wait for a worker.

    Raises Unavailable when the broker is away.
    """
    broker = client_of(broker_url, connect=CONNECT_SECONDS, answer=ANSWER_SECONDS, retries=0)

    def may_ring() -> bool:
        """Whether it is this process's turn."""
        with broker_faults_named():
            pipe = broker.pipeline(transaction=False)
            pipe.set(keys.RUNG, 1, nx=True, px=TURN_MS)
            pipe.llen(QUEUE)
            is_first, waiting = pipe.execute()
        return bool(is_first) and waiting < MOST_WAITING

    return may_ring
