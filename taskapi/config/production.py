"""What production refuses: settings that are missing, secrets that are short or that anybody may know."""

from collections.abc import Mapping
from typing import Any

from taskapi.config.readers import is_sentinel
from taskapi.config.reading import Reading
from taskapi.config.secrecy import is_published, passwords_in
from taskapi.config.settings import LINES

_MAKE_ONE = "`python3 -c 'import secrets; print(secrets.token_urlsafe(48))'` prints one"
_REQUIRED = {
    "OWNER_PASSWORD": "a password of 12 characters or more",
    "OWNER_EMAIL": LINES["owner_email"].write,
    "SECRET_KEY": f"32 random bytes or more ({_MAKE_ONE})",
    "DATABASE_URL": f"{LINES['database_url'].write} (or set DB_HOST, DB_USER and POSTGRES_PASSWORD)",
    "REDIS_URL": f"{LINES['redis_url'].write} (or set REDIS_HOST)",
    "BROKER_URL": f"{LINES['broker_url'].write}; it is another Redis than REDIS_URL's",
}
_FIRST_PART = {"DATABASE_URL": "DB_HOST", "REDIS_URL": "REDIS_HOST"}


def require_production_ready(reading: Reading, values: Mapping[str, Any]) -> None:
    """Notes every reason why production may not start with these values (None: unset, or refused already)."""
    _require_given(reading)
    _require_length(reading, values)
    _refuse_published(reading, values)
    if values["redis_url"] and is_sentinel(values["redis_url"]) and values["durability"] == "redis":
        reading.refuse("DURABILITY is wrong: write postgres, because Redis behind Sentinel fails over.")


def _require_given(reading: Reading) -> None:
    for name, write in _REQUIRED.items():
        if _FIRST_PART.get(name) not in reading.given:
            reading.require(name, write, "production has no default for it")


def _require_length(reading: Reading, values: Mapping[str, Any]) -> None:
    if 0 < len(values["owner_password"] or "") < 12:
        reading.refuse("OWNER_PASSWORD is too short for production: write 12 characters or more.")
    for name in ("secret_key", "jwt_secret_key"):
        if 0 < len((values[name] or "").encode()) < 32:
            reading.refuse(f"{name.upper()} is too short for production: write 32 bytes ({_MAKE_ONE}).")


def _refuse_published(reading: Reading, values: Mapping[str, Any]) -> None:
    for name in LINES:
        if any(is_published(secret) for secret in _secrets(name, values[name])):
            source = reading.secret_source.get(name.upper(), name.upper())
            reading.refuse(f"{source} holds a published secret: write a random one ({_MAKE_ONE}).")


def _secrets(name: str, value: Any) -> list[str]:
    """The secrets in one setting: itself, or the passwords of the address that it is."""
    line = LINES[name]
    if value is None or not (line.secret or line.address):
        return []
    return passwords_in(value) if line.address else [value]
