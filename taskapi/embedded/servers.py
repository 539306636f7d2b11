"""The embedded servers of one home: start, addresses, stop."""

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from taskapi.embedded.binaries import find_binaries
from taskapi.embedded.children import Child, Program, wait_until_ready
from taskapi.embedded.home import Home, locate_home, lock_home, open_home
from taskapi.embedded.notes import end_leftovers
from taskapi.embedded.ports import first_free, free_port
from taskapi.embedded.postgres import postgres_program, postgres_url
from taskapi.embedded.refusals import StartRefused
from taskapi.embedded.valkey import valkey_program, valkey_url

NAMES = ("redis", "broker", "postgres")


class Ports(NamedTuple):
    """Where the servers listen, on the loopback."""

    redis: int
    broker: int
    postgres: int


def free_ports() -> Ports:
    """Three ports that nobody listens on now."""
    redis = free_port()
    broker = first_free(free_port(), {redis})
    return Ports(redis, broker, first_free(free_port(), {redis, broker}))


@dataclass
class Servers:
    """Running servers. An address is None for one that was not wanted."""

    home: Home
    programs: dict[str, Program]
    urls: dict[str, str]
    children: dict[str, Child] = field(default_factory=dict)

    @property
    def data_url(self) -> str | None:
        return self.urls.get("redis")

    @property
    def broker_url(self) -> str | None:
        return self.urls.get("broker")

    @property
    def database_url(self) -> str | None:
        return self.urls.get("postgres")

    @property
    def pids(self) -> dict[str, int]:
        return {name: child.pid for name, child in self.children.items()}

    def start(self, name: str) -> None:
        """Starts one of them (again) and waits until it serves. Raises StartRefused with its last words."""
        self.children[name] = Child(self.programs[name], self.home)
        self.require_ready(name)

    def require_ready(self, name: str) -> None:
        """Waits until it serves. Raises StartRefused with its last words if it does not."""
        child = self.children[name]
        if not wait_until_ready(child):
            child.kill()
            words = " ".join(child.output().split()[-40:])
            raise StartRefused(f"The embedded {name} did not start ({child.log}): {words}")

    def stop(self, *names: str) -> None:
        """A clean stop of these, or of all: PostgreSQL first, then the broker, then the data."""
        for name in names or tuple(reversed(NAMES)):
            if name in self.children:
                self.children.pop(name).stop()

    def kill(self, name: str) -> None:
        """kill -9, for tests of what survives it; `start(name)` brings it back."""
        self.children.pop(name).kill()


def start(home: Path, ports: Ports, *, durable: bool = True, wanted: tuple[str, ...] = NAMES) -> Servers:
    """Starts the wanted servers of this home, side by side, and returns when all serve.

    Raises StartRefused, after stopping what did start. The caller holds the home's lock.
    """
    servers = _prepared(open_home(home), ports, durable, wanted)
    try:
        _start_all(servers)
    except BaseException:
        servers.stop()
        raise
    return servers


def stop(home: Path) -> list[str]:
    """Ends whatever runs on this home without a supervisor, and names it."""
    return end_leftovers(locate_home(home))


def delete(home: Path) -> None:
    """Removes all data of this home. Raises StartRefused while something runs on it."""
    found = locate_home(home)
    if found.path.exists():
        with lock_home(open_home(found.path)):
            end_leftovers(found)
            shutil.rmtree(found.path)


def running_urls(home: Path) -> dict[str, str]:
    """The addresses of the servers that were last started on this home: `redis`, `broker`, `postgres`."""
    path = locate_home(home).run / "addresses.json"
    found: dict[str, str] = json.loads(path.read_text()) if path.exists() else {}
    return found


def _prepared(home: Home, ports: Ports, durable: bool, wanted: tuple[str, ...]) -> Servers:
    if not wanted:
        return Servers(home, {}, {})
    binaries = find_binaries(home.account)
    urls = {
        "redis": valkey_url(home, "redis", ports.redis),
        "broker": valkey_url(home, "broker", ports.broker),
        "postgres": postgres_url(home, ports.postgres),
    }
    make: dict[str, Callable[[], Program]] = {
        "redis": lambda: valkey_program(home, binaries, "redis", ports.redis),
        "broker": lambda: valkey_program(home, binaries, "broker", ports.broker),
        "postgres": lambda: postgres_program(home, binaries, ports.postgres, durable),
    }
    return Servers(home, {name: make[name]() for name in wanted}, {name: urls[name] for name in wanted})


def _start_all(servers: Servers) -> None:
    for name, program in servers.programs.items():
        servers.children[name] = Child(program, servers.home)
    for name in servers.programs:
        servers.require_ready(name)
    servers.home.write_private(servers.home.run / "addresses.json", json.dumps(servers.urls, indent=1))
