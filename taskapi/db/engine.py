"""Connections to PostgreSQL, with explicit time-outs and safe after a fork."""

import os
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, text

from taskapi.db import waiting
from taskapi.db.errors import faults_named
from taskapi.db.waiting import CONNECT_SECONDS, STATEMENT_SECONDS
from taskapi.domain.deadlines import within

__all__ = [
    "Connection",
    "Engine",
    "Source",
    "connect",
    "engine_options",
    "is_reachable",
    "make_safe",
    "transaction",
    "trial",
    "unhurried",
    "within",
]

Source = Engine | Connection
"""Where a transaction comes from: any connection, or the one that holds the lock alone."""

_parting: weakref.WeakSet[Engine] = weakref.WeakSet()
LOCK_SECONDS = 5.0
REACH_SECONDS = 0.9
PING_SECONDS = 2.0


def engine_options() -> dict[str, Any]:
    """What every engine is made with, also Flask-SQLAlchemy's (SQLALCHEMY_ENGINE_OPTIONS)."""
    waiting.install()
    waits = {"lock_timeout": LOCK_SECONDS, "statement_timeout": STATEMENT_SECONDS}
    limits = " ".join(f"-c {name}={int(seconds * 1000)}" for name, seconds in waits.items())
    return {
        "hide_parameters": True,  # a fault is told in logs, and what was sent are people's records
        "pool_pre_ping": True,
        "pool_size": 4,
        "max_overflow": 8,
        "pool_timeout": CONNECT_SECONDS,
        "connect_args": {
            "connect_timeout": int(CONNECT_SECONDS),
            "tcp_user_timeout": 10_000,
            "keepalives_idle": 10,
            "application_name": "taskapi",
            "options": f"{limits} -c timezone=UTC",
        },
    }


def connect(url: str) -> Engine:
    """An engine on that database; nothing is sent before the first use. A forked child starts afresh."""
    engine = create_engine(url, **engine_options())
    make_safe(engine)
    return engine


def make_safe(engine: Engine) -> None:
    """A forked child leaves the connections of its parent alone; one that leads nowhere is soon found out."""
    _parting.add(engine)
    ping = engine.dialect.do_ping

    def do_ping(connection: Any) -> bool:
        with within(PING_SECONDS):
            return ping(connection)

    engine.dialect.do_ping = do_ping  # type: ignore[method-assign,assignment]


def _start_afresh() -> None:
    for engine in _parting:
        engine.dispose(close=False)


os.register_at_fork(after_in_child=_start_afresh)


@contextmanager
def transaction(source: Source) -> Iterator[Connection]:
    """A transaction, committed at the end of the block; raises PostgresAway, NotMigrated or RowsRefused."""
    if isinstance(source, Connection):
        with faults_named(), source.begin():
            yield source
    else:
        with faults_named(), source.begin() as connection:
            yield connection


@contextmanager
def connection_of(engine: Engine) -> Iterator[Connection]:
    """A connection in no transaction; what is open at the end of the block is rolled back."""
    with faults_named(), engine.connect() as connection:
        yield connection


@contextmanager
def trial(engine: Engine) -> Iterator[Connection]:
    """A transaction that is taken back at the end of the block, whatever was done in it."""
    with faults_named(), engine.connect() as connection, connection.begin() as trying:
        yield connection
        trying.rollback()


def unhurried(connection: Connection) -> None:
    """Lets each statement of the open transaction take as long as it takes."""
    with faults_named():
        connection.execute(text("SET LOCAL statement_timeout = 0"))


def is_reachable(engine: Engine) -> bool:
    """Raises PostgresAway unless it answers soon."""
    with within(REACH_SECONDS), transaction(engine) as connection:
        return bool(connection.scalar(text("SELECT true")))
