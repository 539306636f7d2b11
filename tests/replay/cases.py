"""The words in which it is told what clients of another system send, and what they must be answered."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

_PART = re.compile(r":\w+|\{\w+\}|<(?:\w+:)?\w+>")
PATTERN = re.Pattern


@dataclass(frozen=True)
class Call:
    """One request and what is expected of its answer.

    `operation` is written as that system's clients know it, and `at` fills the parts of its path in their
    order. A text such as `$task` stands for what an earlier call has `kept`: a name for each dotted path into
    its answer. `told` is a part of the answered JSON, in which a type, a pattern or ... stands for any value
    of that kind; `headed` are patterns of headers. `by` is who calls: a user, "owner", or "" for nobody.
    """

    operation: str
    status: int
    at: tuple[str, ...] = ()
    query: str = ""
    sent: Any = None
    form: dict[str, str] | None = None
    file: tuple[str, str, bytes] | None = None
    by: str = "ada"
    headers: dict[str, str] = field(default_factory=dict)
    told: Any = None
    headed: dict[str, str] = field(default_factory=dict)
    body: bytes | None = None
    kept: dict[str, str] = field(default_factory=dict)

    @property
    def method(self) -> str:
        """The HTTP method."""
        return self.operation.split()[0]

    @property
    def path(self) -> str:
        """The path, its parts filled in."""
        filled = iter(self.at)
        return _PART.sub(lambda _: next(filled), self.operation.split()[1])


@dataclass(frozen=True)
class Case:
    """Something that clients rely on, and the calls that show it.

    `environ` are settings under which it does; None leaves one as it is by default. It is `served` by a
    process of its own if it must be, and `logged` are parts of lines that this then writes. `cached` names
    keys of the broker Redis, and for how many seconds at most what they hold is good.
    """

    shows: str
    calls: tuple[Call, ...]
    environ: dict[str, str | None] = field(default_factory=dict)
    served: bool = False
    logged: tuple[dict[str, Any], ...] = ()
    cached: tuple[str, int] | None = None


@dataclass(frozen=True)
class Limit:
    """How often one may call before it is too much, and a call that is still answered after that."""

    shows: str
    call: Call
    allowed: int
    environ: dict[str, str | None]
    policy: str
    spared: Call | None = None
    wait: int = 61


@dataclass(frozen=True)
class System:
    """Another system as its clients know it: where they sign in, each operation, and what they rely on.

    `statuses` are those of its refusals.
    """

    name: str
    register: str
    login: str
    by_cookie: bool
    operations: tuple[str, ...]
    statuses: tuple[int, ...]
    cases: tuple[Case, ...]
    limits: tuple[Limit, ...]

    @property
    def calls(self) -> list[Call]:
        """Every call that is made."""
        return [call for case in self.cases for call in case.calls] + [limit.call for limit in self.limits]


def listed(text: str) -> tuple[str, ...]:
    """The operations of a text, one a line."""
    return tuple(" ".join(line.split()) for line in text.strip().splitlines())


def shape(operation: str) -> str:
    """An operation, whatever the parts of its path are called."""
    return _PART.sub("*", operation).removesuffix("/")


def refused(code: str, **errors: Any) -> dict[str, Any]:
    """The body of a refusal, with the fields that it names."""
    return {"success": False, "code": code, **({"errors": errors} if errors else {})}


def differences(expected: Any, found: Any, path: str = "answer") -> list[str]:
    """Where what was found is not as expected."""
    if expected is ...:
        return []
    if isinstance(expected, type):
        return [] if type(found) is expected else [f"{path} is {found!r}, no {expected.__name__}"]
    if isinstance(expected, PATTERN):
        fits = isinstance(found, str) and expected.fullmatch(found)
        return [] if fits else [f"{path} is {found!r}, not like {expected.pattern}"]
    if isinstance(expected, dict) and isinstance(found, dict):
        missing = [f"{path}.{name} is missing" for name in expected if name not in found]
        known = [name for name in expected if name in found]
        return missing + [
            told for name in known for told in differences(expected[name], found[name], f"{path}.{name}")
        ]
    if isinstance(expected, list) and isinstance(found, list) and len(expected) == len(found):
        pairs = enumerate(zip(expected, found, strict=True))
        return [told for number, pair in pairs for told in differences(*pair, f"{path}[{number}]")]
    same = type(expected) is type(found) and expected == found
    return [] if same else [f"{path} is {found!r}, not {expected!r}"]
