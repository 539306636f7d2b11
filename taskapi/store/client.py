"""The connection to the data Redis, and how its scripts are run."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any

import redis
from redis.backoff import NoBackoff
from redis.exceptions import (
    BusyLoadingError,
    NoScriptError,
    OutOfMemoryError,
    ReadOnlyError,
    ResponseError,
)
from redis.exceptions import ConnectionError as ConnectionFault
from redis.exceptions import TimeoutError as TimeoutFault
from redis.maint_notifications import MaintNotificationsConfig
from redis.retry import Retry

from taskapi.domain.errors import Full, Unavailable
from taskapi.domain.records import User
from taskapi.store import keys
from taskapi.store.errors import UNVERIFIED
from taskapi.store.lines import Lines
from taskapi.store.wires import wire_for
from taskapi.store.witness import Witness

CONNECT_SECONDS = 0.4
ANSWER_SECONDS = 0.9
MOST_FAMILIAR = 10_000
NO_ROOM = "No space left on device"
BROKER_AWAY = "The broker of the background jobs is away. Try again in a moment."
PASSING_FAULTS = (
    "BUSY",
    "MISCONF",
    "NOREPLICAS",
    "MASTERDOWN",
    "LOADING",
    "TRYAGAIN",
    "NOAUTH",
    "UNKILLABLE",
)


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `calls` in `period_ms` milliseconds, as a bucket that refills evenly."""

    calls: int
    period_ms: int


def _unheard(calls_left: int, full_in_ms: int) -> None:
    """What a store without listeners does with the state of a caller's limits."""


@dataclass(frozen=True, slots=True)
class Store:
    """The data Redis. Every function of this package takes it first.

    `limits` are what each caller may ask of it; `metered` hears, after each counted question, how
    many calls the caller has left and in how many milliseconds all are back. `safe_only`: it is opened
    only where it cannot lose what it has acknowledged. `familiar` are users as they were last seen: a
    guess to ask by, never to decide on.
    """

    redis: redis.Redis
    lines: Lines
    limits: tuple[Limit, ...] = ()
    metered: Callable[[int, int], None] = _unheard
    safe_only: bool = False
    familiar: dict[int, User] = field(default_factory=dict)

    @property
    def witness(self) -> Witness:
        """What was acknowledged here, by version."""
        return self.lines.witness

    def remember(self, user: User) -> None:
        """Keeps how a user was seen."""
        if len(self.familiar) >= MOST_FAMILIAR:
            self.familiar.clear()
        self.familiar[user.id] = user


@dataclass(frozen=True, slots=True)
class Script:
    """A Lua file and the digest by which the server knows it."""

    source: str
    sha: str


def connect(
    url: str,
    limits: tuple[Limit, ...] = (),
    metered: Callable[[int, int], None] = _unheard,
    *,
    safe_only: bool = False,
) -> Store:
    """A store on that server. Nothing is sent before the first use; a lost reply is asked for once more."""
    client = client_of(url)
    return Store(client, Lines(client.connection_pool), limits, metered, safe_only)


def client_of(
    url: str, *, connect: float = CONNECT_SECONDS, answer: float = ANSWER_SECONDS, retries: int = 1
) -> redis.Redis:
    """A client with time-outs in seconds, which also keeps to the deadline of whoever asks.

    Unless told otherwise no call takes longer than two. A connection begins with one round trip:
    nothing is told of this client, and of planned maintenance nothing is wanted to be heard.
    """
    return redis.Redis.from_url(
        url,
        connection_class=wire_for(url),
        driver_info=None,
        maint_notifications_config=MaintNotificationsConfig(enabled=False),
        socket_connect_timeout=connect,
        socket_timeout=answer,
        retry=Retry(NoBackoff(), retries),
        retry_on_error=[ConnectionFault, TimeoutFault],
    )


@cache
def script(name: str, *, even_when_full: bool = False) -> Script:
    """The script in `lua/<name>.lua`, with the parts that it names (`--> take`) put in their places.

    One that makes room may run `even_when_full`.
    """
    source = re.sub(r"^--> (\w+)\n", lambda part: _lua(f"parts/{part[1]}"), _lua(name), flags=re.MULTILINE)
    if even_when_full:
        source = source.replace("#!lua\n", "#!lua flags=allow-oom\n", 1)
    return Script(source, hashlib.sha1(source.encode(), usedforsecurity=False).hexdigest())


def _lua(name: str) -> str:
    return files("taskapi.store").joinpath("lua", f"{name}.lua").read_text()


@contextmanager
def faults_named() -> Iterator[None]:
    """Faults of the server as refusals: Unavailable when it is away, Full when it has no room."""
    try:
        yield
    except (ConnectionFault, TimeoutFault, BusyLoadingError, ReadOnlyError) as fault:
        raise Unavailable("The data store is away. Try again in a moment.") from fault
    except OutOfMemoryError as fault:
        raise Full("The data store has no room for more.") from fault
    except ResponseError as fault:
        if not str(fault).startswith(PASSING_FAULTS):
            raise
        if NO_ROOM in str(fault):
            raise Full("The disk of the data store has no room for more.") from fault
        raise Unavailable("The data store cannot answer now. Try again in a moment.") from fault


@contextmanager
def broker_faults_named() -> Iterator[None]:
    """The same of the broker Redis: without room it is of no use, and so as good as away."""
    try:
        with faults_named():
            yield
    except (Unavailable, Full) as refusal:
        raise Unavailable(BROKER_AWAY) from refusal


def run(store: Store, name: str, *args: Any, even_when_full: bool = False, patient: bool = True) -> Any:
    """Runs a script on a server that was verified; raises Unavailable or Full.

    A server that does not know the script is a new one, or has restarted: it is asked who it is
    before it is taught the script.
    """
    found = script(name, even_when_full=even_when_full)
    command = ("EVALSHA", found.sha, 0, *args)
    with faults_named():
        try:
            return store.lines.exchange(*command, patient=patient)
        except NoScriptError:
            _teach(store, found)
            return store.lines.exchange(*command, patient=patient)


def run_unverified(store: Store, name: str, *args: Any) -> Any:
    """Runs a script of admission, on any server."""
    with faults_named():
        return store.redis.eval(script(name).source, 0, *args)


def _teach(store: Store, wanted: Script) -> None:
    """Loads a script, if this server is the verified one.

    All three commands go over one connection, which belongs to one server process: a restart in
    between breaks it.
    """
    connection = store.redis.connection_pool.get_connection()
    try:
        known = _ask(connection, "HGET", keys.META, "run")
        if known is None or known != run_id(_ask(connection, "INFO", "server")):
            raise Unavailable(UNVERIFIED)
        _ask(connection, "SCRIPT", "LOAD", wanted.source)
    finally:
        store.redis.connection_pool.release(connection)


def _ask(connection: Any, *command: str) -> Any:
    connection.send_command(*command)
    return connection.read_response()


def run_id(info: bytes) -> bytes:
    """The server process's id in the text of INFO."""
    return next(line for line in info.splitlines() if line.startswith(b"run_id:"))[7:]
