"""RFC 8288 links between the pages of a list."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlencode

from flask import request

from taskapi.domain.filters import Page
from taskapi.services.results import Listed

_PLACE = ("page", "cursor")


def links(given: Listed, page: Page) -> list[tuple[str, str]]:
    """The `Link` header: first and next; by page number previous and last too. None for a whole list."""
    if not request.query_string and given.next_cursor is None:
        return []
    kept = [pair for pair in parse_qsl(request.query_string.decode(), True) if pair[0] not in _PLACE]
    places = {"first": kept} | _around(given, page, kept)
    text = ", ".join(f'<{_address(pairs)}>; rel="{name}"' for name, pairs in places.items())
    return [("Link", text)]


def _around(given: Listed, page: Page, kept: list[tuple[str, str]]) -> dict[str, list[tuple[str, str]]]:
    if page.cursor is not None:
        return {"next": [*kept, ("cursor", given.next_cursor)]} if given.next_cursor else {}
    last = max(1, -(-given.total // page.per_page))
    found = {}
    if page.page > 1:
        found["prev"] = [*kept, ("page", str(min(page.page - 1, last)))]
    if page.page < last:
        found["next"] = [*kept, ("page", str(page.page + 1))]
    found["last"] = [*kept, ("page", str(last))]
    return found


def _address(pairs: list[tuple[str, str]]) -> str:
    path = request.script_root + request.path
    return f"{path}?{urlencode(pairs)}" if pairs else path
