"""What one line looks like: JSON for machines, text for people; neither can be forged by what it tells."""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import orjson

Render = Callable[[Mapping[str, Any]], bytes]

_FIRST = ("timestamp", "level", "event", "service", "logger")
_OWN = re.compile(r"taskapi\.|worker\.")
_FAR = re.compile(r"[^\x20-\x7e]")


def as_json(event: Mapping[str, Any]) -> bytes:
    """One object, in ASCII: no terminal takes anything in it for an order."""
    told = {name: event[name] for name in _FIRST if name in event}
    told |= {name: value for name, value in event.items() if value is not None}
    try:
        line = orjson.dumps(told, default=str, option=orjson.OPT_NON_STR_KEYS)
    except TypeError:  # a number beyond 64 bits, or half a character
        line = json.dumps(told, default=str).encode()
    return line if line.isascii() and b"\x7f" not in line else _FAR.sub(_escaped, line.decode()).encode()


def as_text(event: Mapping[str, Any]) -> bytes:
    """Time, level, event, and what there is to say about it; below it, indented, a trace."""
    begun = f"{event['timestamp']} {event['level']:<7} {_printable(str(event['event']))}"
    left_out = {*_FIRST, "exception", "stack"}
    if _OWN.match(str(event.get("logger", ""))):
        pairs = [(name, value) for name, value in event.items() if name not in left_out]
    else:
        pairs = [(name, value) for name, value in event.items() if name not in left_out - {"logger"}]
    told = " ".join(
        f"{_printable(name)}={_quoted(value)}" for name, value in _flat(pairs) if value is not None
    )
    traces = [_indented(str(event[name])) for name in ("stack", "exception") if event.get(name)]
    return "\n".join([f"{begun}  {told}".rstrip(), *traces]).encode()


def readable(line: str) -> str:
    """A line as people read it: that of a program as text, whichever form it has; any other with nothing in
    it that a terminal would obey."""
    if line.startswith("{"):
        try:
            event = json.loads(line)
        except ValueError:
            return _printable(line)
        if isinstance(event, dict) and {"timestamp", "level", "event"} <= event.keys():
            return as_text(
                {**event, "timestamp": str(event["timestamp"])[11:19], "level": str(event["level"])}
            ).decode()
    return _printable(line)


def _flat(pairs: Iterable[tuple[Any, Any]]) -> Iterator[tuple[str, Any]]:
    """What is told in parts, each part as `whole.part`."""
    for name, value in pairs:
        if isinstance(value, Mapping):
            yield from _flat((f"{name}.{part}", each) for part, each in value.items())
        else:
            yield str(name), value


def _escaped(found: re.Match[str]) -> str:
    return json.dumps(found[0])[1:-1] if found[0] != "\x7f" else "\\u007f"


def _quoted(value: Any) -> str:
    """The value; in quotes where it could be taken for something else."""
    text = str(value)
    return text if text.isprintable() and " " not in text and '"' not in text else ascii(text)


def _printable(text: str) -> str:
    return (
        text
        if text.isprintable()
        else "".join(each if each.isprintable() else ascii(each)[1:-1] for each in text)
    )


def _indented(trace: str) -> str:
    """No line of it begins where a line of ours does."""
    return "\n".join(f"    {_printable(line)}" for line in trace.split("\n"))
