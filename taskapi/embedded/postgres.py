"""PostgreSQL: made once in one step, then started; reached over the loopback alone, by password."""

import re
import shutil
import signal
import subprocess
import time
from pathlib import Path

from taskapi.embedded.binaries import Binaries
from taskapi.embedded.children import Program
from taskapi.embedded.home import Home
from taskapi.embedded.notes import started_at
from taskapi.embedded.ports import LOOPBACK
from taskapi.embedded.refusals import StartRefused

DATABASE = "taskmaster"
USER = "taskapi"
BURIAL_SECONDS = 10.0
_ENVIRONMENT = {"LC_ALL": "C", "TZ": "UTC", "PATH": "/usr/bin:/bin"}
# The superuser has no password, so nobody can log in as it over the network.
_ACCESS = f"host all all {LOOPBACK}/32 scram-sha-256\n"
_FAST = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")


def postgres_program(home: Home, binaries: Binaries, port: int, durable: bool) -> Program:
    """The server of this home, its cluster made when it is missing. Not durable: fast, for tests alone.

    Raises StartRefused when the cluster cannot be made.
    """
    cluster = home.server_folder("postgres") / "18"
    if not cluster.exists():
        _make_cluster(home, binaries, cluster, durable)
    _wait_for_the_dead(cluster)
    settings = [
        f"listen_addresses={LOOPBACK}",
        "unix_socket_directories=",
        f"port={port}",
        *(() if durable else _FAST),
    ]
    return Program(
        name="postgres",
        command=(
            binaries.postgres_program("postgres"),
            "-D",
            str(cluster),
            *(part for each in settings for part in ("-c", each)),
        ),
        environment=_ENVIRONMENT,
        ready=lambda child: _accepts(binaries, port),
        stop_signal=signal.SIGINT,  # "fast": ends sessions, keeps everything
        patience=30.0,
        folder=cluster,
        account=home.account,
    )


def _wait_for_the_dead(cluster: Path) -> None:
    """A server that was killed refuses its successor until the system has buried it."""
    pid_file = cluster / "postmaster.pid"
    end = time.monotonic() + BURIAL_SECONDS
    while pid_file.exists() and time.monotonic() < end:
        pid = int(pid_file.read_text().split("\n", 1)[0])
        if started_at(pid) is not None or not Path(f"/proc/{pid}").exists():
            return
        time.sleep(0.05)


def postgres_url(home: Home, port: int) -> str:
    """Its address in SQLAlchemy's words."""
    return f"postgresql+psycopg2://{USER}:{home.passwords()['postgres']}@{LOOPBACK}:{port}/{DATABASE}"


def _accepts(binaries: Binaries, port: int) -> bool:
    command = [binaries.postgres_program("pg_isready"), "-q", "-h", LOOPBACK, "-p", str(port)]
    return subprocess.run(command, check=False).returncode == 0


def _make_cluster(home: Home, binaries: Binaries, cluster: Path, durable: bool) -> None:
    """Made beside its place and renamed into it, so that a start that was cut off leaves no half of one."""
    fresh = cluster.with_name("18.new")
    if fresh.exists():
        shutil.rmtree(fresh)
    locale = ("--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--encoding=UTF8")
    speed = () if durable else ("--no-sync",)
    initdb = (binaries.postgres_program("initdb"), "-D", str(fresh), "-U", "postgres", "--auth=trust")
    _run(home, (*initdb, *locale, *speed), "")
    (fresh / "pg_hba.conf").write_text(_ACCESS)
    _run(
        home,
        (binaries.postgres_program("postgres"), "--single", "-D", str(fresh), "postgres"),
        _first_statements(home),
    )
    fresh.rename(cluster)


def _first_statements(home: Home) -> str:
    """One statement a line, as the single-user mode reads them; the password is made of hex digits."""
    password = home.passwords()["postgres"]
    role = f"CREATE ROLE {USER} LOGIN CREATEDB PASSWORD '{password}';"
    return f"{role}\nCREATE DATABASE {DATABASE} OWNER {USER};\n"


def _run(home: Home, command: tuple[str, ...], statements: str) -> None:
    account = home.account
    done = subprocess.run(
        command,
        input=statements,
        capture_output=True,
        text=True,
        check=False,
        env=_ENVIRONMENT,
        umask=0o077,
        start_new_session=True,  # Ctrl-C is the supervisor's to answer
        cwd=home.server_folder("postgres"),
        user=account.uid if account else None,
        group=account.gid if account else None,
        extra_groups=[] if account else None,
    )
    reasons = [line for line in done.stderr.splitlines() if re.search("error:|ERROR:|FATAL:", line)]
    if done.returncode != 0 or reasons:
        why = " ".join(reasons) or done.stderr
        raise StartRefused(f"PostgreSQL could not make its data folder: {why}")
