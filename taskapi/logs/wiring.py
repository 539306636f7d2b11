"""structlog and standard logging, made to speak with one voice."""

import logging
import os
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import structlog
from structlog.typing import EventDict

from taskapi.config import Settings
from taskapi.config.readers import each_url
from taskapi.config.secrecy import passwords_in
from taskapi.config.settings import LINES
from taskapi.logs.lines import Render, as_json, as_text
from taskapi.logs.output import Output, Routed
from taskapi.logs.redaction import HIDDEN, Redaction, is_secret_name

OF_THE_WORLD = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
"""Secrets that libraries read from the environment by themselves."""

_QUERY = re.compile(r"\?[^\s'\"]+")
_KEY_SHORTEST = 8


def _nothing() -> Mapping[str, Any]:
    """What is known of the moment where nobody knows anything."""
    return {}


@dataclass(frozen=True, slots=True)
class Voice:
    """How the lines of this process are made.

    `around` says what is known of the moment itself, such as the id of the request under way.
    """

    service: str
    is_json: bool
    redaction: Redaction
    around: Callable[[], Mapping[str, Any]]

    @property
    def processors(self) -> list[Any]:
        """From what was said to the bytes of the line."""
        form = "iso" if self.is_json else "%H:%M:%S"
        return [
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            self.told,
            structlog.processors.TimeStamper(form, utc=self.is_json, key="timestamp"),
            structlog.processors.format_exc_info,
            self.rendered,
        ]

    def told(self, logger: Any, _: str, event: EventDict) -> EventDict:
        """With who speaks, and of which request."""
        event.setdefault("logger", getattr(logger, "name", None))
        event["service"] = self.service
        for name, value in self.around().items():
            event.setdefault(name, value)
        return event

    def rendered(self, _: Any, __: str, event: EventDict) -> bytes:
        """The line; whatever may hold a secret is looked at closely first."""
        for name in event:
            if is_secret_name(name) and event[name] is not None:
                event[name] = HIDDEN
        render: Render = as_json if self.is_json else as_text
        line = render(event)
        if not self.redaction.suspects(line):
            return line
        return render({name: self.redaction.cleaned(value) for name, value in event.items()})


def configure(
    settings: Settings, service: str = "api", around: Callable[[], Mapping[str, Any]] = _nothing
) -> None:
    """Sets up how this process logs, its own lines and those of libraries. Lines go to standard error."""
    voice = Voice(service, settings.log_format == "json", Redaction(_secrets(settings)), around)
    structlog.configure(
        processors=voice.processors,
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(settings.log_level)),
        logger_factory=Output,
        cache_logger_on_first_use=settings.production,
    )
    route(logging.getLogger(), Routed(_renderer(voice)))
    logging.getLogger().setLevel(settings.log_level)
    logging.getLogger("alembic").setLevel(max(logging.WARNING, logging.getLogger().level))


def route(logger: logging.Logger, handler: logging.Handler) -> None:
    """Gives the logger this handler in place of the one that it had from here before."""
    for old in [each for each in logger.handlers if isinstance(each, Routed)]:
        logger.removeHandler(old)
    logger.addHandler(handler)


def _renderer(voice: Voice) -> Callable[[logging.LogRecord], bytes]:
    """Records of standard logging on the same way; theirs is not known to be careful with addresses."""
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[structlog.stdlib.add_logger_name, _without_queries],
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *voice.processors, _text],
    )
    return lambda record: formatter.format(record).encode()


def _text(_: Any, __: str, line: Any) -> str:
    """What that formatter wants of its last step."""
    return bytes(line).decode()


def _without_queries(_: Any, __: str, event: EventDict) -> EventDict:
    event["event"] = _QUERY.sub(f"?{HIDDEN}", str(event["event"]))
    return event


def _secrets(settings: Settings) -> Iterator[str]:
    """Every secret that this process has been given."""
    for name, line in LINES.items():
        value = getattr(settings, name)
        if value and line.address:
            yield from _secrets_in(str(value))
        elif value and line.secret:
            yield str(value)
    yield from (os.environ[name] for name in OF_THE_WORLD if os.environ.get(name))


def _secrets_in(url: str) -> Iterator[str]:
    """The passwords of an address, and whatever its query may use as a key."""
    yield from passwords_in(url)
    for part in (urlsplit(each) for each in each_url(url)):
        yield from (value for _, value in parse_qsl(part.query) if len(value) >= _KEY_SHORTEST)
        if part.scheme in ("s3", "http", "https") and part.username:
            yield part.username
