"""How Celery is set up."""

import logging
import sys
import warnings

from celery import Celery
from celery.exceptions import SecurityWarning

from taskapi import logs
from taskapi.config import Settings
from worker import telling
from worker.connections import Addresses, addresses_of
from worker.reconnecting import Soon
from worker.returning import outlive_the_broker
from worker.schedule import beat_schedule

CONNECT_SECONDS = 2
ANSWER_SECONDS = 3
SILENT_SECONDS = 3
"""So long a link may be silent: one that leads nowhere, of which nobody was told, is made anew then."""

LONGEST_JOB_SECONDS = 1800
FORGOTTEN_SECONDS = 7 * 3600
"""What a worker has taken and said nothing of is handed out again then: later than any job may take."""

RESULT_SECONDS = 3600
CHATTY = ("celery.app.trace", "celery.worker.strategy", "celery.beat")
"""Loggers that tell of every job twice; the jobs themselves log what they have done."""


def make_celery(settings: Settings) -> Celery:
    """The app for these settings. Nothing connects here."""
    logs.configure(settings, telling.service_of(sys.argv[1:]))
    _quieten(settings.log_level)
    _allow_root(settings.production)
    outlive_the_broker()
    addresses = addresses_of(settings)
    jobs = ["worker.archives", "worker.restores", "worker.sync", "worker.checks"]
    jobs += ["worker.housekeeping", "worker.cleaning"]
    made = Celery("taskapi", include=jobs, amqp=Soon)
    made.conf.update(
        _configuration(addresses), beat_schedule=beat_schedule(settings.sync_interval, settings.backup_at)
    )
    made.addresses, made.settings = addresses, settings
    return made


def _allow_root(production: bool) -> None:
    """On a developer's machine a worker may run as root, without a page of warnings at each start."""
    if not production:
        warnings.filterwarnings("ignore", category=SecurityWarning)


def _quieten(level: str) -> None:
    if level == "INFO":
        for name in CHATTY:
            logging.getLogger(name).setLevel(logging.WARNING)


def _configuration(addresses: Addresses) -> dict[str, object]:
    """JSON only, and every wait has an end; a job whose worker died is done again by another."""
    wire = {
        "socket_connect_timeout": CONNECT_SECONDS,
        "socket_timeout": ANSWER_SECONDS,
        "health_check_interval": SILENT_SECONDS,
        "max_retries": 1,
        "visibility_timeout": FORGOTTEN_SECONDS,
    }
    return {
        "broker_url": addresses.broker,
        "broker_transport_options": wire,
        "broker_connection_timeout": CONNECT_SECONDS,
        "broker_connection_retry_on_startup": True,
        "broker_connection_max_retries": None,
        "result_backend": addresses.broker,
        "result_backend_transport_options": wire,
        "result_expires": RESULT_SECONDS,
        "redis_socket_connect_timeout": CONNECT_SECONDS,
        "redis_socket_timeout": ANSWER_SECONDS,
        "redis_backend_health_check_interval": SILENT_SECONDS,
        "accept_content": ["json"],
        "task_serializer": "json",
        "result_serializer": "json",
        "task_acks_late": True,
        "task_reject_on_worker_lost": True,
        "task_ignore_result": True,
        "task_time_limit": LONGEST_JOB_SECONDS,
        "worker_prefetch_multiplier": 1,
        "worker_cancel_long_running_tasks_on_connection_loss": True,
        "enable_utc": True,
        "timezone": "UTC",
    }
