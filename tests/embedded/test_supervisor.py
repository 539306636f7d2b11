import os
import signal
import socket

import psycopg2
import pytest
from redis import Redis

from taskapi.embedded.servers import running_urls
from tests.embedded.conftest import SECONDS, Roof, wait_for

IN_ORDER = ["run migrate", "run sync", "stop api", "stop beat", "stop worker", "run close"]


@pytest.mark.parametrize("asked", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_stop_ends_the_parts_in_order_and_leaves_nothing(roof: Roof, asked: signal.Signals):
    supervisor = roof.start_and_wait()
    parts = roof.running()
    assert set(parts) == {"redis", "broker", "postgres", "api", "worker", "beat"}

    supervisor.send_signal(asked)

    assert supervisor.wait(SECONDS) == 0
    assert roof.diary() == IN_ORDER
    assert not [name for name, note in parts.items() if note.still_runs()]


def test_the_ready_line_says_how_to_log_in(roof: Roof):
    roof.start_and_wait()
    line = (
        f"taskapi ready  http://127.0.0.1:{roof.port}  docs /docs  owner admin@gmail.com  password admin1234"
    )
    assert line in roof.terminal().splitlines()


def test_a_password_that_was_given_is_never_printed(roof: Roof):
    roof.start_and_wait(OWNER_PASSWORD="a secret of mine", OWNER_EMAIL="me@example.com")
    assert roof.terminal().splitlines()[-1].endswith("owner me@example.com  password from OWNER_PASSWORD")
    assert "a secret of mine" not in roof.terminal()


def test_each_part_speaks_on_the_terminal_and_in_its_log(roof: Roof):
    roof.start_and_wait()
    assert "worker   | worker speaks" in roof.terminal()
    assert "worker speaks" in (roof.home / "logs" / "worker.log").read_text()


def test_a_part_that_dies_is_named_and_stops_all(roof: Roof):
    supervisor = roof.start_and_wait()
    parts = roof.running()

    os.kill(parts["worker"].pid, signal.SIGKILL)

    assert supervisor.wait(SECONDS) == 1
    assert "taskapi: worker ended by itself (SIGKILL). Its last lines, from" in roof.terminal()
    assert not [name for name, note in parts.items() if note.still_runs()]
    assert roof.diary() == ["run migrate", "run sync", "stop api", "stop beat", "run close"]


def test_without_its_server_nobody_records_a_clean_stop(roof: Roof):
    supervisor = roof.start_and_wait()
    os.kill(roof.running()["redis"].pid, signal.SIGKILL)
    assert supervisor.wait(SECONDS) == 1
    assert "taskapi: redis ended by itself (SIGKILL)" in roof.terminal()
    assert "run close" not in roof.diary()


def test_a_step_that_fails_stops_the_start_with_its_reason(roof: Roof):
    said = roof.refuse(ROOF_SYNC="fail")
    assert "taskapi: sync failed (exit code 3)" in said
    assert "  the reason why" in said
    assert roof.diary() == ["run migrate"]
    assert not roof.running()


def test_a_farewell_that_fails_is_shown_and_the_stop_goes_on(roof: Roof):
    supervisor = roof.start_and_wait(ROOF_CLOSE="fail")
    supervisor.terminate()
    assert supervisor.wait(SECONDS) == 0
    assert "taskapi: close failed; the next start checks what is there." in roof.terminal()
    assert not roof.running()


def test_a_part_that_does_not_listen_is_killed(roof: Roof):
    supervisor = roof.start_and_wait(ROOF_BEAT="deaf")
    beat = roof.running()["beat"]
    supervisor.terminate()
    assert supervisor.wait(SECONDS) == 0
    assert not beat.still_runs()
    assert "stop beat" not in roof.diary()


def test_a_stop_in_the_middle_of_the_start_stops_too(roof: Roof):
    supervisor = roof.start(ROOF_MIGRATE="sleep")
    wait_for(lambda: "migrate speaks" in roof.terminal())
    supervisor.terminate()
    assert supervisor.wait(SECONDS) == 0
    assert not roof.running()
    assert "run close" not in roof.diary()


def test_kill_9_takes_all_parts_along_and_the_next_start_has_the_data(roof: Roof):
    supervisor = roof.start_and_wait()
    parts = roof.running()
    urls = running_urls(roof.home)
    Redis.from_url(urls["redis"]).set("kept", "yes")
    _execute(urls["postgres"], "CREATE TABLE kept AS SELECT 7 AS number")

    supervisor.kill()
    wait_for(lambda: not [name for name, note in parts.items() if note.still_runs()])

    roof.start_and_wait()
    urls = running_urls(roof.home)
    assert Redis.from_url(urls["redis"]).get("kept") == b"yes"
    assert _execute(urls["postgres"], "SELECT number FROM kept") == (7,)


def test_the_next_start_ends_what_was_left_running(roof: Roof):
    supervisor = roof.start_and_wait(ROOF_BEAT="deaf")
    beat = roof.running()["beat"]
    supervisor.kill()
    supervisor.wait()
    assert beat.still_runs()

    roof.start_and_wait()

    assert not beat.still_runs()
    assert "taskapi: ended what an earlier start left behind:" in roof.terminal()


def test_a_second_start_on_one_home_is_one_sentence(roof: Roof):
    supervisor = roof.start_and_wait()
    said = roof.refuse()
    assert said == f"it already runs on {roof.home}: `make stop` ends it.\n"
    assert supervisor.poll() is None


def test_a_busy_port_is_one_sentence(roof: Roof):
    with socket.create_server(("127.0.0.1", roof.port)):
        said = roof.refuse()
    assert said == f"Port {roof.port} is busy: stop what listens there, or set SERVER_PORT to another port.\n"
    assert not roof.diary()


def test_servers_that_were_given_are_used_and_not_started(roof: Roof):
    given = {
        "REDIS_URL": "redis://h:1/0",
        "BROKER_URL": "redis://h:2/0",
        "DATABASE_URL": "postgresql://u@h/d",
    }
    roof.start_and_wait(**given)
    assert set(roof.running()) == {"api", "worker", "beat"}


def _execute(url: str, statement: str) -> tuple[object, ...] | None:
    connection = psycopg2.connect(url.replace("+psycopg2", ""))
    with connection, connection.cursor() as cursor:
        cursor.execute(statement)
        row = cursor.fetchone() if cursor.description else None
    connection.close()
    return row
