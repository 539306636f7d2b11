"""Where variables come from, and how mistakes are told."""

from pathlib import Path

import pytest

from taskapi.config import ENV_FILE, PROJECT_ROOT, SettingsError, load_settings

DEVELOPMENT = {"TASKAPI_ENV": "development", "SECRET_KEY": "for-tests"}


def env_file(folder: Path, text: str) -> Path:
    file = folder / ".env"
    file.write_text(text)
    return file


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    file = env_file(tmp_path, "export WEB_WORKERS=3\nWEB_THREADS='7' # seven\n\n# a comment\n")
    settings = load_settings(DEVELOPMENT | {"WEB_WORKERS": "5"}, file)
    assert (settings.web_workers, settings.web_threads) == (5, 7)


def test_the_real_environment_is_read_when_none_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (DEVELOPMENT | {"WEB_WORKERS": "11"}).items():
        monkeypatch.setenv(name, value)
    assert load_settings(env_file=None).web_workers == 11


def test_a_given_environment_hides_the_real_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WEB_WORKERS", "11")
    assert load_settings(DEVELOPMENT, None).web_workers == 2


def test_the_file_stands_in_the_project_root_and_may_be_absent(tmp_path: Path) -> None:
    assert PROJECT_ROOT / ".env" == ENV_FILE
    assert (PROJECT_ROOT / "taskapi").is_dir()
    assert load_settings(DEVELOPMENT, tmp_path / ".env").web_workers == 2


def test_an_empty_variable_is_not_set_and_hides_the_file(tmp_path: Path) -> None:
    file = env_file(tmp_path, "WEB_WORKERS=3\nDATABASE_URL=\nLOG_LEVEL\n")
    settings = load_settings(DEVELOPMENT | {"WEB_WORKERS": " "}, file)
    assert (settings.web_workers, settings.database_url, settings.log_level) == (2, None, "INFO")


def test_the_file_is_taken_as_it_is_written_without_expanding_dollars(tmp_path: Path) -> None:
    file = env_file(tmp_path, "OWNER_PASSWORD=a${HOME}b$c-1234\n")
    assert load_settings(DEVELOPMENT, file).owner_password == "a${HOME}b$c-1234"


def test_a_line_that_is_no_assignment_is_told_by_its_number(tmp_path: Path) -> None:
    file = env_file(tmp_path, "WEB_WORKERS=3\nOWNER_PASSWORD='never-closed\n")
    with pytest.raises(SettingsError, match=r"Line 2 of .*\.env is wrong: write NAME=value\.") as refusal:
        load_settings(DEVELOPMENT, file)
    assert "never-closed" not in str(refusal.value)


@pytest.mark.parametrize("unreadable", ["a folder", "bytes"])
def test_a_file_that_cannot_be_read_is_one_sentence(tmp_path: Path, unreadable: str) -> None:
    file = tmp_path / ".env"
    file.mkdir() if unreadable == "a folder" else file.write_bytes(b"A=\xff")
    with pytest.raises(SettingsError, match="must be a UTF-8 text file"):
        load_settings(DEVELOPMENT, file)


def test_all_mistakes_are_told_together_a_sentence_each() -> None:
    wrong = {
        "WEB_WORKERS": "many",
        "LOG_FORMAT": "xml",
        "RATE_LIMIT_AUTH": "often",
        "RATE_LIMIT_LOGIN": "5/minute",
    }
    with pytest.raises(SettingsError) as refusal:
        load_settings(DEVELOPMENT | wrong, None)
    assert [problem.split()[0] for problem in refusal.value.problems] == list(wrong)
    assert all("write " in problem and problem.endswith(".") for problem in refusal.value.problems)
    assert str(refusal.value) == "\n".join(refusal.value.problems)


def test_nothing_is_made_when_something_is_wrong(tmp_path: Path) -> None:
    with pytest.raises(SettingsError):
        load_settings(
            {"TASKAPI_ENV": "development", "TASKAPI_HOME": str(tmp_path / "home"), "PORT": "x"}, None
        )
    assert not (tmp_path / "home").exists()
