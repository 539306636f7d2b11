"""What this installation needs, checked one by one, each with what to do about it."""

import multiprocessing
from collections.abc import Callable
from dataclasses import dataclass, replace

from taskapi.config import Settings
from taskapi.config.folders import folders_of
from taskapi.db import revisions
from taskapi.db.engine import Engine
from taskapi.domain.errors import Unavailable
from taskapi.store import checks, comparisons, dirty, heartbeats, safety, state
from taskapi.store.client import Store
from taskapi.store.jobs import Jobs
from taskapi.sync import ground, losses, restores

LONGEST_LAG_SECONDS = 60.0


class Unwell(Exception):
    """Something is not as it should be; `str()` says what, and what to do."""


@dataclass(frozen=True, slots=True)
class Line:
    """One check and what came of it; `is_away`: what it asks does not answer."""

    subject: str
    is_well: bool
    finding: str
    is_away: bool = False

    def __str__(self) -> str:
        return f"{'ok ' if self.is_well else 'BAD'}  {self.subject:<12} {self.finding}"


def checkup(settings: Settings, store: Store, broker: Jobs, engine: Engine) -> list[Line]:
    """Every check, in the order in which to mend."""
    redis = _server("redis", lambda: _redis(store, settings.durability), settings)
    queue = _server("broker", lambda: _broker(broker), settings)
    postgres = _server("postgresql", lambda: _postgres(engine), settings)
    return [
        _checked("settings", lambda: f"{settings.taskapi_env}, home {settings.taskapi_home}"),
        redis,
        _checked("ground", lambda: _ground(settings, store, engine), redis),
        queue,
        postgres,
        _checked("admission", lambda: _admission(store), redis),
        _checked("restores", lambda: _restores(engine), postgres),
        _checked("losses", lambda: _losses(store, engine), redis, postgres),
        _checked("records", lambda: _records(store), redis),
        _checked("workers", lambda: _workers(broker), queue),
        _checked("shared memory", _shared_memory),
        _checked("sync", lambda: _sync(store), redis),
    ]


def _server(subject: str, check: Callable[[], str], settings: Settings) -> Line:
    """Whether it answers; if not, how it is started."""
    line = _checked(subject, check)
    if not line.is_away:
        return line
    what = "with `make run`" if settings.taskapi_env == "development" else "and look at its log"
    return replace(line, finding=f"{line.finding.removesuffix(' Try again in a moment.')} Start it {what}.")


def _checked(subject: str, check: Callable[[], str], *servers: Line) -> Line:
    """Of a server that is away nothing is asked again."""
    if away := [server.subject for server in servers if server.is_away]:
        return Line(subject, False, f"not checked: away is {' and '.join(away)}")
    try:
        return Line(subject, True, check())
    except Unwell as fault:
        return Line(subject, False, str(fault))
    except Unavailable as fault:
        return Line(subject, False, str(fault), is_away=True)


def _redis(store: Store, durability: str) -> str:
    checks.ping(store)
    risks = [flaw for flaw in safety.flaws(store) if flaw.is_risk]
    if not risks:
        return "answers, fsyncs each write, evicts nothing"
    if durability == "redis":
        raise Unwell(safety.sentence(risks))
    return "answers; it may lose what it acknowledged, but each write waits for PostgreSQL"


def _ground(settings: Settings, store: Store, engine: Engine) -> str:
    """Whatever else the check of each minute looks at; the risks stand above."""
    found = ground.look(store, engine, folders_of(settings), covered=settings.durability == "postgres")
    if others := [str(flaw) for flaw in found.flaws if not flaw.is_risk or settings.durability == "postgres"]:
        raise Unwell("; ".join(others) + ".")
    return found.sentence


def _broker(broker: Jobs) -> str:
    heartbeats.alive(broker)
    return "answers"


def _postgres(engine: Engine) -> str:
    missing = revisions.missing(engine)
    if missing:
        raise Unwell(f"Revision {missing} is missing: run `flask db upgrade`.")
    return "answers, migrated"


def _admission(store: Store) -> str:
    found = state.look(store)
    if found.is_restoring:
        return "Redis is frozen by a restore: what is read is answered"
    if not found.is_ready:
        raise Unwell("Redis is not admitted, nothing is served: run `flask sync`.")
    return "Redis is admitted and open"


def _restores(engine: Engine) -> str:
    last = restores.last(engine)
    if last is None:
        return "none was made yet"
    archive = f"; what was there before is {last['archive']}" if last["archive"] else ""
    return f"the last was at {last['at']}: {last['action']} from {last['target']}{archive}"


def _losses(store: Store, engine: Engine) -> str:
    found = losses.every(store, engine)
    if still := [loss.sentence for loss in found if loss.is_open]:
        raise Unwell(f"{' '.join(still)} `flask losses` tells when, `flask losses --seen` that you know.")
    return f"{len(found)} on record, none open" if found else "none was ever found"


def _records(store: Store) -> str:
    """As the comparison of each night has found them: to compare them takes its time."""
    last = comparisons.last(store)
    if last is None:
        return "not compared yet: `flask compare --repair`, or the comparison of the night"
    if last["left"]:
        raise Unwell(f"{last['left']} could not be put right at {last['at']}: `flask compare` names them.")
    return f"compared at {last['at']}, {last['repaired']} put right"


def _workers(broker: Jobs) -> str:
    alive = heartbeats.alive(broker)
    if not alive.workers:
        raise Unwell("No worker was seen: start `celery -A celery_app worker`.")
    if not alive.beat:
        raise Unwell("No beat was seen: start `celery -A celery_app beat`.")
    return f"{len(alive.workers)} and a beat were seen"


def _shared_memory() -> str:
    try:
        multiprocessing.Semaphore()
    except OSError:
        raise Unwell(
            "Processes cannot share memory: make /dev/shm writable, or start workers with --pool threads."
        ) from None
    return "workers may fork"


def _sync(store: Store) -> str:
    waiting = dirty.backlog(store)
    if waiting.quarantined:
        names = ", ".join(sorted(waiting.quarantined)[:5])
        raise Unwell(
            f"PostgreSQL refuses {len(waiting.quarantined)} of the records ({names}):"
            " `flask quarantine` tells why."
        )
    if waiting.lag > LONGEST_LAG_SECONDS:
        raise Unwell(
            f"{waiting.total} records wait, the oldest for {waiting.lag:.0f} s: is a worker running?"
        )
    return f"{waiting.total} records wait, the oldest for {waiting.lag:.0f} s"
