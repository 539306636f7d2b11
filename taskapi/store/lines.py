"""The connections over which scripts run: each thread keeps its own, with no pool in between."""

from __future__ import annotations

import os
import threading
from dataclasses import dataclass, field
from typing import Any

import redis
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as ConnectionFault
from redis.exceptions import TimeoutError as TimeoutFault
from redis.retry import Retry

from taskapi.domain.deadlines import within
from taskapi.store.witness import Witness

QUICK_SECONDS = 0.45
PATIENT_SECONDS = 0.9
"""How long an answer may take, twice: of a read less than a second in all, of a write less than two."""


@dataclass(frozen=True, slots=True)
class Lines:
    """The connections of one store to one server; the witness hears of each that is made, also anew."""

    pool: redis.ConnectionPool
    witness: Witness = field(default_factory=Witness)
    own: threading.local = field(default_factory=threading.local)

    def exchange(self, *command: Any, patient: bool = True) -> Any:
        """A command and its answer; the command is sent once more if the first answer does not come."""
        patience = PATIENT_SECONDS if patient else QUICK_SECONDS
        connection = self._mine(patience)
        with within(2 * patience):
            try:
                return _ask(connection, command)
            except (ConnectionFault, TimeoutFault):
                return _ask(connection, command)

    def _mine(self, patience: float) -> Any:
        """This thread's connection; a forked process makes its own."""
        own = self.own
        if getattr(own, "process", 0) != os.getpid():
            own.process, own.connections = os.getpid(), {}
        if patience not in own.connections:
            options = self.pool.connection_kwargs | {
                "socket_timeout": patience,
                "retry": Retry(NoBackoff(), 0),
            }
            own.connections[patience] = self.pool.connection_class(**options)
            own.connections[patience].register_connect_callback(self.witness.doubt)
        return own.connections[patience]


def _ask(connection: Any, command: tuple[Any, ...]) -> Any:
    """An exchange that is cut short, by whatever, must not leave its answer to the next one."""
    try:
        connection.send_command(*command)
        answer = connection.read_response(disconnect_on_error=False)
    except redis.ResponseError:
        raise
    except BaseException:
        connection.disconnect()
        raise
    return answer
