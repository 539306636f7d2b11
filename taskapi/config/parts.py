"""Settings that may also be written in parts: the addresses of the stores, the port, the limit on logins."""

from collections.abc import Mapping
from urllib.parse import quote, urlencode

from taskapi.config import readers
from taskapi.config.reading import Reading
from taskapi.config.settings import Variable

_SSL_MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")


def _part(write: str, read: readers.Reader, default: str | None = None) -> Variable:
    return Variable(write, read, default, default, secret=False, address=False)


LINES: dict[str, Variable] = {
    "DB_HOST": _part("the host of PostgreSQL, or the folder of its socket", readers.database_host),
    "DB_PORT": _part("a port from 1 to 65535", readers.whole(1, 65535), "5433"),
    "DB_NAME": _part("the name of the database", readers.text, "taskmaster"),
    "DB_USER": _part("the name that logs in to PostgreSQL", readers.text),
    "POSTGRES_PASSWORD": _part("the password of DB_USER", readers.text),
    "DB_SSLMODE": _part(f"one of {', '.join(_SSL_MODES)}", readers.one_of(*_SSL_MODES)),
    "REDIS_HOST": _part("the host of Redis", readers.host),
    "REDIS_PORT": _part("a port from 1 to 65535", readers.whole(1, 65535), "6380"),
    "REDIS_PASSWORD": _part("the password of Redis", readers.text),
    "RATE_LIMIT": _part("a whole number from 1 to 1000000", readers.whole(1, 1_000_000), "5"),
    "RATE_PERIOD": _part("whole seconds from 1 to 86400", readers.whole(1, 86_400), "60"),
}


def with_parts_joined(reading: Reading) -> None:
    """Writes what was given in parts under the name of the whole, unless that was given: the whole wins."""
    for whole, join, secret in (
        ("DATABASE_URL", _database_url, "POSTGRES_PASSWORD"),
        ("REDIS_URL", _redis_url, "REDIS_PASSWORD"),
        ("RATE_LIMIT_AUTH", _rate_limit_auth, ""),
    ):
        joined = None if whole in reading.given else join(reading)
        if joined is not None:
            reading.given[whole] = joined
            reading.secret_source[whole] = secret


def _database_url(reading: Reading) -> str | None:
    if not _begun(reading, "DB_HOST", ("DB_PORT", "DB_NAME", "DB_USER", "DB_SSLMODE")):
        return None
    reading.require("DB_USER", LINES["DB_USER"].write, "DB_HOST is set")
    if reading.production:
        reading.require("POSTGRES_PASSWORD", LINES["POSTGRES_PASSWORD"].write, "DB_HOST is set")
    part = _read(reading, "DB_HOST", "DB_PORT", "DB_NAME", "DB_USER", "POSTGRES_PASSWORD", "DB_SSLMODE")
    return _joined_database_url(part) if part["DB_HOST"] and part["DB_PORT"] and part["DB_USER"] else None


def _joined_database_url(part: Mapping[str, object]) -> str:
    host, query = str(part["DB_HOST"]), {}
    where = f"{_bracketed(host)}:{part['DB_PORT']}"
    if host.startswith("/"):
        where, query = "", {"host": host, "port": str(part["DB_PORT"])}
    if part["DB_SSLMODE"]:
        query["sslmode"] = str(part["DB_SSLMODE"])
    password = f":{_quoted(part['POSTGRES_PASSWORD'])}" if part["POSTGRES_PASSWORD"] else ""
    whole = f"postgresql+psycopg2://{_quoted(part['DB_USER'])}{password}@{where}/{_quoted(part['DB_NAME'])}"
    return f"{whole}?{urlencode(query)}" if query else whole


def _redis_url(reading: Reading) -> str | None:
    if not _begun(reading, "REDIS_HOST", ("REDIS_PORT",)):
        return None
    part = _read(reading, "REDIS_HOST", "REDIS_PORT", "REDIS_PASSWORD")
    login = f":{_quoted(part['REDIS_PASSWORD'])}@" if part["REDIS_PASSWORD"] else ""
    whole = f"redis://{login}{_bracketed(str(part['REDIS_HOST']))}:{part['REDIS_PORT']}/0"
    return whole if part["REDIS_HOST"] and part["REDIS_PORT"] else None


def _rate_limit_auth(reading: Reading) -> str | None:
    if not {"RATE_LIMIT", "RATE_PERIOD"} & reading.given.keys():
        return None
    part = _read(reading, "RATE_LIMIT", "RATE_PERIOD")
    return f"{part['RATE_LIMIT']} per {part['RATE_PERIOD']} second" if all(part.values()) else None


def _begun(reading: Reading, first: str, others: tuple[str, ...]) -> bool:
    """Whether the part that decides is there; others without it are a mistake, not nothing."""
    for other in others:
        if other in reading.given:
            reading.require(first, LINES[first].write, f"{other} is set")
            break
    return first in reading.given


def _read(reading: Reading, *names: str) -> dict[str, object]:
    return {name: reading.read(name, LINES[name]) for name in names}


def _quoted(part: object) -> str:
    return quote(str(part), safe="")


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
