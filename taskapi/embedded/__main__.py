"""What `make stop|reset|logs|psql|redis-cli` call, from another terminal than that of `make run`."""

import argparse
import os
import shutil
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

from taskapi.config import SettingsError, load_settings
from taskapi.config.sources import ENV_FILE, given_variables
from taskapi.embedded import servers
from taskapi.embedded.binaries import find_binaries
from taskapi.embedded.home import Home, locate_home
from taskapi.embedded.launch import SUPERVISOR
from taskapi.embedded.notes import Note
from taskapi.embedded.ports import is_free
from taskapi.embedded.prompt import redis_prompt
from taskapi.embedded.refusals import StartRefused
from taskapi.embedded.terminal import Terminal


def stop(home: Home, options: argparse.Namespace) -> None:
    """Asks the supervisor to stop and waits for it; ends what one that was killed left behind."""
    note = Note.read(home.run / SUPERVISOR)
    if note is None or not note.still_runs():
        leftovers = servers.stop(home.path)
        print(
            f"taskapi: ended {', '.join(leftovers)}" if leftovers else f"taskapi: nothing runs on {home.path}"
        )
        return
    note.ask_to_stop()
    if not note.wait_for_end():
        raise StartRefused(f"it did not stop in {note.patience:.0f} s; its pid is {note.pid}.")
    print("taskapi: stopped")


def reset(home: Home, options: argparse.Namespace) -> None:
    """Deletes all data of the home, after the word yes."""
    question = f"Delete all data in {home.path}? Write yes: "
    if options.force or (sys.stdin.isatty() and input(question).strip() == "yes"):
        servers.delete(home.path)
        print(f"taskapi: deleted {home.path}")
    else:
        raise StartRefused("nothing was deleted; `make reset FORCE=1` does not ask.")


def logs(home: Home, options: argparse.Namespace) -> None:
    """Shows the end of every log, and what is added, until Ctrl-C (also where the shell ignores that)."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    terminal = Terminal()
    for log in sorted(home.logs.glob("*.log")):
        terminal.follow(log.stem, log, end_of(log))
    while True:
        terminal.show_news()
        time.sleep(0.2)


def end_of(log: Path) -> int:
    """Where the last whole lines of a log begin."""
    size = log.stat().st_size
    with log.open("rb") as file:
        file.seek(max(0, size - 2000))
        if file.tell():
            file.readline()
        return min(file.tell(), size)


def psql(home: Home, options: argparse.Namespace) -> None:
    """Becomes psql on the running PostgreSQL; what follows `--` is handed on."""
    url = urlsplit(_address(home, "postgres"))
    program = find_binaries(None).postgres_program("psql")
    where = ("-h", str(url.hostname), "-p", str(url.port), "-U", str(url.username), url.path.strip("/"))
    os.execve(program, [program, *where, *options.rest], {**os.environ, "PGPASSWORD": str(url.password)})


def redis_cli(home: Home, options: argparse.Namespace) -> None:
    """Becomes valkey-cli or redis-cli if this machine has one, else answers commands itself."""
    url = _address(home, "broker" if options.broker else "redis")
    program = shutil.which("valkey-cli") or shutil.which("redis-cli")
    if program is None:
        redis_prompt(url, options.rest)
    else:
        parts = urlsplit(url)
        where = ("-h", str(parts.hostname), "-p", str(parts.port))
        os.execve(
            program, [program, *where, *options.rest], {**os.environ, "REDISCLI_AUTH": str(parts.password)}
        )


def _address(home: Home, name: str) -> str:
    found = servers.running_urls(home.path).get(name)
    if found is None or is_free(urlsplit(found).port or 0):
        raise StartRefused(f"no embedded {name} runs on {home.path}: `make run` starts it.")
    return found


_COMMANDS: dict[str, Callable[[Home, argparse.Namespace], None]] = {
    "stop": stop,
    "reset": reset,
    "logs": logs,
    "psql": psql,
    "redis-cli": redis_cli,
}


def _home(env_file: Path) -> Home:
    given = {"TASKAPI_ENV": "development", **given_variables(None, env_file)}
    return locate_home(load_settings(given, None).taskapi_home)


def main(arguments: list[str] | None = None) -> int:
    """Runs one command on the home of this environment: 0, or 1 after the sentence that says why not."""
    parser = argparse.ArgumentParser(prog="taskapi.embedded")
    parser.add_argument("command", choices=_COMMANDS)
    parser.add_argument("--force", action="store_true")
    parser.add_argument("--broker", action="store_true")
    parser.add_argument("rest", nargs="*")
    options = parser.parse_intermixed_args(arguments)
    try:
        _COMMANDS[options.command](_home(ENV_FILE), options)
    except (SettingsError, StartRefused) as refusal:
        print(f"taskapi: {refusal}")
        return 1
    except KeyboardInterrupt:
        return 0
    return 0


if __name__ == "__main__":
    sys.exit(main())
