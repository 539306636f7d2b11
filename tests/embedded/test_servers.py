import os
import socket
from pathlib import Path
from urllib.parse import urlsplit

import psycopg2
import pytest
from redis import Redis

from taskapi.embedded import servers as embedded
from taskapi.embedded.accounts import server_account
from taskapi.embedded.refusals import StartRefused
from taskapi.embedded.servers import Servers
from taskapi.embedded.valkey import answers
from tests.conftest import plain_url


def test_the_data_redis_fsyncs_each_write_and_evicts_nothing(redis_data: Redis):
    asked = redis_data.config_get("append*", "maxmemory*", "save")
    assert asked["appendonly"] == "yes"
    assert asked["appendfsync"] == "always"
    assert redis_data.config_get("no-appendfsync-on-rewrite")["no-appendfsync-on-rewrite"] == "no"
    assert asked["maxmemory-policy"] == "noeviction"
    assert asked["maxmemory"] == "0"


def test_the_broker_keeps_nothing_on_the_disk(redis_broker: Redis):
    assert redis_broker.config_get("appendonly")["appendonly"] == "no"
    assert redis_broker.config_get("save")["save"] == ""


def test_nobody_reads_redis_without_its_password(servers: Servers):
    address = urlsplit(servers.urls["redis"])
    assert address.port
    assert not answers(address.port, "a guess")
    assert answers(address.port, str(address.password))


@pytest.mark.parametrize("user", ["taskapi", "postgres"])
def test_nobody_enters_postgresql_without_a_password(servers: Servers, user: str):
    address = plain_url(servers).rpartition("@")[2]
    with pytest.raises(psycopg2.OperationalError):
        psycopg2.connect(f"postgresql://{user}@{address}")


def test_the_product_is_no_superuser_and_owns_its_database(servers: Servers):
    row = _ask(
        plain_url(servers), "SELECT rolsuper, current_database() FROM pg_roles WHERE rolname = current_user"
    )
    assert row == (False, "taskmaster")


def test_words_of_any_language_are_lowered(servers: Servers):
    assert _ask(plain_url(servers), "SELECT lower('ÄÖÑЖ')") == ("äöñж",)


def test_a_server_never_runs_as_root(servers: Servers):
    account = server_account()
    expected = account.uid if account else os.geteuid()
    for pid in servers.pids.values():
        assert Path(f"/proc/{pid}").stat().st_uid == expected


def test_servers_do_not_inherit_the_secrets_of_their_starter(home: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("OWNER_PASSWORD", "a secret of mine")
    running = embedded.start(home, embedded.free_ports(), wanted=("redis",))
    environment = Path(f"/proc/{running.pids['redis']}/environ").read_bytes()
    running.stop()
    assert b"a secret of mine" not in environment


def test_data_outlives_a_stop_and_a_kill(home: Path):
    running = embedded.start(home, embedded.free_ports())
    with Redis.from_url(running.urls["redis"]) as client:
        client.set("kept", "yes")
    _do(plain_url(running), "CREATE TABLE kept (number int)")
    running.kill("redis")
    running.kill("postgres")
    running.start("redis")
    running.start("postgres")
    _do(plain_url(running), "INSERT INTO kept VALUES (7)")
    running.stop()

    again = embedded.start(home, embedded.free_ports())
    with Redis.from_url(again.urls["redis"]) as client:
        assert client.get("kept") == b"yes"
    assert _ask(plain_url(again), "SELECT number FROM kept") == (7,)
    again.stop()


def test_only_the_wanted_servers_start(home: Path):
    running = embedded.start(home, embedded.free_ports(), wanted=("broker",))
    assert set(running.pids) == {"broker"}
    assert (running.data_url, running.database_url) == (None, None)
    assert running.broker_url == embedded.running_urls(home)["broker"]
    running.stop()


def test_a_cluster_that_was_cut_off_is_made_again(home: Path):
    half = home / "postgres" / "18.new"
    half.mkdir(parents=True)
    (half / "PG_VERSION").write_text("18")
    running = embedded.start(home, embedded.free_ports(), durable=False, wanted=("postgres",))
    assert _ask(plain_url(running), "SELECT 1") == (1,)
    running.stop()


def test_a_cluster_that_cannot_be_made_says_why(home: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("taskapi.embedded.postgres.USER", "no such; syntax")
    with pytest.raises(StartRefused, match=r"PostgreSQL could not make its data folder: .*syntax error"):
        embedded.start(home, embedded.free_ports(), durable=False, wanted=("postgres",))
    assert not (home / "postgres" / "18").exists()


def test_a_server_that_does_not_start_says_its_last_words_and_stops_the_others(home: Path):
    ports = embedded.free_ports()
    said = pytest.raises(StartRefused, match=r"The embedded broker did not start .*Address already in use")
    with socket.create_server(("127.0.0.1", ports.broker)), said:
        embedded.start(home, ports, wanted=("redis", "broker"))
    assert embedded.stop(home) == []


def test_a_home_in_use_is_not_deleted(servers: Servers):
    with pytest.raises(StartRefused, match="already runs"):
        embedded.delete(servers.home.path)
    assert servers.home.path.exists()


def test_a_killed_server_is_back_for_the_next_test(servers: Servers, request: pytest.FixtureRequest):
    servers.kill("broker")
    assert request.getfixturevalue("redis_broker").ping()


def _ask(url: str, statement: str) -> object:
    connection = psycopg2.connect(url)
    with connection, connection.cursor() as cursor:
        cursor.execute(statement)
        row = cursor.fetchone()
    connection.close()
    return row


def _do(url: str, statement: str) -> None:
    _ask(url, f"WITH nothing AS (SELECT 1) SELECT 1; {statement}; SELECT 1")
