"""How the program's own lines are written: readable in development, one JSON object each in production."""

from __future__ import annotations

import logging
import sys
from typing import Any

import orjson
import structlog

from taskapi.config import Settings


def configure(settings: Settings) -> None:
    """Sets structlog up for this process. Lines go to standard error."""
    structlog.configure(
        processors=_processors(settings.log_format),
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(settings.log_level)),
        logger_factory=_lines(settings.log_format),
        cache_logger_on_first_use=settings.production,
    )


def _processors(form: str) -> list[Any]:
    begun = [structlog.contextvars.merge_contextvars, structlog.processors.add_log_level]
    if form == "json":
        stamp = structlog.processors.TimeStamper(fmt="iso", utc=True)
        return [
            *begun,
            stamp,
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(orjson.dumps),
        ]
    stamp = structlog.processors.TimeStamper(fmt="%H:%M:%S", utc=False)
    return [*begun, stamp, structlog.processors.format_exc_info, _readable]


def _lines(form: str) -> Any:
    if form == "json":
        return structlog.BytesLoggerFactory(sys.stderr.buffer)
    return structlog.PrintLoggerFactory(sys.stderr)


def _readable(_: Any, __: str, event: dict[str, Any]) -> str:
    """One line: time, level, event, and what there is to say about it."""
    trace = event.pop("exception", None)
    begun = f"{event.pop('timestamp')} {event.pop('level'):<7} {event.pop('event')}"
    told = " ".join(f"{name}={_quoted(value)}" for name, value in event.items() if value is not None)
    return "\n".join(part for part in (f"{begun}  {told}".rstrip(), trace) if part)


def _quoted(value: Any) -> str:
    """The value; in quotes where it could be taken for something else, so that no line can be forged."""
    text = str(value)
    return text if text.isprintable() and " " not in text and '"' not in text else ascii(text)
