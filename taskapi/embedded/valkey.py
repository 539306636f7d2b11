"""The two Redis servers: *data* fsyncs each write before it answers, *broker* keeps nothing."""

import socket
from pathlib import Path

from taskapi.embedded.binaries import Binaries
from taskapi.embedded.children import Program
from taskapi.embedded.home import Home
from taskapi.embedded.ports import LOOPBACK

_PERSISTENCE = {
    "redis": "appendonly yes\nappendfsync always\nno-appendfsync-on-rewrite no\n",
    "broker": "appendonly no\n",
}


def valkey_program(home: Home, binaries: Binaries, name: str, port: int) -> Program:
    """The server `redis` (data) or `broker` of this home on this port of the loopback."""
    password = home.passwords()[name]
    folder = home.server_folder(name)
    settings = folder / "valkey.conf"
    home.write_private(settings, _settings(folder, name, port, password))
    home.give(settings)
    return Program(
        name=name,
        command=(str(binaries.valkey), str(settings)),
        ready=lambda child: answers(port, password),
        folder=folder,
        account=home.account,
    )


def valkey_url(home: Home, name: str, port: int) -> str:
    """Its address, password and database 0 included."""
    return f"redis://:{home.passwords()[name]}@{LOOPBACK}:{port}/0"


def answers(port: int, password: str) -> bool:
    """Whether it serves: while it still loads its data it listens, but answers -LOADING."""
    try:
        with socket.create_connection((LOOPBACK, port), timeout=1) as wire:
            wire.sendall(f"AUTH {password}\r\nPING\r\nQUIT\r\n".encode())
            return b"+PONG" in b"".join(iter(lambda: wire.recv(4096), b""))
    except OSError:
        return False


def _settings(folder: Path, name: str, port: int, password: str) -> str:
    return (
        f'bind {LOOPBACK}\nport {port}\nrequirepass {password}\ndir "{folder}"\n'
        f'{_PERSISTENCE[name]}save ""\nmaxmemory-policy noeviction\ndatabases 16\nloglevel notice\n'
    )
