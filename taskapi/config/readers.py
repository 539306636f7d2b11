"""Readers: the text of one variable -> its typed value. Each raises ValidationError for what it refuses."""

import re
from collections.abc import Callable
from datetime import time
from ipaddress import IPv6Address
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

from environs import ValidationError, validate
from limits import parse_many

Reader = Callable[[str], object]

email: Reader = validate.Email()
web_url: Reader = validate.URL(schemes={"http", "https"}, require_tld=False)

DATABASE_SCHEMES = ("postgres", "postgresql", "postgresql+psycopg2")
REDIS_SCHEMES = ("redis", "rediss", "unix", "redis+socket")
SENTINEL_SCHEMES = ("redis+sentinel", "rediss+sentinel", "sentinel")
_DURATION = re.compile(r"(?:(\d{1,6})h)?(?:(\d{1,6})m)?(?:(\d{1,7}(?:\.\d{1,6})?)s)?", re.ASCII)
_WHOLE = re.compile(r"\d{1,12}", re.ASCII)
_SECONDS = re.compile(r"\d{1,7}(?:\.\d{1,6})?", re.ASCII)
_HOST_NAME = re.compile(r"[A-Za-z0-9._-]+", re.ASCII)


def whole(low: int, high: int) -> Reader:
    """A reader of whole numbers from `low` to `high`."""
    within = validate.Range(low, high)

    def read(text: str) -> int:
        _require(_WHOLE.fullmatch(text.strip()) is not None)
        return within(int(text))

    return read


def one_of(*words: str) -> Reader:
    """A reader of one of these words, in any case; the answer is spelled as here."""
    spelled = {word.lower(): word for word in words}

    def read(text: str) -> str:
        _require(text.strip().lower() in spelled)
        return spelled[text.strip().lower()]

    return read


def text(text: str) -> str:
    """The text as it is."""
    return text


def password(text: str) -> str:
    """8 to 256 characters, as every password."""
    _require(8 <= len(text) <= 256)
    return secret(text)


def secret(text: str) -> str:
    """The text as it is, without a space at either end: no HTTP header would carry that."""
    _require(text == text.strip())
    return text


def folder(text: str) -> Path:
    """A path as it is written; `~` would be a folder of that name."""
    _require(not text.startswith("~"))
    return Path(text.strip())


def duration(text: str) -> float:
    """Seconds of `15m0s`, `1h`, `90s`, `1h2m3s` or of plain seconds."""
    if _SECONDS.fullmatch(text.strip()):
        return float(text)
    found = _DURATION.fullmatch(text.strip())
    _require(bool(found and any(found.groups())))
    hours, minutes, seconds = (float(part or 0) for part in found.groups()) if found else (0.0, 0.0, 0.0)
    return hours * 3600 + minutes * 60 + seconds


def interval(text: str) -> float:
    """A duration from one second to seven days."""
    seconds = duration(text)
    _require(1 <= seconds <= 7 * 86400)
    return seconds


def in_go_words(seconds: float) -> str:
    """900 -> `15m0s`, 3600 -> `1h0m0s`, 1.5 -> `1.5s`: what `duration` reads, the way Go writes it."""
    minutes, rest = divmod(round(seconds, 6), 60)
    hours, minutes = divmod(int(minutes), 60)
    words = f"{rest:.6f}".rstrip("0").rstrip(".") + "s"
    return f"{hours}h{minutes}m{words}" if hours else f"{minutes}m{words}" if minutes else words


def clock(text: str) -> time:
    """A time of day, HH:MM, in UTC."""
    _require(re.fullmatch(r"(?:[01]\d|2[0-3]):[0-5]\d", text.strip(), re.ASCII) is not None)
    return time.fromisoformat(text.strip())


def rate_limits(text: str) -> str | None:
    """Limits in Flask-Limiter's notation; None (switched off) for an empty text."""
    if not text.strip():
        return None
    try:
        limits = parse_many(text)
    except ValueError:
        raise ValidationError("not the notation") from None
    _require(all(limit.amount > 0 for limit in limits))
    return text.strip()


