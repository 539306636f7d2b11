"""Programs that may not begin say why, and never with what they were given."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from taskapi.embedded.ports import free_port
from taskapi.embedded.servers import Servers
from tests.conftest import product_environment
from tests.logs.conftest import SETTINGS
from tests.logs.house import PATIENCE_SECONDS, House, commands, opened, started

WRONG = {
    **dict.fromkeys(("OWNER_EMAIL", "WEB_WORKERS", "SYNC_INTERVAL", "RATE_LIMIT_AUTH"), "canary-wrong-Tweet"),
    **dict.fromkeys(
        ("DATABASE_URL", "REDIS_URL", "BROKER_URL"), "canary-wrong-Tweet://:canary-wrong-Tweet@@"
    ),
    "SECRET_KEY": "canary-wrong-Tweet",
    "OWNER_PASSWORD": " canary-wrong-Tweet",
    "TASKAPI_ENV": "production",
}


@pytest.mark.parametrize("part", ["api", "worker", "beat"])
def test_wrong_settings_are_named_and_not_repeated(part: str, tmp_path: Path) -> None:
    program = started(commands(free_port(), tmp_path / "notes")[part], SETTINGS | WRONG, tmp_path / part)
    assert program.wait(PATIENCE_SECONDS) != 0
    said = (tmp_path / part).read_text()
    assert "OWNER_PASSWORD is wrong" in said
    assert "canary" not in said


def test_an_api_that_reads_its_configuration_anew_goes_on_as_before(
    servers: Servers, schema: None, redis_data: object, redis_broker: object, tmp_path: Path
) -> None:
    environment = product_environment(servers) | {"LOG_FORMAT": "json"}
    with opened(environment, free_port(), tmp_path, "api") as house:
        house.parts["api"].send_signal(signal.SIGHUP)
        house.waited_for("api", lambda line: line["event"].startswith("Hang up"))
        _wait_for_boots(house, 2)
    assert [line["event"] for line in house.lines("api")].count("started") == 1
    assert house.lines("api")[-1]["event"] == "stopped"


def _wait_for_boots(house: House, count: int) -> None:
    def is_last(_: object) -> bool:
        return sum(line["event"].startswith("Booting") for line in house.lines("api")) == count

    house.waited_for("api", is_last)
