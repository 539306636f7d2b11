import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from taskapi.embedded.__main__ import end_of, main
from taskapi.embedded.prompt import redis_prompt, shown
from taskapi.embedded.servers import Servers, running_urls
from taskapi.embedded.terminal import Terminal
from tests.conftest import ROOT
from tests.embedded.conftest import SECONDS, Roof, wait_for


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch):
    """Makes this process one that was given a home."""

    def use(home: Path) -> None:
        monkeypatch.setenv("TASKAPI_HOME", str(home))

    return use


def test_stop_ends_the_supervisor_of_another_terminal(roof: Roof, here, capsys: pytest.CaptureFixture[str]):
    supervisor = roof.start_and_wait()
    here(roof.home)
    with subprocess.Popen(
        [sys.executable, "-m", "taskapi.embedded", "stop"], cwd=ROOT, stdout=subprocess.PIPE
    ) as stop:
        assert supervisor.wait(SECONDS) == 0
        assert stop.stdout
        assert stop.stdout.read() == b"taskapi: stopped\n"
    assert main(["stop"]) == 0
    assert capsys.readouterr().out == f"taskapi: nothing runs on {roof.home}\n"


def test_stop_ends_what_a_killed_supervisor_left(roof: Roof, here, capsys: pytest.CaptureFixture[str]):
    supervisor = roof.start_and_wait(ROOF_BEAT="deaf")
    beat = roof.running()["beat"]
    supervisor.kill()
    supervisor.wait()
    here(roof.home)
    assert main(["stop"]) == 0
    assert "beat" in capsys.readouterr().out
    assert not beat.still_runs()


def test_reset_does_nothing_unasked_and_nothing_while_it_runs(
    roof: Roof, here, capsys: pytest.CaptureFixture[str]
):
    roof.start_and_wait()
    here(roof.home)
    assert main(["reset"]) == 1
    assert "nothing was deleted" in capsys.readouterr().out
    assert main(["reset", "--force"]) == 1
    assert "already runs" in capsys.readouterr().out
    assert (roof.home / "postgres").exists()


def test_reset_deletes_all_data(home: Path, here):
    (home / "own" / "postgres").mkdir(parents=True)
    here(home / "own")
    assert main(["reset", "--force"]) == 0
    assert not (home / "own").exists()


def test_psql_and_the_redis_prompt_reach_the_running_servers(servers: Servers):
    environment = os.environ | {"TASKAPI_HOME": str(servers.home.path)}
    embedded = [sys.executable, "-m", "taskapi.embedded"]
    asked = [*embedded, "psql", "--", "-Atc", "SELECT current_user"]
    assert subprocess.run(asked, cwd=ROOT, env=environment, capture_output=True).stdout == b"taskapi\n"
    for options in ([], ["--broker"]):
        asked = [*embedded, "redis-cli", *options, "--", "PING"]
        assert subprocess.run(asked, cwd=ROOT, env=environment, capture_output=True).stdout == b"PONG\n"


def test_without_servers_the_sentence_says_how_to_start_them(
    home: Path, here, capsys: pytest.CaptureFixture[str]
):
    here(home)
    assert main(["psql"]) == 1
    assert "`make run` starts it" in capsys.readouterr().out


def test_logs_show_what_was_said_and_what_is_added(home: Path):
    log = home / "logs" / "worker.log"
    log.parent.mkdir()
    log.write_text("said before\n")
    command = [sys.executable, "-m", "taskapi.embedded", "logs"]
    environment = os.environ | {"TASKAPI_HOME": str(home)}
    output = home / "terminal"
    with output.open("w") as file:
        follower = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=file)
    wait_for(lambda: "worker   | said before" in output.read_text())
    with log.open("a") as file:
        file.write("said now\n")
    wait_for(lambda: "worker   | said now" in output.read_text())
    follower.send_signal(2)
    assert follower.wait(SECONDS) == 0


def test_logs_show_lines_in_json_as_text_from_the_first_whole_one(
    home: Path, capsys: pytest.CaptureFixture[str]
):
    line = '{"timestamp":"2030-01-31T09:15:00.1Z","level":"info","event":"said","logger":"taskapi.x"}'
    log = home / "api.log"
    log.write_text("".join(f"{line}\n" for _ in range(100)))
    terminal = Terminal()
    terminal.follow("api", log, end_of(log))
    with log.open("a") as file:
        file.write("LOG: \x1b[31mred\n")
    terminal.show_news()
    *shown, other = capsys.readouterr().out.splitlines()
    assert 10 < len(shown) < 30
    assert set(shown) == {"api      | 09:15:00 info    said"}
    assert other == "api      | LOG: \\x1b[31mred"


def test_the_prompt_runs_lines_and_shows_errors(
    servers: Servers, redis_data, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    lines = iter(["RPUSH list 'a b' c", "", "LRANGE list 0 -1", "GET nothing", "NONSENSE", "an 'open quote"])

    def line(question: str) -> str:
        try:
            return next(lines)
        except StopIteration:
            raise EOFError from None

    monkeypatch.setattr("builtins.input", line)
    redis_prompt(servers.urls["redis"], [])
    said = capsys.readouterr().out.splitlines()
    assert said[:4] == ["2", "1) a b", "2) c", "(nil)"]
    assert said[4].startswith("(error) ERR unknown command")
    assert said[5].startswith("(not sent)")


def test_nested_replies_are_numbered_and_indented():
    assert shown([b"a", [b"b", None], []]) == "1) a\n2) 1) b\n   2) (nil)\n3) (empty)"


def test_run_py_without_the_environment_says_what_to_run(tmp_path: Path):
    shutil.copy(ROOT / "run.py", tmp_path)
    done = subprocess.run([sys.executable, "run.py"], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stdout == "taskapi: the environment is missing: run `make run`, which makes it.\n"


def test_a_terminal_that_goes_away_stops_nothing(roof: Roof):
    reader, writer = os.pipe()
    os.close(reader)
    environment = {
        "TASKAPI_ENV": "development",
        "TASKAPI_HOME": str(roof.home),
        "SERVER_PORT": str(roof.port),
    }
    command = [sys.executable, "-m", "tests.embedded.roof"]
    supervisor = subprocess.Popen(command, cwd=ROOT, env=os.environ | environment, stdout=writer)
    os.close(writer)
    roof.started.append(supervisor)
    wait_for(lambda: {"api", "worker", "beat"} <= set(roof.running()))
    time.sleep(0.5)
    assert supervisor.poll() is None
    assert running_urls(roof.home)
