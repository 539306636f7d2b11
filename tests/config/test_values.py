"""How each value is read: its type, its default, and what is refused."""

import os
from dataclasses import FrozenInstanceError
from datetime import time
from pathlib import Path

import pytest

from taskapi.config import PROJECT_ROOT, Settings, SettingsError, load, load_settings

DEVELOPMENT = {"TASKAPI_ENV": "development", "SECRET_KEY": "for-tests"}


def development(**given: str) -> Settings:
    return load_settings(DEVELOPMENT | given, None)


def refusal(**given: str) -> str:
    with pytest.raises(SettingsError) as refused:
        development(**given)
    return str(refused.value)


def test_development_needs_nothing_and_leaves_the_stores_to_be_embedded(tmp_path: Path) -> None:
    settings = load_settings({"TASKAPI_ENV": "development", "TASKAPI_HOME": str(tmp_path)}, None)
    assert not settings.production
    assert (settings.owner_password, settings.owner_email) == ("admin1234", "admin@gmail.com")
    assert (settings.database_url, settings.redis_url, settings.broker_url) == (None, None, None)
    assert (settings.server_host, settings.server_port, settings.log_format) == ("127.0.0.1", 7890, "text")


def test_settings_are_frozen_and_take_no_other_attribute() -> None:
    settings = development()
    with pytest.raises(FrozenInstanceError):
        settings.server_port = 1  # type: ignore[misc]
    assert not hasattr(settings, "__dict__")


@pytest.mark.parametrize(
    ("written", "seconds", "in_go_words"),
    [
        ("15m0s", 900.0, "15m0s"),
        ("1h", 3600.0, "1h0m0s"),
        ("90s", 90.0, "1m30s"),
        ("1h2m3s", 3723.0, "1h2m3s"),
        ("900", 900.0, "15m0s"),
        ("1.5", 1.5, "1.5s"),
        (" 10s ", 10.0, "10s"),
        ("168h", 604800.0, "168h0m0s"),
    ],
)
def test_an_interval_is_read_as_go_writes_it_or_as_seconds(
    written: str, seconds: float, in_go_words: str
) -> None:
    settings = development(SYNC_INTERVAL=written)
    assert (settings.sync_interval, settings.sync_interval_text) == (seconds, in_go_words)
    assert development(SYNC_INTERVAL=in_go_words).sync_interval == seconds


@pytest.mark.parametrize(
    "written", ["soon", "0", "0s", "-5m", "5m1h", "169h", "m", "1e3", "9999999999999h", "٣s"]
)
def test_an_interval_that_is_none_is_refused(written: str) -> None:
    assert refusal(SYNC_INTERVAL=written).startswith(
        "SYNC_INTERVAL is wrong: write a duration from 1s to 168h"
    )


def test_the_port_is_server_port_else_port_else_7890() -> None:
    assert development(SERVER_PORT="8001", PORT="8002").server_port == 8001
    assert development(PORT="8002").server_port == 8002
    assert development().server_port == 7890


def test_a_wrong_port_is_told_by_the_name_it_was_given_under() -> None:
    assert refusal(PORT="eighty") == "PORT is wrong: write a port from 1 to 65535."
    assert refusal(SERVER_PORT="0", PORT="80") == "SERVER_PORT is wrong: write a port from 1 to 65535."


@pytest.mark.parametrize("written", ["0", "257", "-1", "1_0", "2.0", "٣", "9" * 400])
def test_a_number_out_of_its_range_is_refused(written: str) -> None:
    assert refusal(WEB_WORKERS=written) == "WEB_WORKERS is wrong: write a whole number from 1 to 256."


@pytest.mark.parametrize(
    ("name", "word"),
    [
        ("TASKAPI_ENV", "staging"),
        ("ALGORITHM", "none"),
        ("ALGORITHM", "RS256"),
        ("SERVER", "uwsgi"),
        ("DURABILITY", "memory"),
        ("REGISTRATION", "invite"),
        ("LOG_FORMAT", "xml"),
        ("LOG_LEVEL", "LOUD"),
        ("DB_SSLMODE", "maybe"),
        ("OWNER_EMAIL", "the owner"),
        ("OWNER_PASSWORD", "short"),
        ("OWNER_PASSWORD", "x" * 257),
        ("OWNER_PASSWORD", " begins with a space"),
        ("METRICS_TOKEN", "ends with a space "),
        ("SERVER_HOST", "local host"),
        ("TASKAPI_HOME", "~/tasks"),
        ("BACKUP_AT", "3:00"),
        ("BACKUP_AT", "24:00"),
        ("BACKUP_URL", "backups"),
        ("BACKUP_URL", "s3://"),
        ("UPLOAD_URL", "ftp://host/folder"),
        ("UPLOAD_URL", "file://host/folder"),
        ("CORS_ORIGINS", "https://app.example.com/path"),
        ("CORS_ORIGINS", "app.example.com"),
        ("CORS_ORIGINS", "https://user@app.example.com"),
        ("EXTERNAL_JOKE_URL", "ftp://jokes.example.com"),
        ("SMTP_URL", "mail.example.com"),
        ("SMTP_URL", "smtp://"),
        ("SMTP_URL", "smtp://[half"),
    ],
)
def test_a_value_that_is_not_one_of_its_kind_is_refused_by_name(name: str, word: str) -> None:
    database = {"DB_HOST": "localhost", "DB_USER": "me"} if name == "DB_SSLMODE" else {}
    assert refusal(**database, **{name: word}).startswith(f"{name} is wrong: write ")


