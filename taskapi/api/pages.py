"""Plain pages about the API: one file of HTML, no script, nothing fetched from anywhere."""

from __future__ import annotations

from html import escape

from flask import Flask

from taskapi.api.openapi import Endpoint
from taskapi.api.openapi import endpoints as all_endpoints
from taskapi.api.problems import CATALOGUE

_STYLE = (
    "body{font:15px/1.5 system-ui,sans-serif;max-width:60em;margin:2em auto;padding:0 1em}"
    "table{border-collapse:collapse;width:100%}td,th{text-align:left;padding:.3em .6em;vertical-align:top;"
    "border-bottom:1px solid #ddd}code{font:13px ui-monospace,monospace}"
    "@media(prefers-color-scheme:dark){body{background:#111;color:#ddd}td,th{border-color:#333}a{color:#8bf}}"
)


def endpoints(app: Flask) -> str:
    """Every endpoint with what it is for, what it asks for and what it takes."""
    rows = "".join(_row(endpoint) for endpoint in all_endpoints(app))
    head = "<tr><th>Endpoint</th><th>What it does</th><th>Right</th><th>Takes</th></tr>"
    return _page(
        "Task API",
        "<p>Each path also lies under <code>/v1</code>. The same for programs: "
        '<a href="/openapi.json">openapi.json</a>. <a href="/docs/errors">Errors</a>.</p>'
        f"<table>{head}{rows}</table>",
    )


def errors() -> str:
    """Every error code."""
    rows = "".join(
        f'<tr id="{code}"><td><code>{code}</code></td><td>{status}</td><td>{escape(title)}</td></tr>'
        for code, (status, title) in CATALOGUE.items()
    )
    return _page("Errors", f"<table><tr><th>Code</th><th>Status</th><th>Meaning</th></tr>{rows}</table>")


def _row(endpoint: Endpoint) -> str:
    return (
        f"<tr><td><code>{endpoint.method} {escape(endpoint.path)}</code></td>"
        f"<td>{escape(endpoint.summary)}</td><td>{endpoint.contract.right}</td><td>{escape(_taken(endpoint))}</td></tr>"
    )


def _taken(endpoint: Endpoint) -> str:
    """The names in body and query."""
    body = sorted(endpoint.contract.body.fields) if endpoint.contract.body else []
    query = endpoint.contract.query
    asked = [f"?{field.data_key or name}" for name, field in query.fields.items()] if query else []
    return ", ".join([*body, *asked])


def _page(title: str, body: str) -> str:
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{_STYLE}</style></head>'
        f"<body><h1>{title}</h1>{body}</body></html>"
    )