def one_rate_limit(text: str) -> str | None:
    """The same, of a single limit: a token bucket has one size and one pace."""
    _require(not re.search(r"[,;|]", text))
    return rate_limits(text)


def origins(text: str) -> tuple[str, ...]:
    """Origins, parted by commas: `https://app.example.com`, or `*` for any."""
    return tuple(_origin(part.strip()) for part in text.split(",") if part.strip())


def _origin(text: str) -> str:
    parts = split_url(text)
    plain = (
        parts.scheme in ("http", "https") and parts.hostname and text == f"{parts.scheme}://{parts.netloc}"
    )
    _require(text == "*" or bool(plain and "@" not in text))
    return text


def database_url(text: str) -> str:
    """A PostgreSQL URL that names its database, in SQLAlchemy's words for psycopg2."""
    parts = split_url(text)
    _require(parts.scheme in DATABASE_SCHEMES and len(parts.path) > 1 and "//" in text)
    _require_all_escaped(parts)
    return "postgresql+psycopg2:" + text.strip().split(":", 1)[1]


def redis_url(text: str) -> str:
    """A URL of Redis: plain, TLS, by socket or through Sentinel. It is handed on as it is."""
    if is_sentinel(text):
        for each in each_url(text):
            _require_address(split_url(each, many_hosts=True), SENTINEL_SCHEMES)
    else:
        _require_address(split_url(text), REDIS_SCHEMES)
    return text.strip()


def is_sentinel(url: str) -> bool:
    """Whether a URL of Redis goes through Sentinel."""
    return url.strip().partition(":")[0].lower() in SENTINEL_SCHEMES


def each_url(text: str) -> list[str]:
    """The URLs of a text: Celery parts those of several sentinels by semicolons."""
    return re.split(r";(?=[a-z+]+://)", text.strip())


def smtp_url(text: str) -> str:
    """`smtp://` or `smtps://`, with a host."""
    parts = split_url(text)
    _require(parts.scheme in ("smtp", "smtps") and bool(parts.hostname))
    return text.strip()


def storage_url(text: str) -> str:
    """`s3://bucket/prefix`, `file:///folder`, or a folder's absolute path, which becomes a `file://` URL."""
    if text.startswith("/"):
        return Path(text.strip()).as_uri()
    parts = split_url(text)
    _require(bool(parts.netloc) if parts.scheme == "s3" else parts.scheme == "file" and not parts.netloc)
    _require_all_escaped(parts)
    return text.strip()


def database_host(text: str) -> str:
    """A host name, an address, or the folder of a socket."""
    return text.strip() if text.startswith("/") else host(text)


def host(text: str) -> str:
    """A host name or an address, of IPv6 without brackets."""
    return text.strip() if _HOST_NAME.fullmatch(text.strip()) else _ipv6(text.strip())


def _ipv6(text: str) -> str:
    try:
        return str(IPv6Address(text))
    except ValueError:
        raise ValidationError("not a host") from None


def split_url(text: str, many_hosts: bool = False) -> SplitResult:
    """The parts of a URL with a sound port; Sentinel's URLs may name many hosts."""
    try:
        parts = urlsplit(text.strip())
        _require(many_hosts or parts.port != 0)
    except ValueError:
        raise ValidationError("not a URL") from None
    return parts


def _require_address(parts: SplitResult, schemes: tuple[str, ...]) -> None:
    _require(parts.scheme in schemes and bool(parts.netloc or len(parts.path) > 1))
    _require_all_escaped(parts)


def _require_all_escaped(parts: SplitResult) -> None:
    """A bare / ? # or @ in a password cuts the URL at the wrong place; the rest of it then holds an @."""
    _require("@" not in parts.path + parts.query + parts.fragment and not parts.fragment)
    _require(parts.netloc.count("@") <= 1)


def _require(held: bool) -> None:
    if not held:
        raise ValidationError("refused")
