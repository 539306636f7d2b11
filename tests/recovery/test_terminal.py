"""What an operator types in a terminal that knows nothing yet, and what a start takes from the settings."""

import os
import re
import subprocess
from pathlib import Path

import pytest

from taskapi import create_app
from taskapi.config import load_settings
from taskapi.services.owner import ensure_owner
from tests.conftest import ROOT, product_environment
from tests.recovery.conftest import Installation

SAID = ("TASKAPI_ENV", "DATABASE_URL", "REDIS_URL", "BROKER_URL", "OWNER_PASSWORD")
OF_MAKE = ("MAKEFLAGS", "MFLAGS", "MAKELEVEL")


@pytest.fixture
def unsaid(installation: Installation, monkeypatch: pytest.MonkeyPatch) -> Installation:
    """A terminal that knows the home, and nothing else."""
    for name in SAID:
        monkeypatch.delenv(name, raising=False)
    here = installation.servers.home.path
    monkeypatch.setattr("tests.recovery.conftest.product_environment", lambda _: {"TASKAPI_HOME": str(here)})
    return installation


def test_the_commands_run_in_a_new_terminal_after_what_the_document_says_first(unsaid: Installation):
    told = (ROOT / "docs" / "RECOVERY.md").read_text().split("\n## ")[0]
    first, doctor = re.findall(r"```sh\n(.*?)```", told, re.DOTALL)

    assert "Nothing is left." in unsaid.done(f"{first}flask sync")
    assert "ok   admission" in unsaid.run(first + doctor).stdout


def test_a_new_terminal_is_told_what_to_say_first(unsaid: Installation):
    ran = unsaid.run("flask sync")

    assert ran.returncode == 1
    assert ran.stderr.splitlines()[-1].endswith("once in this terminal: export TASKAPI_ENV=development")
    assert "export" not in unsaid.run("TASKAPI_ENV=production flask sync").stderr


@pytest.mark.parametrize(
    ("words", "command"),
    [
        (["flask", "ARGS=quarantine retry task 7"], "quarantine retry task 7"),
        (["sync"], "sync"),
        (["quarantine", "ARGS=discard task 7"], "quarantine discard task 7"),
        (["compare", "ARGS=--repair"], "compare --repair"),
        (["scrub", "ARGS=--repair"], "scrub --repair"),
        (["losses", "ARGS=--seen"], "losses --seen"),
        (["doctor"], "doctor"),
    ],
)
def test_make_runs_the_commands_for_development_with_their_words(words: list[str], command: str):
    given = {name: value for name, value in os.environ.items() if name not in (*SAID, *OF_MAKE)}
    ran = subprocess.run(
        ["make", "-n", *words], cwd=ROOT, env=given, capture_output=True, text=True, check=True, timeout=60
    )
    line = ran.stdout.splitlines()[-1].strip()
    assert line.endswith(f"flask --app taskapi:create_app {command}")
    if not Path(ROOT, ".env").exists():
        assert line.startswith("TASKAPI_ENV=${TASKAPI_ENV:-development} ")


def test_a_new_password_of_the_owner_counts_from_the_start_on(installation: Installation):
    given = product_environment(installation.servers)
    old, new = {"X-Owner-Password": "admin1234"}, {"X-Owner-Password": "brand new pass"}
    running = create_app(load_settings(given, None))
    settings = load_settings(given | {"OWNER_PASSWORD": "brand new pass"}, None)
    started = create_app(settings)
    ensure_owner(installation.store, settings.owner_email, settings.owner_password)

    def answers(app, headers):
        return app.test_client().get("/v1/users", headers=headers).status_code

    assert [answers(running, each) for each in (old, new)] == [200, 401]
    assert [answers(started, each) for each in (old, new)] == [401, 200]
