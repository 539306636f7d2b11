"""Swagger UI, served from its own files: they come with the product, and ask no other server."""

from __future__ import annotations

from functools import lru_cache
from html import escape
from importlib import resources

SCRIPT = "text/javascript; charset=utf-8"
ASSETS = {
    "swagger-ui.css": "text/css; charset=utf-8",
    "swagger-ui-bundle.js": SCRIPT,
    "favicon-32x32.png": "image/png",
    "docs.js": SCRIPT,
}
"""The files of the page, with their media types."""

_OWN = frozenset({"docs.js"})


def page(root: str) -> str:
    """The page; `root` is the path under which the API lies."""
    at = escape(root)
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Task API</title>'
        '<meta name="viewport" content="width=device-width">'
        f'<link rel="stylesheet" href="{at}/docs/ui/swagger-ui.css">'
        f'<link rel="icon" href="{at}/docs/ui/favicon-32x32.png"></head><body><div id="docs">'
        f'<noscript>Without scripts: <a href="{at}/redoc">the reference</a>.</noscript></div>'
        f'<script src="{at}/docs/ui/swagger-ui-bundle.js"></script>'
        f'<script src="{at}/docs/ui/docs.js" data-root="{at}"></script></body></html>'
    )


@lru_cache(maxsize=len(ASSETS))
def asset(name: str) -> bytes:
    """One of the files."""
    if name in _OWN:
        return (resources.files("taskapi.api") / "assets" / name).read_bytes()
    return (resources.files("flask_swagger_ui") / "dist" / name).read_bytes()
