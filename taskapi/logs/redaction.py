"""The last line of defence: no secret leaves in a line, whoever has put it there."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any
from urllib.parse import quote, quote_plus

HIDDEN = "***"
SHORTEST = 4
"""A shorter secret is part of so many words that to hide it would hide the lines themselves."""

_NAMES = re.compile(
    r"passw|passphrase|secret|token|authori[sz]ation|cookie|csrf|(?:api|access|private)[_-]?key|\bdsn$", re.I
)
_MEASURES = re.compile(r"_(?:minutes|days|seconds|bytes)$", re.I)
"""What a name ends with that tells how long or large a secret is."""
_MARKS = (
    *(b"://", b"eyj", b"bearer", b"basic", b"akia", b"asia"),
    *(b"passw", b"secret", b"token", b"cookie", b"authoriz", b"key"),
)
_PATTERNS = (
    (re.compile(r"://[^/\s@'\"]*@"), f"://{HIDDEN}@"),
    (
        re.compile(r"\b((?:set-)?cookie|authorization)(['\"]?\s{0,3}[:=]\s{0,3})[^\r\n]*", re.I),
        rf"\1\2{HIDDEN}",
    ),
    (re.compile(r"\b(bearer|basic)\s{1,3}[\w.~+/=-]{6,}", re.I), rf"\1 {HIDDEN}"),
    (re.compile(r"(?<![\w-])eyJ[\w-]{8,}(?:\.[\w-]*){1,4}"), HIDDEN),
    (re.compile(r"\b(?:AKIA|ASIA)[A-Z0-9]{12,}"), HIDDEN),
    (
        re.compile(
            r"((?:passw|secret|token|(?:api|access|private)[_-]?key)[\w-]{0,30}(?<!_minutes)(?<!_days)(?<!_seconds)(?<!_bytes)['\"]?\s{0,3}[=:]\s{0,3})"
            r"(?:\"[^\"]*\"|'[^']*'|[^\s,;&\"'}]+)",
            re.I,
        ),
        rf"\1{HIDDEN}",
    ),
)


class Redaction:
    """Hides what is named like a secret, what looks like one, and what is one of these secrets."""

    def __init__(self, secrets: Iterable[str]) -> None:
        known = {secret for secret in secrets if len(secret) >= SHORTEST}
        self._forms = sorted({form for secret in known for form in _forms(secret)}, key=len, reverse=True)
        self._marks = (*_MARKS, *{_mark(secret) for secret in known})

    def suspects(self, line: bytes) -> bool:
        """Whether a line may hold a secret: quick, and says yes rather too often."""
        lowered = line.lower()
        for mark in self._marks:  # noqa: SIM110 - `any` takes three times as long, on every line
            if mark in lowered:
                return True
        return False

    def cleaned(self, value: Any) -> Any:
        """The value without any: texts, and what is in lists and mappings, by name and by content."""
        if isinstance(value, str):
            return self._text(value)
        if isinstance(value, Mapping):
            return {
                name: HIDDEN if is_secret_name(str(name)) and each is not None else self.cleaned(each)
                for name, each in value.items()
            }
        if isinstance(value, list | tuple | set | frozenset):
            return [self.cleaned(each) for each in value]
        return value if value is None or isinstance(value, bool | int | float) else self._text(str(value))

    def _text(self, text: str) -> str:
        for form in self._forms:
            text = text.replace(form, HIDDEN)
        for pattern, instead in _PATTERNS:
            text = pattern.sub(instead, text)
        return text


@lru_cache(maxsize=1024)
def is_secret_name(name: str) -> bool:
    """Whether what is called that is nobody's business."""
    return _NAMES.search(name) is not None and _MEASURES.search(name) is None


def _forms(secret: str) -> Iterator[str]:
    """As it is, and as addresses, JSON and Python write it."""
    yield secret
    yield quote(secret, safe="")
    yield quote(secret)
    yield quote_plus(secret)
    yield json.dumps(secret)[1:-1]
    yield json.dumps(secret, ensure_ascii=False)[1:-1]
    yield ascii(secret)[1:-1]
    yield repr(secret)[1:-1]
    yield repr(secret + "\"'")[1:-4]


def _mark(secret: str) -> bytes:
    """The longest part that every form of it has."""
    parts: list[str] = re.findall(r"[A-Za-z0-9]+", secret)
    return max(parts, key=len, default="").lower().encode()
