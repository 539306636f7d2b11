"""The documents name every variable that exists, and no other."""

import re

import pytest

from taskapi.config import PROJECT_ROOT, VARIABLES, SettingsError, load_settings
from taskapi.config.parts import LINES as PART_LINES
from taskapi.config.settings import LINES

ROWS = re.findall(
    r"^\| `([A-Z0-9_]+)` \|(.*)\|$", (PROJECT_ROOT / "docs" / "SETTINGS.md").read_text(), re.MULTILINE
)
TABLE = {name: [cell.strip() for cell in cells.split("|")] for name, cells in ROWS}
EXAMPLE = dict(re.findall(r"^#([A-Z0-9_]+)=(.*)$", (PROJECT_ROOT / ".env.example").read_text(), re.MULTILINE))
ALL_LINES = PART_LINES | {name.upper(): line for name, line in LINES.items()}


def test_the_table_and_the_example_name_exactly_the_variables_that_exist() -> None:
    assert set(TABLE) == VARIABLES
    assert len(ROWS) == len(VARIABLES)
    assert all(len(cells) == 4 and cells[3] for cells in TABLE.values())
    assert set(EXAMPLE) == VARIABLES
    assert {*ALL_LINES, "PORT"} == VARIABLES


def test_the_table_states_the_defaults() -> None:
    for name, line in ALL_LINES.items():
        default, development, _production, _meaning = TABLE[name]
        assert not line.default or default == f"`{line.default}`", name
        if line.development != line.default:
            assert development == f"`{line.development}`", name


def test_the_example_file_can_be_used_in_development_once_uncommented() -> None:
    urls = ("DATABASE_URL", "REDIS_URL", "BROKER_URL")
    for left_out in ((), urls):
        given = {name: value for name, value in EXAMPLE.items() if name not in left_out}
        settings = load_settings(given, None)
        assert settings.secret_key == EXAMPLE["SECRET_KEY"]
        assert (settings.database_url or "").startswith(
            "postgresql+psycopg2://taskapi:change-me@localhost:5433/"
        )
        assert settings.redis_url == "redis://:change-me@localhost:6380/0"


def test_what_the_documents_name_as_required_is_what_production_requires() -> None:
    required = {name for name, cells in TABLE.items() if "required" in cells[2]}
    with pytest.raises(SettingsError) as refusal:
        load_settings({}, None)
    assert required == {problem.split()[0] for problem in refusal.value.problems}
