"""What production refuses."""

import re

import pytest

from taskapi.config import PROJECT_ROOT, Settings, SettingsError, load_settings
from taskapi.config.settings import LINES

COMPLETE = {
    "OWNER_PASSWORD": "tulip-ladder-42",
    "OWNER_EMAIL": "owner@example.org",
    "SECRET_KEY": "Zf8sLk2pQ9vXw4Tn7Yb3Hc6Jd1Rm5Ga0",
    "DATABASE_URL": "postgresql://u:Vb7kq2@db/tasks",
    "REDIS_URL": "redis://:Vb7kq2@redis:6379/0",
    "BROKER_URL": "redis://:Vb7kq2@broker:6379/0",
}
SAMPLES = [
    "4MRzVM8PWPDNACAUBm+IKR5WEDQB2jXzuLNWeW48tkE=",
    "EKQH9jQX7gAfV7pLwVmsbLbF3XfY6n4S",
    "admin1234",
    "Admin12345678",
    "postgres",
    "changeme",
    "CHANGE_ME_before_you_go_live_please_now",
    "please-change-this-key-to-something-random",
    "your_secure_password",
    "<your-jwt-secret-key>",
    "replace me with thirty-two random bytes",
    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
]


def production(**given: str) -> Settings:
    return load_settings({name: value for name, value in (COMPLETE | given).items() if value}, None)


def refusal(**given: str) -> str:
    with pytest.raises(SettingsError) as refused:
        production(**given)
    return str(refused.value)


def test_production_is_the_default_and_listens_everywhere() -> None:
    settings = production()
    assert settings.production
    assert (settings.server_host, settings.log_format) == ("0.0.0.0", "json")


def test_production_makes_no_files() -> None:
    assert not production(TASKAPI_HOME="/nowhere/home").taskapi_home.exists()


@pytest.mark.parametrize("name", COMPLETE)
def test_each_required_variable_is_missed_by_name(name: str) -> None:
    assert refusal(**{name: ""}).startswith(f"{name} is missing: write ")
    assert "\n" not in refusal(**{name: ""})


def test_an_empty_environment_is_told_all_that_it_lacks() -> None:
    with pytest.raises(SettingsError) as refused:
        load_settings({}, None)
    assert [problem.split()[0] for problem in refused.value.problems] == list(COMPLETE)


def test_the_stores_may_be_given_in_parts() -> None:
    settings = production(
        DATABASE_URL="",
        REDIS_URL="",
        DB_HOST="db",
        DB_USER="u",
        POSTGRES_PASSWORD="Vb7kq2",
        REDIS_HOST="cache",
    )
    assert settings.database_url == "postgresql+psycopg2://u:Vb7kq2@db:5433/taskmaster"
    assert settings.redis_url == "redis://cache:6380/0"


def test_parts_of_a_database_are_complete_with_user_and_password_only() -> None:
    said = refusal(DATABASE_URL="", DB_HOST="db")
    assert [line.split()[0] for line in said.splitlines()] == ["DB_USER", "POSTGRES_PASSWORD"]


def test_short_secrets_are_refused_in_bytes_not_characters() -> None:
    assert refusal(OWNER_PASSWORD="eleven-char").startswith(
        "OWNER_PASSWORD is too short for production: write 12"
    )
    assert production(OWNER_PASSWORD="twelve-chars").owner_password == "twelve-chars"
    assert refusal(SECRET_KEY="k" * 31).startswith("SECRET_KEY is too short for production: write 32 bytes")
    assert refusal(JWT_SECRET_KEY="k" * 31).startswith("JWT_SECRET_KEY is too short for production")
    assert production(SECRET_KEY="é" * 16).secret_key == "é" * 16


def test_development_takes_short_secrets() -> None:
    settings = load_settings({"TASKAPI_ENV": "development", "SECRET_KEY": "k", "JWT_SECRET_KEY": "j"}, None)
    assert (settings.secret_key, settings.jwt_secret_key) == ("k", "j")


@pytest.mark.parametrize("sample", SAMPLES)
@pytest.mark.parametrize("name", ["OWNER_PASSWORD", "SECRET_KEY", "JWT_SECRET_KEY", "METRICS_TOKEN"])
def test_a_published_secret_is_refused(name: str, sample: str) -> None:
    said = refusal(**{name: sample})
    assert f"{name} holds a published secret: write a random one" in said
    assert sample not in said


@pytest.mark.parametrize(
    ("name", "url"),
    [
        ("DATABASE_URL", "postgresql://u:change%2Dme@db/tasks"),
        ("DATABASE_URL", "postgresql:///tasks?host=db&password=postgres"),
        ("REDIS_URL", "redis://:redis@h"),
        ("BROKER_URL", "sentinel://:Vb7kq2@a:1;sentinel://:changeme@b:1"),
        ("SMTP_URL", "smtp://me:password@mail.example.org"),
    ],
)
def test_a_published_password_inside_an_address_is_refused(name: str, url: str) -> None:
    assert refusal(**{name: url}).startswith(f"{name} holds a published secret")


def test_a_published_password_in_parts_is_told_by_the_name_of_its_part() -> None:
    parts = {"DATABASE_URL": "", "DB_HOST": "db", "DB_USER": "u", "REDIS_URL": "", "REDIS_HOST": "h"}
    said = refusal(**parts, POSTGRES_PASSWORD="EKQH9jQX7gAfV7pLwVmsbLbF3XfY6n4S", REDIS_PASSWORD="change me")
    assert [line.split()[0] for line in said.splitlines()] == ["POSTGRES_PASSWORD", "REDIS_PASSWORD"]


def test_words_that_only_look_like_placeholders_pass() -> None:
    for password in ("exchange-item-77", "interchange methods", "yourself-and-me", "unreplaced-mention"):
        assert production(OWNER_PASSWORD=password).owner_password == password


def test_every_secret_of_the_example_file_is_refused() -> None:
    lines = re.findall(r"^#?([A-Z_]+)=(.+)$", (PROJECT_ROOT / ".env.example").read_text(), re.MULTILINE)
    values = {name: value for name, value in lines if "PASSWORD" in value.upper() or "change-me" in value}
    assert {"OWNER_PASSWORD", "SECRET_KEY", "JWT_SECRET_KEY", "METRICS_TOKEN", "SMTP_URL"} < values.keys()
    hidden = {name.upper() for name, line in LINES.items() if line.secret}
    assert hidden <= values.keys()
    for name, value in values.items():
        first = {"POSTGRES_PASSWORD": "DATABASE_URL", "REDIS_PASSWORD": "REDIS_URL"}.get(name)
        parts = {first: "", "DB_HOST": "h", "DB_USER": "u", "REDIS_HOST": "h"} if first else {}
        assert f"{name} holds a published secret" in refusal(**parts, **{name: value})


def test_redis_behind_sentinel_needs_durability_of_postgres() -> None:
    sentinel = "redis+sentinel://a:1,b:2/tasks/0"
    assert refusal(REDIS_URL=sentinel) == (
        "DURABILITY is wrong: write postgres, because Redis behind Sentinel fails over."
    )
    assert production(REDIS_URL=sentinel, DURABILITY="postgres").durability == "postgres"


def test_a_value_refused_already_is_told_once() -> None:
    wrong = {
        "OWNER_PASSWORD": "short",
        "REDIS_URL": "http://[",
        "DATABASE_URL": "postgresql://[",
        "OWNER_EMAIL": "me",
    }
    said = refusal(**wrong).splitlines()
    assert sorted(line.split()[0] for line in said) == sorted(wrong)
