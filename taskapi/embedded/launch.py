"""`make run`: everything on one machine, from nothing to the ready line, and back to nothing."""

import os
import signal
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NoReturn

from taskapi.config import ENV_FILE, Settings, SettingsError, load_settings
from taskapi.config.sources import given_variables
from taskapi.embedded import servers
from taskapi.embedded.home import Home, lock_home, open_home
from taskapi.embedded.notes import Note, end_leftovers
from taskapi.embedded.plan import Plan, product_plan, visible_host
from taskapi.embedded.ports import first_free, require_free
from taskapi.embedded.refusals import StartRefused
from taskapi.embedded.servers import Ports, Servers
from taskapi.embedded.supervisor import PartFailed, StopAsked, Supervisor
from taskapi.embedded.terminal import Terminal

SUPERVISOR = "supervisor.json"
_STOP_SECONDS = 90.0  # every part may need its patience
PlanFor = Callable[[Settings, Home, Mapping[str, str]], Plan]


def main(environ: Mapping[str, str] | None = None, env_file: Path | None = ENV_FILE) -> int:
    """Runs until it is stopped: 0. A start that cannot be, or a part that failed: 1, after its sentence."""
    terminal = Terminal()
    try:
        given = given_variables(environ, env_file)
        settings = load_settings({"TASKAPI_ENV": "development", **given}, None)
        return run_all(settings, "OWNER_PASSWORD" in given, terminal)
    except (SettingsError, StartRefused) as refusal:
        terminal.say(f"taskapi: {refusal}")
        return 1


def run_all(
    settings: Settings, password_was_given: bool, terminal: Terminal, plan_for: PlanFor = product_plan
) -> int:
    """Servers, then the plan, until a stop or a failure. Raises StartRefused if it cannot start."""
    home = open_home(settings.taskapi_home)
    with lock_home(home):
        if home.path != settings.taskapi_home:
            terminal.say(f"taskapi: root's servers run as nobody, so the data is in {home.path}")
        if leftovers := end_leftovers(home):
            terminal.say(f"taskapi: ended what an earlier start left behind: {', '.join(leftovers)}")
        require_free(settings.server_port, "SERVER_PORT", settings.server_host)
        supervisor = Supervisor(home, terminal)
        embedded = _start_embedded(settings, home, terminal)
        supervisor.adopt(embedded.children)
        plan = plan_for(settings, home, embedded.urls)
        return supervise(supervisor, plan, ready_line(settings, password_was_given))


def supervise(supervisor: Supervisor, plan: Plan, ready: str) -> int:
    """Carries the plan out beside the servers that the supervisor adopted, and stops all at the end."""
    _note_supervisor(supervisor.home)
    try:
        _carry_out(supervisor, plan, ready)
    except StopAsked:
        return 0
    except PartFailed as failure:
        supervisor.terminal.say(str(failure))
        return 1
    finally:
        _stop_all(supervisor, plan)


def ready_line(settings: Settings, password_was_given: bool) -> str:
    """The line that says all is up and how to log in. A password that was given is never shown."""
    where = f"http://{visible_host(settings.server_host)}:{settings.server_port}"
    password = "from OWNER_PASSWORD" if password_was_given else settings.owner_password
    return f"taskapi ready  {where}  docs /docs  owner {settings.owner_email}  password {password}"


def choose_ports(taken: set[int]) -> Ports:
    """The usual ports, or the next free ones: another home on this machine may be at work on them."""
    redis = first_free(6380, taken)
    broker = first_free(6381, taken | {redis})
    return Ports(redis, broker, first_free(5433, taken | {redis, broker}))


def _carry_out(supervisor: Supervisor, plan: Plan, ready: str) -> NoReturn:
    for program in plan.before:
        supervisor.run(program)
    supervisor.start(plan.parts)
    supervisor.terminal.say(ready)
    supervisor.watch()


def _stop_all(supervisor: Supervisor, plan: Plan) -> None:
    """The API first, so that nothing new comes in; the servers last, so that everybody can finish."""
    supervisor.terminal.say("taskapi: stopping")
    supervisor.stop([program.name for program in reversed(plan.parts)])
    if supervisor.finished.issuperset(program.name for program in plan.before) and supervisor.all_run():
        for program in plan.after:
            supervisor.say_farewell(program)
    supervisor.stop([*(program.name for program in plan.before), *reversed(servers.NAMES)])
    supervisor.terminal.say("taskapi: stopped")


def _start_embedded(settings: Settings, home: Home, terminal: Terminal) -> Servers:
    """The servers that no address was given for."""
    given = {"redis": settings.redis_url, "broker": settings.broker_url, "postgres": settings.database_url}
    wanted = tuple(name for name in servers.NAMES if given[name] is None)
    ports = choose_ports({settings.server_port})
    if wanted:
        places = (f"{name} on port {getattr(ports, name)}" for name in wanted)
        terminal.say(f"taskapi: starting {', '.join(places)}, data in {home.path}")
    return servers.start(home.path, ports, wanted=wanted)


def _note_supervisor(home: Home) -> None:
    """Who to ask for a stop, from another terminal."""
    Note.about(os.getpid(), signal.SIGTERM, _STOP_SECONDS).write(home, home.run / SUPERVISOR)
