"""Reading a request: its body and its query, as the endpoint's contract takes them."""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl, unquote

from flask import request
from gunicorn.http.errors import ParseException  # type: ignore[import-untyped]
from marshmallow import ValidationError
from werkzeug.exceptions import RequestEntityTooLarge

from taskapi.api import strict_json
from taskapi.api.contracts import Contract
from taskapi.api.errors import Malformed, Unsupported
from taskapi.api.schemas.query import Choices, Query
from taskapi.domain.clock import today
from taskapi.domain.errors import Invalid
from taskapi.domain.filters import Page

MOST_PARAMETERS = 100
FORM = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data"


@dataclass(frozen=True, slots=True)
class Asked:
    """What the query says: the view's `wanted`, and the `fields` to narrow to, empty for all."""

    wanted: Any = None
    fields: tuple[str, ...] = ()

    @property
    def page(self) -> Page:
        """The page of a list that was asked for."""
        return self.wanted if isinstance(self.wanted, Page) else getattr(self.wanted, "page", Page())


NOTHING = Asked()
_MEANT = {
    "limit": ("per_page",),
    "size": ("per_page",),
    "page_size": ("per_page",),
    "offset": ("page", "cursor"),
    "skip": ("page", "cursor"),
    "tags": ("tag",),
    "q": ("search",),
    "query": ("q", "search"),
}
"""Names that parameters have elsewhere, and what there may be of them here."""


def body(contract: Contract) -> dict[str, Any]:
    """The object in the body, unchecked; raises Malformed or Unsupported."""
    if contract.takes_form and request.mimetype in (FORM, MULTIPART):
        return _form()
    sent = _bytes()
    if not sent and contract.body_optional:
        return {}
    _require_json()
    return strict_json.read_object(sent)


def asked(contract: Contract) -> Asked:
    """What the query says; raises Invalid, naming the parameter, for what is unknown, repeated or wrong."""
    query = contract.query
    text = request.query_string
    if not text or contract.any_query:
        return NOTHING if query is None or not query.has_wanted else Asked(query.default)
    return _understood(contract, text, today())


def path_text(after: str, matched: str) -> str:
    """The text at the end of the path, in NFC: what stands behind the first `after`.

    Read off the address as it was sent, where the server tells it: a slash that was written %2F belongs
    to the text, one at the very end does not. Else as it was `matched`.
    """
    path = request.environ.get("RAW_URI", "").partition("?")[0]
    _, found, rest = path.partition(after)
    return unicodedata.normalize("NFC", unquote(rest.removesuffix("/")) if found else matched)


@lru_cache(maxsize=1024)
def _understood(contract: Contract, text: bytes, _day: str) -> Asked:
    """The same, remembered: lists are asked for with few queries, again and again. What is overdue depends
    on the day."""
    query = contract.query
    given = _parameters(text)
    if query is None:
        raise Invalid({name: ["There is no such parameter here."] for name in given})
    loaded = query.load(_single(query, given))
    fields = loaded.pop("narrowed", ())
    _require_fields(contract, fields)
    return Asked(query.wanted(loaded), fields)


def _require_json() -> None:
    if request.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise Unsupported("Send the body as it is, without a Content-Encoding.")
    charset = request.mimetype_params.get("charset", "utf-8").lower()
    media = request.mimetype
    if charset not in ("utf-8", "utf8") or not (media == "application/json" or _is_json_suffixed(media)):
        raise Unsupported("Send the body as application/json, in UTF-8.")


def _is_json_suffixed(media: str) -> bool:
    return media.startswith("application/") and media.endswith("+json")


@contextmanager
def _arriving() -> Iterator[None]:
    """A connection that breaks off, or chunks that are none, as a refusal."""
    try:
        yield
    except (OSError, ParseException):
        raise Malformed("The body did not arrive whole.") from None


def _bytes() -> bytes:
    """The whole body. One whose length was not told is read up to the limit, and refused there."""
    with _arriving():
        sent = request.get_data(cache=False)
    if request.content_length is None and len(sent) >= (request.max_content_length or 0):
        raise RequestEntityTooLarge
    return sent


def _form() -> dict[str, Any]:
    """The fields of a form, each once; a page sends those along that nobody has filled in."""
    with _arriving():
        lists = request.form.to_dict(flat=False)
    for name, texts in lists.items():
        if len(texts) > 1:
            raise Malformed(f"The field {name[:80]!a} is there twice.")
        strict_json.require_text(name + texts[0])
    return {name: texts[0] for name, texts in lists.items() if texts[0]}


def _parameters(text: bytes) -> dict[str, list[str]]:
    try:
        pairs = parse_qsl(text.decode(), True, errors="strict", max_num_fields=MOST_PARAMETERS)
    except UnicodeDecodeError:
        raise Malformed("The query is not UTF-8.") from None
    except ValueError:
        raise Malformed(f"The query has more than {MOST_PARAMETERS} parameters.") from None
    found: dict[str, list[str]] = {}
    for name, value in pairs:
        strict_json.require_text(name + value)
        found.setdefault(name, []).append(value)
    return found


def _single(query: Query, given: dict[str, list[str]]) -> dict[str, Any]:
    """The parameters as the schema takes them: one text, or all texts where it may be repeated."""
    known = {field.data_key or name: field for name, field in query.fields.items()}
    unknown = [name for name in given if name not in known]
    if unknown:
        raise Invalid({name: [_unknown(name, known)] for name in unknown})
    repeated = [name for name, texts in given.items() if len(texts) > 1 and not is_repeatable(known[name])]
    if repeated:
        raise ValidationError({name: [_repeated(known[name])] for name in repeated})
    return {name: texts if is_repeatable(known[name]) else texts[0] for name, texts in given.items()}


def _unknown(name: str, known: Collection[str]) -> str:
    meant = [each for each in _MEANT.get(name, ()) if each in known]
    told = "There is no such parameter here."
    return f"{told[:-1]}: there is {' and '.join(meant)}." if meant else told


def _repeated(field: Any) -> str:
    many = "Is there more than once"
    return f"{many}: write several parted by commas." if isinstance(field, Choices) else f"{many}."


def is_repeatable(field: Any) -> bool:
    """Whether a parameter may be there more than once."""
    return bool(getattr(field, "repeatable", False))


def _require_fields(contract: Contract, fields: tuple[str, ...]) -> None:
    unknown = [name for name in fields if name not in contract.record_fields]
    if unknown:
        raise Invalid({"fields": [f"There is no field {name[:80]!a}." for name in unknown]})
