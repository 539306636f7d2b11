"""Addresses of the stores: one URL, or parts that are joined as the drivers read them."""

import pytest
from redis import ConnectionPool
from sqlalchemy import make_url

from taskapi.config import Settings, SettingsError, load_settings

DEVELOPMENT = {"TASKAPI_ENV": "development", "SECRET_KEY": "for-tests"}
NASTY = "p@ss:w/rd?#%20 &é[]"


def development(**given: str) -> Settings:
    return load_settings(DEVELOPMENT | given, None)


def refusal(**given: str) -> str:
    with pytest.raises(SettingsError) as refused:
        development(**given)
    return str(refused.value)


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg2", "POSTGRES"])
def test_every_spelling_of_postgresql_becomes_sqlalchemys(scheme: str) -> None:
    url = development(DATABASE_URL=f"{scheme}://u:p%40w@host:5432/tasks?sslmode=require").database_url
    assert url == "postgresql+psycopg2://u:p%40w@host:5432/tasks?sslmode=require"


def test_a_database_may_be_reached_by_socket() -> None:
    url = development(DATABASE_URL="postgresql:///tasks?host=/run/pg").database_url
    assert url == "postgresql+psycopg2:///tasks?host=/run/pg"
    assert make_url(url).query["host"] == "/run/pg"


@pytest.mark.parametrize(
    "url",
    [
        "mysql://u:p@host/tasks",
        "postgresql+asyncpg://u:p@host/tasks",
        "postgresql://u:p@host",
        "postgresql://u:p@host:port/tasks",
        "postgresql://u:p@host:0/tasks",
        "postgresql:/tasks",
        "postgresql://u:12/x@host/tasks",
        "postgresql://u:12#x@host/tasks",
        "postgresql://u:12?x@host/tasks",
        "postgresql://u:p@w@host/tasks",
        "postgresql://[half/tasks",
        "localhost",
    ],
)
def test_an_address_that_would_reach_another_database_is_refused(url: str) -> None:
    said = refusal(DATABASE_URL=url)
    assert said.startswith("DATABASE_URL is wrong: write postgresql://USER:PASSWORD@HOST:PORT/DATABASE")
    assert url not in said


def test_parts_are_joined_so_that_the_driver_reads_them_unchanged() -> None:
    parts = {
        "DB_HOST": "db",
        "DB_USER": "a/b",
        "POSTGRES_PASSWORD": NASTY,
        "DB_NAME": "my tasks",
        "DB_SSLMODE": "require",
    }
    url = make_url(development(**parts).database_url or "")
    assert (url.host, url.port, url.username, url.password) == ("db", 5433, "a/b", NASTY)
    assert url.query["sslmode"] == "require"
    assert url.drivername == "postgresql+psycopg2"
    assert (
        development(DB_HOST="::1", DB_USER="u").database_url
        == "postgresql+psycopg2://u@[::1]:5433/taskmaster"
    )


def test_the_host_may_be_the_folder_of_a_socket() -> None:
    url = make_url(development(DB_HOST="/run/pg", DB_USER="u", DB_PORT="5432").database_url or "")
    assert (url.host, url.database) == (None, "taskmaster")
    assert dict(url.query) == {"host": "/run/pg", "port": "5432"}


def test_the_url_wins_over_parts_even_wrong_ones() -> None:
    settings = development(
        DATABASE_URL="postgres://h/d", DB_HOST="no host", DB_PORT="x", REDIS_URL="redis://h", REDIS_HOST="a b"
    )
    assert (settings.database_url, settings.redis_url) == ("postgresql+psycopg2://h/d", "redis://h")


def test_parts_of_a_database_without_its_host_or_user_are_refused() -> None:
    said = refusal(DB_NAME="d", DB_USER="u")
    assert said.startswith("DB_HOST is missing: write the host of PostgreSQL")
    assert said.endswith("because DB_NAME is set.")
    assert refusal(DB_HOST="h") == (
        "DB_USER is missing: write the name that logs in to PostgreSQL, because DB_HOST is set."
    )


def test_passwords_alone_leave_the_stores_to_be_embedded() -> None:
    settings = development(POSTGRES_PASSWORD="p", REDIS_PASSWORD="p")
    assert (settings.database_url, settings.redis_url) == (None, None)


@pytest.mark.parametrize("host", ["a b", "localhost:5432", "u@h", "h/d", "a[b"])
def test_a_host_that_is_none_is_refused_under_its_own_name(host: str) -> None:
    assert refusal(DB_HOST=host, DB_USER="u").startswith("DB_HOST is wrong: write the host of PostgreSQL")
    assert refusal(REDIS_HOST=host) == "REDIS_HOST is wrong: write the host of Redis."


def test_redis_parts_are_joined_so_that_the_client_reads_them_unchanged() -> None:
    read = ConnectionPool.from_url(
        development(REDIS_HOST="cache", REDIS_PASSWORD=NASTY).redis_url or ""
    ).connection_kwargs
    assert (read["host"], read["port"], read["password"], read["db"]) == ("cache", 6380, NASTY, 0)
    assert development(REDIS_HOST="h", REDIS_PORT="1").redis_url == "redis://h:1/0"
    assert refusal(REDIS_HOST="h", REDIS_PORT="x") == "REDIS_PORT is wrong: write a port from 1 to 65535."
    assert (
        refusal(REDIS_PORT="1")
        == "REDIS_HOST is missing: write the host of Redis, because REDIS_PORT is set."
    )


@pytest.mark.parametrize(
    "url",
    [
        "redis://localhost",
        "rediss://:p%2Fw@host:6380/1?ssl_cert_reqs=required",
        "unix:///run/redis.sock?db=1",
        "redis+socket:///run/redis.sock",
        "redis+sentinel://:pw@a:26379,b:26379/tasks/0",
        "sentinel://:pw@a:26379;sentinel://:pw@b:26379",
    ],
)
def test_every_way_to_redis_passes_through(url: str) -> None:
    settings = development(REDIS_URL=url, BROKER_URL=url)
    assert (settings.redis_url, settings.broker_url) == (url, url)


@pytest.mark.parametrize(
    "url",
    [
        "http://host",
        "redis://",
        "redis://host:port",
        "redis://:12/x@host",
        "redis://:12?x@host",
        "redis+sentinel://:p/w@a:1,b:2/tasks",
        "sentinel://a:1;redis://b:2",
        "sentinel://",
        "redis+sentinel://[half",
    ],
)
def test_an_address_of_another_kind_or_with_a_bare_password_is_refused(url: str) -> None:
    assert refusal(REDIS_URL=url).startswith("REDIS_URL is wrong: write redis://:PASSWORD@HOST:PORT/0")
    assert refusal(BROKER_URL=url).startswith("BROKER_URL is wrong: write redis://")
