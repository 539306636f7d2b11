"""There may be no Docker where the tests run, so the files are read: what they name has to exist here."""

import ast
import re
import shlex
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from taskapi.config import VARIABLES, SettingsError, load_settings
from taskapi.store import safety

ROOT = Path(__file__).resolve().parents[2]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, Any] = COMPOSE["services"]
DOCKERFILE = (ROOT / "Dockerfile").read_text()
OURS = ("migrate", "api", "worker", "beat")
ONLY_HERE = {"API_PORTS", "REDIS_MAXMEMORY"}  # read by docker compose itself
OF_BUCKETS = {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION", "AWS_ENDPOINT_URL"}
"""Read by the library that speaks to buckets; not set unless they are set outside."""
SAMPLE = {
    "OWNER_EMAIL": "owner@example.com",
    "OWNER_PASSWORD": "correct horse battery",
    "SECRET_KEY": "k3" * 24,
    "POSTGRES_PASSWORD": "p7" * 12,
    "REDIS_PASSWORD": "r9" * 12,
}


def test_every_part_is_there():
    assert set(SERVICES) == {*OURS, "redis-data", "redis-broker", "postgres"}


@pytest.mark.parametrize("part", OURS)
def test_every_variable_of_a_part_is_a_setting(part: str):
    assert set(SERVICES[part]["environment"]) - OF_BUCKETS <= VARIABLES


def test_every_variable_that_is_asked_for_is_a_setting():
    asked = set(re.findall(r"\$\{(\w+)", (ROOT / "docker-compose.yml").read_text()))
    assert asked - ONLY_HERE <= VARIABLES


def test_every_setting_that_production_requires_is_required_by_compose():
    required = set(re.findall(r"\$\{(\w+):\?", (ROOT / "docker-compose.yml").read_text()))
    assert required == set(SAMPLE)


def test_the_settings_of_compose_start_production(tmp_path: Path):
    given = {name: _filled(str(value)) for name, value in SERVICES["api"]["environment"].items()}
    settings = load_settings({**given, "TASKAPI_HOME": str(tmp_path)}, None)
    assert settings.production
    assert settings.database_url == f"postgresql+psycopg2://taskapi:{'p7' * 12}@postgres:5432/taskmaster"
    assert settings.redis_url == f"redis://:{'r9' * 12}@redis-data:6379/0"
    assert settings.broker_url == f"redis://:{'r9' * 12}@redis-broker:6379/0"


@pytest.mark.parametrize("name", sorted(SAMPLE))
def test_without_a_required_variable_compose_says_what_to_set(name: str):
    sentences = re.findall(rf"\$\{{{name}:\?([^}}]*)\}}", (ROOT / "docker-compose.yml").read_text())
    assert sentences
    assert all(f"set {name} to" in sentence for sentence in sentences)


def test_the_settings_of_compose_without_its_secrets_are_refused(tmp_path: Path):
    given = {
        name: "" if "${" in str(value) else str(value)
        for name, value in SERVICES["api"]["environment"].items()
    }
    with pytest.raises(SettingsError):
        load_settings({**given, "TASKAPI_HOME": str(tmp_path)}, None)


def test_the_data_redis_loses_nothing_and_evicts_nothing():
    words = shlex.split(SERVICES["redis-data"]["command"][2])
    assert {name: _after(words, f"--{name}") for name in safety.WANTED} == safety.WANTED
    assert _after(words, "--maxmemory") == "${REDIS_MAXMEMORY:-0}"


def test_what_holds_data_has_a_volume_and_a_health_check():
    for name in ("redis-data", "redis-broker", "postgres"):
        volume = SERVICES[name]["volumes"][0].split(":")[0]
        assert volume in COMPOSE["volumes"]
        assert SERVICES[name]["healthcheck"]["test"]


def test_api_and_worker_can_be_scaled():
    for name in ("api", "worker"):
        assert "container_name" not in SERVICES[name]


def test_nothing_starts_before_the_migration_is_through():
    for name in ("api", "worker", "beat"):
        assert SERVICES[name]["depends_on"] == {"migrate": {"condition": "service_completed_successfully"}}
    assert set(SERVICES["migrate"]["depends_on"]) == {"postgres", "redis-data", "redis-broker"}


def test_the_image_does_not_run_as_root():
    user = re.findall(r"^USER (\S+)$", DOCKERFILE, re.MULTILINE)
    assert user
    assert user[-1] not in ("root", "0")


def test_what_the_image_copies_exists():
    copied = [
        line.split()[1]
        for line in DOCKERFILE.splitlines()
        if line.startswith("COPY ") and "--from" not in line
    ]
    allowed = (ROOT / ".dockerignore").read_text().splitlines()
    for path in copied:
        assert (ROOT / path).exists(), path
        assert f"!{path}" in allowed


def test_every_variable_of_the_image_is_a_setting_or_of_its_tools():
    block = re.search(r"^ENV ((?:.*\\\n)*.*)", DOCKERFILE, re.MULTILINE)
    assert block
    names = set(re.findall(r"(\w+)=", block[1]))
    assert names - {"PATH", "PYTHONUNBUFFERED", "FLASK_APP"} <= VARIABLES
    assert set(re.findall(r"\$\{(\w+)", DOCKERFILE)) <= VARIABLES


@pytest.mark.parametrize("command", [SERVICES[name]["command"] for name in ("migrate", "worker", "beat")])
def test_the_commands_of_the_parts_exist(command: list[str]):
    _assert_exists(command)


def test_the_command_of_the_image_exists():
    found = re.search(r"^CMD (\[.*\])$", DOCKERFILE, re.MULTILINE)
    assert found
    _assert_exists(ast.literal_eval(found[1]))


def _assert_exists(command: list[str]) -> None:
    whole = command[2] if command[:2] == ["sh", "-c"] else shlex.join(command)
    for each in whole.split("&&"):
        words = [word for word in shlex.split(each) if word != "exec"]
        assert shutil.which(words[0], path=str(Path(sys.executable).parent)), words[0]
        for word in words[1:]:
            module = word.partition(":")[0]
            if module in ("taskapi", "celery_app"):
                assert (ROOT / module / "__init__.py").exists() or (ROOT / f"{module}.py").exists()


def _filled(text: str) -> str:
    """What docker compose makes of the text, with the sample secrets."""

    def value(found: re.Match[str]) -> str:
        return SAMPLE.get(found[1]) or (found[3] if found[2] == ":-" else "")

    return re.sub(r"\$\{(\w+)(:[-?])([^}]*)\}", value, text)


def _after(words: list[str], name: str) -> str:
    return words[words.index(name) + 1]
