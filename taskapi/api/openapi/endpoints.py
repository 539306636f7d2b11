"""The endpoints of an app, one by one, with what their documents tell of them."""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from flask import Flask
from werkzeug.routing import Rule

from taskapi.api.contracts import Contract, View, contract_of
from taskapi.domain.rights import MATRIX, Reach, Right

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
PLAIN = frozenset({"HEAD", "OPTIONS"})
_CONVERTED = re.compile(r"<(?:(\w+):)?(\w+)>")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One method of one path, as documented; `path` is written `/tasks/{task_id}`.

    `path_names` maps the parts of the path to their converters, `same_as` names the endpoint of which this
    is another path.
    """

    method: str
    path: str
    name: str
    view: View
    contract: Contract
    path_names: dict[str, str]
    same_as: str | None = None

    @property
    def is_unsafe(self) -> bool:
        """Whether it may change anything."""
        return self.method != "GET"

    @property
    def is_public(self) -> bool:
        """Whether everybody may call it."""
        return self.contract.right is Right.PUBLIC

    @property
    def has_tag(self) -> bool:
        """Whether its answer has an `ETag`, which may be asked for."""
        contract = self.contract
        is_kept = contract.returned is not None and not contract.bare
        return not self.is_unsafe and (is_kept or contract.media is not None or contract.sends_file)

    @property
    def tag(self) -> str:
        """The noun to which it belongs."""
        return _noun(self.view)

    @property
    def tag_description(self) -> str:
        """What that noun is about."""
        return (sys.modules[self.view.__module__].__doc__ or "").strip().partition("\n")[0]

    @property
    def summary(self) -> str:
        """What it does, in a sentence."""
        return self._told[0]

    @property
    def description(self) -> str:
        """The same with what else is to be known: who may, and how often."""
        more = [self._told[1], _who(self.contract), _how_often(self.contract)]
        if self.same_as:
            more.append(f"The same as `{self.same_as}`.")
        return "\n\n".join(filter(None, [self.summary, *more]))

    @property
    def _told(self) -> tuple[str, str]:
        first, _, rest = (self.view.__doc__ or "").strip().partition("\n\n")
        return " ".join(first.split()), " ".join(rest.split())


def endpoints(app: Flask) -> Iterator[Endpoint]:
    """Every endpoint at the root mount, in the order of paths."""
    known: dict[View, str] = {}
    times: Counter[str] = Counter()
    for rule, method in _calls(app):
        view = app.view_functions[rule.endpoint]
        times[view.__name__] += 1
        found = _endpoint(rule, view, method, times[view.__name__], known.get(view))
        known.setdefault(view, f"{method} {found.path}")
        yield found


def _calls(app: Flask) -> list[tuple[Rule, str]]:
    """Paths and methods, those of the nouns themselves before their other names."""
    return [
        (rule, method)
        for rule in sorted(app.url_map.iter_rules(), key=_order)
        if not rule.endpoint.startswith("v1.")
        for method in sorted((rule.methods or set()) - PLAIN, key=METHODS.index)
    ]


def _order(rule: Rule) -> tuple[bool, str, int]:
    first = min(METHODS.index(method) for method in (rule.methods or ()) if method not in PLAIN)
    return ".aliases." in rule.endpoint, rule.rule, first


def _endpoint(rule: Rule, view: View, method: str, times: int, known: str | None) -> Endpoint:
    """One endpoint; a view that has several is called by its name at the first, then with a number."""
    path = _CONVERTED.sub(r"{\2}", rule.rule)
    parts = {name: converter or "text" for converter, name in _CONVERTED.findall(rule.rule)}
    name = view.__name__ if times == 1 else f"{view.__name__}_{times}"
    return Endpoint(method, path, name, view, contract_of(view), parts, known)


def _noun(view: View) -> str:
    return view.__module__.rpartition(".")[2].replace("_", " ")


def _who(contract: Contract) -> str:
    """Which roles may call it, and how far that reaches."""
    if contract.right is None or contract.right is Right.PUBLIC:
        return "For everybody, without credentials."
    row = MATRIX[contract.right].items()
    may = ", ".join(f"{role}: {reach.value}" for role, reach in row if reach is not Reach.NOBODY)
    return f"Right `{contract.right}` ({may})."


def _how_often(contract: Contract) -> str:
    if contract.uncounted:
        return "Counts against no limit."
    return f"Counts against the limit `{contract.attempts}` of the address." if contract.attempts else ""