@pytest.mark.parametrize("unprintable", ["\x00", "\udcff", "\n"])
def test_bytes_that_are_no_text_are_refused_wherever_they_are(unprintable: str) -> None:
    for name in ("SECRET_KEY", "TASKAPI_HOME", "METRICS_TOKEN", "BACKUP_URL"):
        assert refusal(**{name: f"/some{unprintable}thing"}).startswith(f"{name} is wrong: write ")
    database = {"DB_HOST": "h", "DB_USER": "u", "POSTGRES_PASSWORD": f"a{unprintable}b"}
    assert refusal(**database).startswith("POSTGRES_PASSWORD is wrong: write ")


def test_words_are_read_in_any_case() -> None:
    settings = development(LOG_LEVEL="debug", ALGORITHM="hs256", SERVER="Granian", TASKAPI_ENV="DEVELOPMENT")
    assert (settings.log_level, settings.algorithm, settings.server) == ("DEBUG", "HS256", "granian")


def test_origins_are_parted_by_commas_and_a_star_is_one() -> None:
    assert development().cors_origins == ()
    both = development(CORS_ORIGINS="https://a.example.com, http://localhost:3000,")
    assert both.cors_origins == ("https://a.example.com", "http://localhost:3000")
    assert development(CORS_ORIGINS="*").cors_origins == ("*",)


def test_the_rest_has_its_type() -> None:
    settings = development(BACKUP_AT="23:59", SMTP_URL="smtps://u:p@mail.example.com:465", SERVER_HOST="::1")
    assert settings.backup_at == time(23, 59)
    assert settings.smtp_url == "smtps://u:p@mail.example.com:465"
    assert settings.server_host == "::1"
    assert development(EXTERNAL_JOKE_URL="http://localhost:9/j").external_joke_url == "http://localhost:9/j"


def test_the_home_is_relative_to_the_project_and_holds_backups_and_uploads(tmp_path: Path) -> None:
    assert development(TASKAPI_HOME="here/../there").taskapi_home == PROJECT_ROOT / "there"
    settings = development(TASKAPI_HOME=str(tmp_path))
    assert settings.taskapi_home == tmp_path
    assert settings.backup_url == f"file://{tmp_path}/backups"
    assert settings.upload_url == f"file://{tmp_path}/uploads"


def test_storage_is_a_folder_or_a_bucket() -> None:
    settings = development(BACKUP_URL="/var/my backups", UPLOAD_URL="s3://bucket/prefix")
    assert (settings.backup_url, settings.upload_url) == ("file:///var/my%20backups", "s3://bucket/prefix")
    assert development(BACKUP_URL="file:///var/b").backup_url == "file:///var/b"


def test_root_below_a_private_folder_keeps_its_home_where_nobody_may_pass(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = tmp_path / "project"
    project.mkdir()
    tmp_path.chmod(0o700)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert load.default_home(project).parent == Path("/var/lib")
    assert load.default_home(project) != load.default_home(tmp_path)
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert load.default_home(project) == project / ".taskapi"


def test_root_below_open_folders_keeps_its_home_in_the_project(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert load.default_home(Path("/usr")) == Path("/usr/.taskapi")


def test_the_home_is_the_default_one_unless_given() -> None:
    assert development().taskapi_home == load.default_home(PROJECT_ROOT)


def test_limits_are_in_flask_limiters_notation_and_an_empty_one_is_off() -> None:
    settings = development(
        RATE_LIMIT_ANONYMOUS="1000/hour;20 per minute", RATE_LIMIT_CHECK="", RATE_LIMIT_DEFAULT=" "
    )
    assert settings.rate_limit_anonymous == "1000/hour;20 per minute"
    assert (settings.rate_limit_check, settings.rate_limit_default) == (None, None)
    assert (settings.rate_limit_auth, settings.rate_limit_by_date) == ("5 per minute", "5 per minute")


@pytest.mark.parametrize("written", ["often", "5", "0 per minute", "5 per fortnight", "-5/minute"])
def test_a_limit_in_another_notation_is_refused(written: str) -> None:
    assert refusal(RATE_LIMIT_AUTH=written).startswith("RATE_LIMIT_AUTH is wrong: write a limit such as")


def test_the_limit_of_a_caller_is_a_single_one() -> None:
    assert development(RATE_LIMIT_DEFAULT="7/second").rate_limit_default == "7/second"
    assert refusal(RATE_LIMIT_DEFAULT="7/second;100/minute").startswith("RATE_LIMIT_DEFAULT is wrong")


def test_rate_limit_and_rate_period_are_read_as_the_limit_on_logins() -> None:
    assert development(RATE_LIMIT="9", RATE_PERIOD="30").rate_limit_auth == "9 per 30 second"
    assert development(RATE_LIMIT="9").rate_limit_auth == "9 per 60 second"
    assert development(RATE_PERIOD="30").rate_limit_auth == "5 per 30 second"
    assert development(RATE_LIMIT="9", RATE_LIMIT_AUTH="1/hour").rate_limit_auth == "1/hour"
    assert refusal(RATE_LIMIT="nine") == "RATE_LIMIT is wrong: write a whole number from 1 to 1000000."


def test_a_limit_that_does_not_exist_is_refused_even_when_empty() -> None:
    assert "RATE_LIMIT_LOGIN is no setting: write one of RATE_LIMIT_ANONYMOUS" in refusal(RATE_LIMIT_LOGIN="")
