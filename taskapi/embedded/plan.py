"""The programs of the product itself: what is run once before, what runs, what is run once after."""

import http.client
import multiprocessing
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from taskapi.config import PROJECT_ROOT, Settings
from taskapi.embedded.binaries import find_binaries
from taskapi.embedded.children import Child, Program
from taskapi.embedded.home import Home
from taskapi.embedded.ports import LOOPBACK
from taskapi.embedded.schema import is_current

_FLASK = ("flask", "--app", "taskapi:create_app")
_ADDRESSES = {"postgres": "DATABASE_URL", "redis": "REDIS_URL", "broker": "BROKER_URL"}


@dataclass(frozen=True)
class Plan:
    """`before`, one by one to its end; `parts`, all at once, stopped in reverse; `after`, to its end."""

    before: tuple[Program, ...]
    parts: tuple[Program, ...]
    after: tuple[Program, ...]


def product_plan(settings: Settings, home: Home, urls: Mapping[str, str]) -> Plan:
    """The product on this home; `urls` are the addresses of what is embedded, by name of the server."""
    make = _Maker(product_environment(settings, home, urls))
    return Plan(
        before=(*_migration(make, home, urls), make("sync", *_FLASK, "sync")),
        parts=(_worker(make, settings), _beat(make, settings, home), _api(make, settings)),
        after=(make("close", *_FLASK, "close"),),
    )


def _worker(make: "_Maker", settings: Settings) -> Program:
    """Celery says that it is ready, but only to those who listen at INFO."""
    ready = _says_ready if settings.log_level in ("DEBUG", "INFO") else _at_once
    options = ("-c", "2", "-l", settings.log_level, *pool_options(can_prefork()))
    return make("worker", "celery", "--quiet", "-A", "celery_app", "worker", *options, ready=ready)


def _beat(make: "_Maker", settings: Settings, home: Home) -> Program:
    options = ("-l", settings.log_level, "-s", str(home.run / "beat-schedule"), "--pidfile=")
    return make("beat", "celery", "--quiet", "-A", "celery_app", "beat", *options)


def _api(make: "_Maker", settings: Settings) -> Program:
    host = f"[{settings.server_host}]" if ":" in settings.server_host else settings.server_host
    size = ("--workers", str(settings.web_workers), "--threads", str(settings.web_threads))
    where = ("--bind", f"{host}:{settings.server_port}", "--no-control-socket", "--graceful-timeout", "5")
    command = (
        "gunicorn",
        "taskapi:create_app()",
        "--worker-class",
        "taskapi.api.gthread.Worker",
        *size,
        *where,
    )
    return make("api", *command, ready=lambda child: is_healthy(settings.server_host, settings.server_port))


def _migration(make: "_Maker", home: Home, urls: Mapping[str, str]) -> tuple[Program, ...]:
    """Nothing when the embedded database has every table already: the second start is a second faster so."""
    versions = PROJECT_ROOT / "migrations" / "versions"
    if "postgres" in urls and is_current(find_binaries(home.account), urls["postgres"], versions):
        return ()
    return (make("migrate", *_FLASK, "db", "upgrade"),)


def product_environment(settings: Settings, home: Home, urls: Mapping[str, str]) -> dict[str, str]:
    """What the product's programs find in their environment: ours, the home, and the embedded addresses.

    They may keep their bytecode: five programs that each compile everything would start seconds later.
    """
    inherited = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    own = {"TASKAPI_ENV": settings.taskapi_env, "TASKAPI_HOME": str(home.path), "PYTHONUNBUFFERED": "1"}
    return {**inherited, **own, **{_ADDRESSES[name]: url for name, url in urls.items()}}


def pool_options(prefork: bool) -> tuple[str, ...]:
    """How the worker works side by side: processes, or threads where processes cannot share a semaphore."""
    return ("--without-gossip", "--without-mingle", "--pool", "prefork" if prefork else "threads")


def can_prefork() -> bool:
    """Whether processes may share a semaphore: small containers come without a writable /dev/shm."""
    try:
        multiprocessing.Semaphore()
    except OSError:
        return False
    return True


def is_healthy(host: str, port: int) -> bool:
    """Whether GET /health answers 200."""
    connection = http.client.HTTPConnection(visible_host(host), port, timeout=2)
    try:
        connection.request("GET", "/health")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def visible_host(host: str) -> str:
    """The address to call a server at that listens on `host`: on every address means on the loopback too."""
    return LOOPBACK if host in ("0.0.0.0", "::", "") else host  # noqa: S104 - compared, not listened on


def _at_once(child: Child) -> bool:
    return True


def _says_ready(child: Child) -> bool:
    return " ready." in child.output()


@dataclass(frozen=True)
class _Maker:
    environment: Mapping[str, str]

    def __call__(self, name: str, *command: str, ready: Callable[[Child], bool] = _at_once) -> Program:
        run = (sys.executable, "-m", *command)
        return Program(name, run, environment=self.environment, ready=ready, folder=PROJECT_ROOT)
