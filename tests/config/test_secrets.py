"""Secrets: never shown; derived; and the one that development keeps."""

import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from taskapi.config import PROJECT_ROOT, SettingsError, load_settings

SECRET = "Zf8sLk2pQ9vXw4Tn7Yb3Hc6Jd1Rm5Ga0"
GIVEN = {
    "OWNER_PASSWORD": SECRET,
    "OWNER_EMAIL": "owner@example.org",
    "SECRET_KEY": SECRET,
    "JWT_SECRET_KEY": SECRET,
    "METRICS_TOKEN": SECRET,
    "DATABASE_URL": f"postgresql://u:{SECRET}@db/tasks?sslpassword={SECRET}",
    "REDIS_URL": f"redis://:{SECRET}@redis/0?password={SECRET}",
    "BROKER_URL": f"sentinel://:{SECRET}@a:1;sentinel://:{SECRET}@b:2",
    "BACKUP_URL": f"s3://{SECRET}@bucket/prefix?secret_access_key={SECRET}",
    "EXTERNAL_JOKE_URL": f"https://jokes.example.org/one?key={SECRET}",
    "SMTP_URL": f"smtp://me:{SECRET}@mail.example.org",
}


def development(home: Path) -> str:
    return load_settings({"TASKAPI_ENV": "development", "TASKAPI_HOME": str(home)}, None).secret_key


def test_settings_show_no_secret() -> None:
    shown = repr(load_settings(GIVEN, None))
    assert SECRET not in shown
    assert SECRET not in str(load_settings(GIVEN, None))
    assert "owner_password='***'" in shown
    assert "database_url='postgresql+psycopg2://***@db/tasks?***'" in shown
    assert "broker_url='sentinel://***@a:1;sentinel://***@b:2'" in shown
    assert "smtp_url='***'" in shown


def test_a_setting_that_is_not_set_is_shown_as_none() -> None:
    assert "metrics_token=None" in repr(load_settings(GIVEN | {"METRICS_TOKEN": ""}, None))


@pytest.mark.parametrize(
    "name", [*GIVEN, "PORT", "SYNC_INTERVAL", "RATE_LIMIT_AUTH", "DB_HOST", "TASKAPI_ENV"]
)
def test_no_error_repeats_what_was_given(name: str) -> None:
    wrong = {name: f" {SECRET}:\x00//@ {SECRET} ", "WEB_WORKERS": SECRET}
    with pytest.raises(SettingsError) as refused:
        load_settings(GIVEN | wrong, None)
    cause: BaseException | None = refused.value
    while cause is not None:
        assert SECRET not in f"{cause}{cause!r}"
        cause = cause.__cause__ or cause.__context__


def test_the_key_of_tokens_follows_from_the_secret_key_and_is_another() -> None:
    first = load_settings(GIVEN | {"JWT_SECRET_KEY": ""}, None)
    again = load_settings(GIVEN | {"JWT_SECRET_KEY": ""}, None)
    other = load_settings(GIVEN | {"JWT_SECRET_KEY": "", "SECRET_KEY": SECRET[::-1]}, None)
    assert first.jwt_secret_key == again.jwt_secret_key != other.jwt_secret_key
    assert first.jwt_secret_key != first.secret_key
    assert len(first.jwt_secret_key.encode()) >= 32
    assert load_settings(GIVEN, None).jwt_secret_key == SECRET


def test_development_makes_its_secret_once_and_keeps_it_private(tmp_path: Path) -> None:
    home = tmp_path / "not" / "there" / "yet"
    made = development(home)
    assert development(home) == made
    assert len(made.encode()) >= 32
    assert stat.S_IMODE((home / "secrets").stat().st_mode) == 0o600
    assert [file.name for file in home.iterdir()] == ["secrets"]
    assert development(tmp_path / "other") != made


def test_a_given_secret_is_not_kept(tmp_path: Path) -> None:
    given = {"TASKAPI_ENV": "development", "TASKAPI_HOME": str(tmp_path), "SECRET_KEY": "mine"}
    assert load_settings(given, None).secret_key == "mine"
    assert list(tmp_path.iterdir()) == []


def test_processes_that_start_together_agree_on_the_secret(tmp_path: Path) -> None:
    script = (
        "import sys, time; from pathlib import Path; from taskapi.config.secrecy import kept_secret_key\n"
        "print('ready', flush=True); at = float(sys.stdin.readline())\n"
        "while time.time() < at: pass\n"
        "print(*[kept_secret_key(Path(sys.argv[1], str(n))) for n in range(40)])"
    )
    started = [
        subprocess.Popen(
            [sys.executable, "-c", script, str(tmp_path)],
            cwd=PROJECT_ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    for process in started:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    at = f"{time.time() + 0.1}\n"
    first, second = [process.communicate(at, timeout=30)[0].split() for process in started]
    assert len(set(first)) == 40
    assert first == second


def test_whoever_comes_second_takes_the_secret_of_the_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = development(tmp_path)
    monkeypatch.setattr(Path, "exists", lambda _path: False)
    assert development(tmp_path) == first
    assert [file.name for file in tmp_path.iterdir()] == ["secrets"]


def test_a_home_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(
        SettingsError, match=r"^TASKAPI_HOME is wrong: write a folder that this user may write \("
    ):
        development(tmp_path / "file" / "home")


@pytest.mark.parametrize("kept", ["", "SECRET_KEY=short\n", "SECRET_KEY=" + "k" * 20, "\xff"])
def test_a_kept_secret_that_is_damaged_is_never_used(tmp_path: Path, kept: str) -> None:
    (tmp_path / "secrets").write_text(kept, encoding="latin-1")
    with pytest.raises(SettingsError, match="delete this file, and a new one is made"):
        development(tmp_path)
