"""What production refuses: settings that are missing, secrets that are short or that anybody may know."""

from taskapi.config.reading import Reading
from taskapi.config.readers import SENTINEL_SCHEMES
from taskapi.config.secrecy import is_published, passwords_in
from taskapi.config.settings import LINES

_RANDOM = "32 random bytes or more, such as `python3 -c 'import secrets; print(secrets.token_urlsafe(48))'` prints"
_REQUIRED = {
    "OWNER_PASSWORD": "a password of 12 characters or more",
    "OWNER_EMAIL": LINES["owner_email"].write,
    "SECRET_KEY": _RANDOM,
    "DATABASE_URL": f"{LINES['database_url'].write} (or set DB_HOST, DB_USER and POSTGRES_PASSWORD)",
    "REDIS_URL": f"{LINES['redis_url'].write} (or set REDIS_HOST)",
    "BROKER_URL": f"{LINES['broker_url'].write}, of the Redis beside it",
}
_LOCATED_BY = {"DATABASE_URL": "DB_HOST", "REDIS_URL": "REDIS_HOST"}


def require_production_ready(reading: Reading) -> None:
    """Notes every reason why production may not start with this."""
    _require_given(reading)
    _require_length(reading)
    _refuse_published(reading)
    _require_durable(reading)


def _require_given(reading: Reading) -> None:
    for name, write in _REQUIRED.items():
        if _LOCATED_BY.get(name) not in reading.given:
            reading.require(name, write, "production has no default for it")


def _require_length(reading: Reading) -> None:
    if 0 < len(reading.given.get("OWNER_PASSWORD", "")) < 12:
        reading.refuse("OWNER_PASSWORD is too short for production: write 12 characters or more.")
    for name in ("SECRET_KEY", "JWT_SECRET_KEY"):
        if 0 < len(reading.given.get(name, "").encode()) < 32:
            reading.refuse(f"{name} is too short for production: write {_RANDOM}.")


def _refuse_published(reading: Reading) -> None:
    for name, secrets in _secrets(reading).items():
        if any(is_published(secret) for secret in secrets if secret):
            reading.refuse(f"{name} holds a secret that is published: write one of your own, made at random.")


def _secrets(reading: Reading) -> dict[str, list[str]]:
    """Every secret in force, by the variable that holds it."""
    lines = {name.upper(): line for name, line in LINES.items() if name.upper() in reading.given}
    whole = {name: [reading.given[name]] for name, line in lines.items() if line.secret and name != "SMTP_URL"}
    return whole | {
        name: passwords_in(reading.given[name]) for name, line in lines.items() if line.address or name == "SMTP_URL"
    }


def _require_durable(reading: Reading) -> None:
    through_sentinel = reading.given.get("REDIS_URL", "").startswith(tuple(f"{each}:" for each in SENTINEL_SCHEMES))
    if through_sentinel and reading.given.get("DURABILITY", "").lower() != "postgres":
        reading.refuse("DURABILITY is wrong: write postgres, because a REDIS_URL through Sentinel may fail over.")
