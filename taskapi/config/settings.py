"""The settings: each variable is one line here; its reader, its default and its sentence stand beside it."""

from dataclasses import dataclass, field, fields
from datetime import time
from pathlib import Path
from typing import Any

from taskapi.config import readers
from taskapi.config.readers import Reader
from taskapi.config.secrecy import without_secrets

_REDIS_WORDS = "redis://:PASSWORD@HOST:PORT/0 (or rediss://, redis+sentinel://), the password percent-encoded"
_LIMIT_WORDS = "a limit such as '5 per minute' or '100/hour', or nothing to switch it off"
_EVERYWHERE = "0.0.0.0"  # noqa: S104 - a container is reached from outside
_LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
_STORAGE_WORDS = "a folder's absolute path, file:///FOLDER or s3://BUCKET/PREFIX"


@dataclass(frozen=True, slots=True)
class Variable:
    """How one variable is read. `write` completes "NAME is wrong: write …"; without default it stays unset.
    A `secret` is never shown, an `address` only without its password."""

    write: str
    read: Reader
    default: str | None
    development: str | None
    secret: bool
    address: bool


def variable(
    write: str,
    read: Reader,
    default: str | None = None,
    *,
    development: str | None = None,
    secret: bool = False,
    address: bool = False,
) -> Any:
    """A field of Settings; `development` is the default there, if it is another."""
    there = default if development is None else development
    return field(metadata={"variable": Variable(write, read, default, there, secret, address)})


def _limit(default: str, read: Reader = readers.rate_limits) -> Any:
    return variable(_LIMIT_WORDS, read, default)


@dataclass(frozen=True, slots=True, repr=False)
class Settings:
    """Every setting, read and checked. The attribute is the variable's name in lower case."""

    taskapi_env: str = variable(
        "development or production", readers.one_of("development", "production"), "production"
    )
    taskapi_home: Path = variable("a folder, without ~", readers.folder)  # noqa: RUF009 - a dataclass field
    owner_password: str = variable(
        "a password of 8 to 256 characters", readers.password, development="admin1234", secret=True
    )
    owner_email: str = variable("the owner's e-mail address", readers.email, development="admin@gmail.com")
    secret_key: str = variable("a random text of 32 bytes or more", readers.secret, secret=True)
    jwt_secret_key: str = variable("a random text of 32 bytes or more", readers.secret, secret=True)
    access_token_expire_minutes: int = variable("whole minutes from 1 to 1440", readers.whole(1, 1440), "60")
    refresh_token_expire_days: int = variable("whole days from 1 to 365", readers.whole(1, 365), "30")
    algorithm: str = variable("HS256, the only one supported", readers.one_of("HS256"), "HS256")
    server_host: str = variable(
        "a host name or an address", readers.host, _EVERYWHERE, development="127.0.0.1"
    )
    server_port: int = variable("a port from 1 to 65535", readers.whole(1, 65535), "7890")
    server: str = variable("gunicorn or granian", readers.one_of("gunicorn", "granian"), "gunicorn")
    web_workers: int = variable("a whole number from 1 to 256", readers.whole(1, 256), "2")
    web_threads: int = variable("a whole number from 1 to 256", readers.whole(1, 256), "4")
    database_url: str | None = variable(
        "postgresql://USER:PASSWORD@HOST:PORT/DATABASE, the password percent-encoded",
        readers.database_url,
        address=True,
    )
    redis_url: str | None = variable(_REDIS_WORDS, readers.redis_url, address=True)
    broker_url: str | None = variable(_REDIS_WORDS, readers.redis_url, address=True)
    durability: str = variable("redis or postgres", readers.one_of("redis", "postgres"), "redis")
    sync_interval: float = variable("a duration from 1s to 168h, such as 15m0s", readers.interval, "15m0s")
    backup_url: str = variable(_STORAGE_WORDS, readers.storage_url, address=True)
    backup_at: time = variable("a UTC time such as 03:00", readers.clock, "03:00")  # noqa: RUF009 - the same
    backup_keep: int = variable("how many backups to keep, from 1 to 1000", readers.whole(1, 1000), "7")
    trash_days: int = variable("whole days from 1 to 3650", readers.whole(1, 3650), "30")
    upload_url: str = variable(_STORAGE_WORDS, readers.storage_url, address=True)
    upload_max_bytes: int = variable("whole bytes from 1 to 1073741824", readers.whole(1, 2**30), "10485760")
    registration: str = variable("open or closed", readers.one_of("open", "closed"), "open")
    trusted_proxies: int = variable("a number of proxies from 0 to 16", readers.whole(0, 16), "0")
    cors_origins: tuple[str, ...] = variable("origins such as https://example.com", readers.origins, "")
    metrics_token: str | None = variable("a random text", readers.secret, secret=True)
    log_format: str = variable("text or json", readers.one_of("text", "json"), "json", development="text")
    log_level: str = variable("DEBUG, INFO, WARNING, ERROR or CRITICAL", readers.one_of(*_LOG_LEVELS), "INFO")
    external_joke_url: str = variable(
        "an http:// or https:// URL",
        readers.web_url,
        "https://official-joke-api.appspot.com/random_joke",
        address=True,
    )
    smtp_url: str | None = variable(
        "smtp://USER:PASSWORD@HOST:PORT or smtps://…", readers.smtp_url, secret=True, address=True
    )
    rate_limit_default: str | None = _limit("100 per minute", readers.one_rate_limit)
    rate_limit_auth: str | None = _limit("5 per minute")
    rate_limit_by_date: str | None = _limit("5 per minute")
    rate_limit_check: str | None = _limit("5 per minute")
    rate_limit_anonymous: str | None = _limit("300 per minute")

    @property
    def production(self) -> bool:
        """Whether this is production, the default; else it is development."""
        return self.taskapi_env == "production"

    @property
    def safe_redis_only(self) -> bool:
        """Whether a Redis that may lose what it acknowledged is refused: no write waits for PostgreSQL."""
        return self.production and self.durability == "redis"

    @property
    def sync_interval_text(self) -> str:
        """The sync interval as `15m0s`."""
        return readers.in_go_words(self.sync_interval)

    def told(self) -> dict[str, str]:
        """What is not as it is by default, without secrets: for the log of a program that starts."""
        return {
            name: _told(line, value)
            for name, line in LINES.items()
            if (value := getattr(self, name)) is not None and value != self._default(line)
        }

    def _default(self, line: Variable) -> object:
        given = line.default if self.production else line.development
        return None if given is None else line.read(given)

    def __repr__(self) -> str:
        shown = (f"{name}={_shown(line, getattr(self, name))}" for name, line in LINES.items())
        return f"Settings({', '.join(shown)})"


def _shown(line: Variable, value: object) -> str:
    return repr(value if value is None or not (line.secret or line.address) else _told(line, value))


def _told(line: Variable, value: object) -> str:
    if line.secret:
        return "***"
    return without_secrets(str(value)) if line.address else str(value)


LINES: dict[str, Variable] = {each.name: each.metadata["variable"] for each in fields(Settings)}
DATABASE_PARTS = ("DB_HOST", "DB_PORT", "DB_NAME", "DB_USER", "POSTGRES_PASSWORD", "DB_SSLMODE")
REDIS_PARTS = ("REDIS_HOST", "REDIS_PORT", "REDIS_PASSWORD")
PARTS = (*DATABASE_PARTS, *REDIS_PARTS, "PORT", "RATE_LIMIT", "RATE_PERIOD")
VARIABLES: frozenset[str] = frozenset({*(name.upper() for name in LINES), *PARTS})
