"""Where variables come from: the environment, and a .env file below it."""

import os
from collections.abc import Iterator, Mapping
from io import StringIO
from pathlib import Path
from typing import Any

from dotenv.parser import parse_stream
from environs import Env, EnvValidationError, ValidationError

PROJECT_ROOT = Path(__file__).resolve().parents[2]
ENV_FILE = PROJECT_ROOT / ".env"


class SettingsError(Exception):
    """Settings are missing or wrong; `problems` holds one sentence for each, and no value that was given."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = tuple(problems)


class Variables(Env):
    """Reads from the mapping that it is given, never from this process's own environment."""

    def __init__(self, given: Mapping[str, str]) -> None:
        super().__init__(eager=False)
        self.given = given
        self.add_parser("setting", lambda text, read: read(_require_printable(text)))

    def _get_value(self, env_key: str, default: Any) -> Any:
        return self.given.get(env_key, default)

    def refused(self) -> list[str]:
        """The names of all variables that were missing or that their reader refused, in the order read."""
        try:
            self.seal()
        except EnvValidationError as refusal:
            return list(refusal.error_messages)
        return []


def _require_printable(text: str) -> str:
    """Bytes that are not UTF-8 arrive as lone surrogates; like NUL, they break whoever uses them later."""
    if not text.strip().isprintable():
        raise ValidationError("not printable")
    return text


def given_variables(environ: Mapping[str, str] | None, env_file: Path | None) -> dict[str, str]:
    """What was given, the environment over the file. An empty variable was not given, but for RATE_LIMIT_*.

    Raises SettingsError when the file cannot be read or one of its lines is not NAME=value.
    """
    below = dict(_file_variables(env_file)) if env_file is not None else {}
    both = {**below, **(os.environ if environ is None else environ)}
    return {name: text for name, text in both.items() if text.strip() or name.startswith("RATE_LIMIT_")}


def _file_variables(env_file: Path) -> Iterator[tuple[str, str]]:
    for line in parse_stream(StringIO(_file_text(env_file))):
        if line.error:
            raise SettingsError([f"Line {line.original.line} of {env_file} is wrong: write NAME=value."])
        if line.key is not None:
            yield line.key, line.value or ""


def _file_text(env_file: Path) -> str:
    try:
        return env_file.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        return ""
    except (OSError, UnicodeDecodeError):
        raise SettingsError([f"{env_file} must be a UTF-8 text file that this user may read."]) from None
