"""Secrets: which ones production refuses, the one that is derived, and the one that development makes."""

import hashlib
import hmac
import os
import re
import secrets
import tempfile
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

from taskapi.config.readers import each_url
from taskapi.config.sources import SettingsError

PUBLISHED = frozenset(
    {
        "4MRzVM8PWPDNACAUBm+IKR5WEDQB2jXzuLNWeW48tkE=",
        "EKQH9jQX7gAfV7pLwVmsbLbF3XfY6n4S",
        *("admin", "admin123", "admin1234", "admin12345678", "alice123", "guest", "mypassword"),
        *("password", "password1234", "postgres", "redis", "root", "secret", "secret123", "secure123"),
        *("taskapi", "taskmaster"),
    }
)
_PLACEHOLDER = re.compile(
    r"(^|[^a-z]|please-?)(change|replace)-?(me|this|it)($|[^a-z])|^(your|my|example)-|^mysecret|^<.*>$|^x+$"
)
_HOLDS_SECRET = re.compile("pass|secret|token", re.IGNORECASE)
_JWT_LABEL = b"taskapi: the key that signs access and refresh tokens, 1"
_FILE_NAME = "secrets"
_FILE_LINE = re.compile(r"SECRET_KEY=([A-Za-z0-9_-]{43,})\n")


def is_published(secret: str) -> bool:
    """Whether anybody may know this secret: it stands in a public document or is a placeholder."""
    plain = re.sub(r"[\s_.-]+", "-", secret.strip().lower())
    return secret.strip() in PUBLISHED or plain in PUBLISHED or _PLACEHOLDER.search(plain) is not None


def passwords_in(url: str) -> list[str]:
    """The passwords that a URL carries, before its host or in its query."""
    parts = [urlsplit(each) for each in each_url(url)]
    before_hosts = [unquote(each.netloc.rpartition("@")[0].partition(":")[2]) for each in parts]
    asked = [pair for each in parts for pair in parse_qsl(each.query)]
    in_queries = [value for name, value in asked if _HOLDS_SECRET.search(name)]
    return [password for password in before_hosts + in_queries if password]


def without_secrets(url: str) -> str:
    """The URL with whoever logs in, and its query, left out."""
    return ";".join(_without_secrets(each) for each in each_url(url))


def _without_secrets(url: str) -> str:
    parts = urlsplit(url)
    _user_info, at, hosts = parts.netloc.rpartition("@")
    shown = f"{parts.scheme}://{'***@' if at else ''}{hosts}{parts.path}"
    return f"{shown}?***" if parts.query else shown


def derived_jwt_secret_key(secret_key: str) -> str:
    """The signing key of tokens, from SECRET_KEY: neither can be had from the other's use."""
    return hmac.new(secret_key.encode(), _JWT_LABEL, hashlib.sha256).hexdigest()


def kept_secret_key(home: Path) -> str:
    """The development SECRET_KEY of this home: made by whoever comes first, then the same for all.

    Raises SettingsError when the home cannot be written or what it keeps is not a key.
    """
    kept = home / _FILE_NAME
    try:
        if not kept.exists():
            _make_secret_key(kept)
        found = _FILE_LINE.fullmatch(kept.read_text(encoding="ascii", errors="replace"))
    except OSError as refusal:
        sentence = f"TASKAPI_HOME is wrong: write a folder that this user may write ({refusal.strerror})."
        raise SettingsError([sentence]) from None
    if not found:
        raise SettingsError([f"{kept} does not hold a SECRET_KEY: delete this file, and a new one is made."])
    return found[1]


def _make_secret_key(kept: Path) -> None:
    """Whole or not at all, and only if none is there: a link never replaces what another has just made."""
    kept.parent.mkdir(parents=True, exist_ok=True)
    descriptor, draft = tempfile.mkstemp(prefix=f".{_FILE_NAME}-", dir=kept.parent)
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(f"SECRET_KEY={secrets.token_urlsafe(48)}\n")
            file.flush()
            os.fsync(descriptor)
        _link_unless_there(draft, kept)
    finally:
        os.unlink(draft)


def _link_unless_there(draft: str, kept: Path) -> None:
    try:
        os.link(draft, kept)
    except FileExistsError:
        return
