"""Plain pages about the API: one file of HTML, no script, nothing fetched from anywhere."""

from __future__ import annotations

from html import escape

from taskapi.api.problems import CATALOGUE

_STYLE = (
    "body{font:15px/1.5 system-ui,sans-serif;max-width:60em;margin:2em auto;padding:0 1em;color:#222}"
    "table{border-collapse:collapse;width:100%;margin:.5em 0}td,th{text-align:left;padding:.3em .6em;"
    "vertical-align:top;border-bottom:1px solid #ddd}code,pre{font:13px/1.4 ui-monospace,monospace}"
    "pre{background:#f4f4f4;padding:.6em;overflow:auto;margin:.4em 0}nav{columns:16em}"
    "section{border-top:1px solid #ddd;margin-top:2em}h3 code{font-size:16px}"
    "summary{cursor:pointer}a{color:#06c}"
    "@media(prefers-color-scheme:dark){body{background:#111;color:#ddd}td,th,section{border-color:#333}"
    "pre{background:#1c1c1c}a{color:#8bf}}"
)


def errors() -> str:
    """Every error code."""
    rows = [
        f'<tr id="{code}"><td><code>{code}</code></td><td>{status}</td><td>{escape(title)}</td></tr>'
        for code, (status, title) in CATALOGUE.items()
    ]
    return page("Errors", table(("Code", "Status", "Meaning"), rows))


def table(heads: tuple[str, ...], rows: list[str]) -> str:
    """A table of ready rows; nothing without any."""
    if not rows:
        return ""
    head = "".join(f"<th>{each}</th>" for each in heads)
    return f"<table><tr>{head}</tr>{''.join(rows)}</table>"


def page(title: str, body: str) -> str:
    """A whole page; `body` is HTML."""
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{_STYLE}</style></head>'
        f"<body><h1>{title}</h1>{body}</body></html>"
    )
