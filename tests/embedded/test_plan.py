import os
import socket
from pathlib import Path

import pytest

from taskapi.config import Settings, load_settings
from taskapi.embedded import plan as plans
from taskapi.embedded.home import Home
from taskapi.embedded.launch import choose_ports, main
from taskapi.embedded.plan import can_prefork, is_healthy, pool_options, product_plan, visible_host
from taskapi.embedded.ports import free_port, is_free, require_free
from taskapi.embedded.refusals import StartRefused
from taskapi.embedded.schema import newest_revision
from taskapi.embedded.servers import Servers

URLS = {"redis": "redis://r", "broker": "redis://b", "postgres": "postgresql+psycopg2://u:p@127.0.0.1:1/d"}


def _settings(tmp_path: Path, **given: str) -> Settings:
    return load_settings({"TASKAPI_ENV": "development", "TASKAPI_HOME": str(tmp_path), **given}, None)


def _commands(tmp_path: Path, **given: str) -> dict[str, str]:
    made = product_plan(_settings(tmp_path, **given), Home(tmp_path, None), URLS)
    return {each.name: " ".join(each.command[2:]) for each in (*made.before, *made.parts, *made.after)}


def test_the_schema_comes_before_the_records_and_both_before_the_parts(tmp_path: Path):
    commands = _commands(tmp_path)
    assert list(commands) == ["migrate", "sync", "worker", "beat", "api", "close"]
    assert commands["migrate"] == "flask --app taskapi:create_app db upgrade"
    assert commands["close"] == "flask --app taskapi:create_app close"


def test_a_database_with_every_table_is_not_migrated(tmp_path: Path, servers: Servers, database_url: str):
    urls = {**URLS, "postgres": database_url}
    made = product_plan(_settings(tmp_path), Home(tmp_path, servers.home.account), urls)
    assert [each.name for each in made.before] == ["sync"]


def test_the_newest_migration_is_the_one_that_none_follows(tmp_path: Path):
    assert newest_revision(tmp_path) is None
    (tmp_path / "1.py").write_text('revision = "0001"\ndown_revision = None\n')
    (tmp_path / "2.py").write_text('revision: str = "0002"\ndown_revision: str | None = "0001"\n')
    assert newest_revision(tmp_path) == "0002"
    (tmp_path / "3.py").write_text("revision = '0003'\ndown_revision = '0001'\n")
    assert newest_revision(tmp_path) is None


def test_the_api_is_sized_and_placed_by_the_settings(tmp_path: Path):
    api = _commands(tmp_path, WEB_WORKERS="3", WEB_THREADS="5", SERVER_PORT="7001")["api"]
    assert "--workers 3 --threads 5 --bind 127.0.0.1:7001" in api
    assert "--bind [::1]:7001" in _commands(tmp_path, SERVER_HOST="::1", SERVER_PORT="7001")["api"]


def test_the_parts_find_the_embedded_addresses_and_never_default_to_production(tmp_path: Path):
    worker = product_plan(_settings(tmp_path), Home(tmp_path, None), URLS).parts[0]
    expected = {
        "TASKAPI_ENV": "development",
        "TASKAPI_HOME": str(tmp_path),
        "REDIS_URL": "redis://r",
        "BROKER_URL": "redis://b",
        "DATABASE_URL": URLS["postgres"],
    }
    assert {name: worker.environment[name] for name in expected} == expected


def test_without_shared_semaphores_the_worker_uses_threads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def refuse() -> None:
        raise PermissionError

    assert can_prefork()
    assert pool_options(True)[-1] == "prefork"
    monkeypatch.setattr(plans.multiprocessing, "Semaphore", refuse)
    assert _commands(tmp_path)["worker"].endswith("--pool threads")


def test_a_host_that_means_every_address_is_called_on_the_loopback():
    assert visible_host("0.0.0.0") == "127.0.0.1"
    assert visible_host("127.0.0.2") == "127.0.0.2"


def test_nobody_answering_is_not_healthy():
    assert not is_healthy("127.0.0.1", free_port())


def test_a_busy_usual_port_gives_way_to_the_next_free_one():
    usual = choose_ports(set())
    held = [socket.create_server(("127.0.0.1", port)) for port in usual]
    others = choose_ports(set())
    for each in held:
        each.close()
    assert not set(usual) & set(others)
    assert len(set(others)) == 3


def test_the_port_of_the_api_is_left_to_it():
    assert 6380 not in choose_ports({6380})


def test_a_busy_port_names_the_variable_to_set():
    with socket.create_server(("127.0.0.1", 0)) as held:
        port = held.getsockname()[1]
        assert not is_free(port)
        with pytest.raises(StartRefused, match=f"Port {port} is busy: .* set SERVER_PORT"):
            require_free(port, "SERVER_PORT")


def test_an_address_of_another_machine_is_refused_in_one_sentence():
    with pytest.raises(StartRefused, match=r"SERVER_HOST .* is not an address of this machine"):
        require_free(7890, "SERVER_PORT", "no.such.host.invalid")


def test_a_wrong_setting_ends_the_start_with_its_sentence(capsys: pytest.CaptureFixture[str]):
    assert main({"SERVER_PORT": "many"}, Path(os.devnull)) == 1
    assert "SERVER_PORT is wrong" in capsys.readouterr().out
