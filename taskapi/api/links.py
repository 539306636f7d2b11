"""RFC 8288 links between the pages of a list."""

from __future__ import annotations

from functools import lru_cache
from urllib.parse import parse_qsl, quote, urlencode

from flask import request

from taskapi.domain.filters import Page
from taskapi.services.results import Listed

_PLACE = ("page", "cursor")


def links(given: Listed, page: Page) -> list[tuple[str, str]]:
    """The `Link` header: first and next; by page number previous and last too. None for a whole list."""
    if not request.query_string and given.next_cursor is None and given.total <= page.per_page:
        return []
    kept = _kept(request.query_string)
    path = request.script_root + request.path
    places = {"first": ""} | _around(given, page)
    return [("Link", ", ".join(f'<{_address(path, kept, at)}>; rel="{name}"' for name, at in places.items()))]


@lru_cache(maxsize=1024)
def _kept(query: bytes) -> str:
    """The query without its place in the list."""
    return urlencode([pair for pair in parse_qsl(query.decode(), True) if pair[0] not in _PLACE])


def _around(given: Listed, page: Page) -> dict[str, str]:
    """The parameter that leads to each neighbour."""
    if page.cursor is not None:
        return {"next": f"cursor={quote(given.next_cursor)}"} if given.next_cursor else {}
    last = max(1, -(-given.total // page.per_page))
    found = {}
    if page.page > 1:
        found["prev"] = f"page={min(page.page - 1, last)}"
    if page.page < last:
        found["next"] = f"page={page.page + 1}"
    return found | {"last": f"page={last}"}


def _address(path: str, *parts: str) -> str:
    query = "&".join(part for part in parts if part)
    return f"{path}?{query}" if query else path
