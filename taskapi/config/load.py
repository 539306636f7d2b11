"""From variables to Settings: read each, apply the rules of production, fill in what follows from others."""

import hashlib
import os
import stat
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from taskapi.config.parts import with_parts_joined
from taskapi.config.production import require_production_ready
from taskapi.config.reading import Reading
from taskapi.config.secrecy import derived_jwt_secret_key, kept_secret_key
from taskapi.config.settings import LINES, VARIABLES, Settings
from taskapi.config.sources import ENV_FILE, PROJECT_ROOT, SettingsError, given_variables


def load_settings(environ: Mapping[str, str] | None = None, env_file: Path | None = ENV_FILE) -> Settings:
    """The settings: `environ` (default: the real environment) over `env_file` (None: no file).

    Development makes and keeps SECRET_KEY in TASKAPI_HOME; it leaves the address of a store that was not
    given at None, to be embedded. Raises SettingsError with a sentence for each wrong or missing value.
    """
    reading = Reading(given_variables(environ, env_file))
    reading.production = reading.read("TASKAPI_ENV", LINES["taskapi_env"]) == "production"
    _refuse_unknown_limits(reading)
    with_parts_joined(reading)
    values = {name: _value(reading, name) for name in LINES}
    if reading.production:
        require_production_ready(reading, values)
    reading.finish()
    return Settings(**_filled_in(values))


def _value(reading: Reading, name: str) -> Any:
    variable = name.upper()
    called = "PORT" if variable == "SERVER_PORT" and variable not in reading.given else None
    return reading.read(variable, LINES[name], called)


def _refuse_unknown_limits(reading: Reading) -> None:
    known = sorted(name for name in VARIABLES if name.startswith("RATE_LIMIT_"))
    for name in sorted(reading.given):
        if name.startswith("RATE_LIMIT_") and name not in known:
            reading.refuse(f"{name} is no setting: write one of {', '.join(known)}.")


def _filled_in(values: dict[str, Any]) -> dict[str, Any]:
    """With the defaults that follow from other settings."""
    home = _home(values["taskapi_home"])
    secret_key = values["secret_key"] or kept_secret_key(home)
    return values | {
        "taskapi_home": home,
        "secret_key": secret_key,
        "jwt_secret_key": values["jwt_secret_key"] or derived_jwt_secret_key(secret_key),
        "backup_url": values["backup_url"] or (home / "backups").as_uri(),
        "upload_url": values["upload_url"] or (home / "uploads").as_uri(),
    }


def hint_of_development(env_file: Path | None = ENV_FILE) -> str:
    """A word beside wrong settings, where `make run` has been and nobody says which environment this is."""
    with suppress(SettingsError):
        given = given_variables(None, env_file)
        if "TASKAPI_ENV" not in given and (_home(given.get("TASKAPI_HOME")) / "run").is_dir():
            return (
                "These are the rules of production. For what `make run` has started here,"
                " once in this terminal: export TASKAPI_ENV=development"
            )
    return ""


def _home(given: str | None) -> Path:
    return (PROJECT_ROOT / given).resolve() if given else default_home(PROJECT_ROOT)


def default_home(root: Path) -> Path:
    """`.taskapi` in the project root; for root below a private folder one under /var/lib, each checkout its
    own: the servers that root embeds run as nobody, who could not pass that folder."""
    if os.geteuid() == 0 and any(_is_private(folder) for folder in (root, *root.parents)):
        return Path("/var/lib") / f"taskapi-{hashlib.sha256(bytes(root)).hexdigest()[:8]}"
    return root / ".taskapi"


def _is_private(folder: Path) -> bool:
    return not folder.stat().st_mode & stat.S_IXOTH
