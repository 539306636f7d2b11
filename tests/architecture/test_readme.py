"""The README's tour, run as it is written, against the product as `make run` starts it."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from taskapi.embedded.ports import free_port
from tests.conftest import ROOT
from tests.embedded.conftest import wait_for

SECONDS = 60
NEWLINES = 'curl() { command curl "$@"; local code=$?; echo; return $code; }\n'


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The home of a running product, on a port of its own."""
    folder = Path("/tmp") / f"taskapi-tour-{os.getpid()}"
    folder.mkdir()
    monkeypatch.setenv("TASKAPI_HOME", str(folder))
    monkeypatch.setenv("SERVER_PORT", str(free_port()))
    terminal = tmp_path / "terminal.txt"
    with terminal.open("w") as output:
        product = subprocess.Popen([sys.executable, "run.py"], cwd=ROOT, stdout=output, stderr=output)
    try:
        wait_for(lambda: "\ntaskapi ready  " in terminal.read_text() or product.poll() is not None, SECONDS)
        assert product.poll() is None, terminal.read_text()
        yield folder
    finally:
        product.send_signal(signal.SIGTERM)
        product.wait(SECONDS)
        shutil.rmtree(folder)


def tour() -> str:
    """All commands of the README's tour, on the port of this test."""
    blocks = re.findall(r"```bash\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    script = "".join(blocks)
    assert "http://127.0.0.1:7890/v1" in script
    return script.replace(":7890/", f":{os.environ['SERVER_PORT']}/")


def test_the_tour_runs_as_it_is_written(home: Path):
    ran = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", NEWLINES + tour()],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=SECONDS,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    answers = [json.loads(line) for line in ran.stdout.splitlines() if line.startswith("{")]
    answers, by_cookie, elsewhere = answers[:22], answers[22:27], answers[27:]
    assert len(answers) == 22
    assert all(answer.get("success", True) for answer in answers[:-1]), ran.stdout
    assert [answers[-3]["data"]["id"], answers[-1]["status"]] == [1, 404]
    listed, first, replayed = answers[3]["data"], answers[4]["data"], answers[5]["data"]
    assert [task["title"] for task in listed["tasks"]] == ["Write the notes", "Check the tables"]
    assert first == replayed
    assert "Note G: how to compute" in ran.stdout
    assert "Preference-Applied: durability=postgres" in ran.stdout
    assert re.search(r"2 \| Check the tables again +\| f", ran.stdout), ran.stdout
    assert answers[15]["status"] == "healthy"
    assert answers[16]["checks"]["database"]["status"] == "healthy"
    assert [answer.get("code") for answer in by_cookie] == [None, None, "csrf_failed", None, None]
    tagged, untagged, of_the_day, gone = (answer["data"] for answer in elsewhere[:4])
    assert [tagged["tags"], untagged["tags"], gone["deleted"]] == [["paper", "press/print"], ["paper"], True]
    assert [task["title"] for task in of_the_day["tasks"]] == ["Print the notes"]
