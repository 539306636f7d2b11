"""A small product under the real roof: `python -m tests.embedded.roof`."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path

from taskapi.config import Settings, load_settings
from taskapi.embedded.children import Child, Program
from taskapi.embedded.home import Home
from taskapi.embedded.launch import run_all
from taskapi.embedded.plan import Plan, is_healthy
from taskapi.embedded.refusals import StartRefused
from taskapi.embedded.terminal import Terminal

_PART = """
import signal, sys, time
name, diary = sys.argv[1:3]
def note(word):
    with open(diary, "a") as file:
        file.write(f"{word} {name}\\n")
def stop(*_):
    note("stop")
    sys.exit(0)
signal.signal(signal.SIGTERM, stop)
print(f"{name} speaks", flush=True)
"""
_SLEEP = _PART + "time.sleep(600)"
_FAIL = _PART + "print('the reason why', flush=True); sys.exit(3)"
_DEAF = _PART + "signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(600)"
_ONCE = _PART + "note('run')"
_SERVE = (
    _PART
    + """
from http.server import BaseHTTPRequestHandler, HTTPServer
class Healthy(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if self.path == "/health" else 404)
        self.end_headers()
HTTPServer(("127.0.0.1", int(sys.argv[3])), Healthy).serve_forever()
"""
)


def stand_ins(settings: Settings, home: Home, urls: Mapping[str, str]) -> Plan:
    """The product's plan with small programs; ROOF_<NAME>=fail|deaf|sleep makes one of them behave so."""
    codes = {"fail": _FAIL, "deaf": _DEAF, "sleep": _SLEEP}

    def part(name: str, code: str, *more: str) -> Program:
        chosen = codes.get(os.environ.get(f"ROOF_{name.upper()}", ""), code)
        command = (sys.executable, "-I", "-S", "-c", chosen, name, str(home.path / "diary"), *more)
        return Program(name, command, ready=ready.get(name, _at_once), patience=1.0)

    port = settings.server_port
    ready = {"api": lambda child: is_healthy("127.0.0.1", port)}
    parts = (part("worker", _SLEEP), part("beat", _SLEEP), part("api", _SERVE, str(port)))
    return Plan((part("migrate", _ONCE), part("sync", _ONCE)), parts, (part("close", _ONCE),))


def _at_once(child: Child) -> bool:
    return "speaks" in child.output()


def main() -> int:
    settings = load_settings(dict(os.environ), Path(os.devnull))
    try:
        return run_all(settings, "OWNER_PASSWORD" in os.environ, Terminal(), stand_ins)
    except StartRefused as refusal:
        print(refusal, flush=True)
        return 1


if __name__ == "__main__":
    sys.exit(main())
